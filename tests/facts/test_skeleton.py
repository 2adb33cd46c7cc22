"""The first release file: sound as written, complete, and true in every line that is commented out."""

from __future__ import annotations

import re

import pytest

from rollway.errors import InputError
from rollway.facts import all_facts, parse_release, skeleton, stated_facts
from rollway.facts.explain import EXPLANATIONS

TEXT = skeleton("new-reports", "2.10")
HEAD, BODY = TEXT.split("\n\n", 1)


def uncommented(body: str) -> str:
    """The file with every line that holds a key or a list entry brought to life."""
    alive = re.sub(r"^( *)# (?=[a-z_]+:( |$)|- |  )", r"\1", body, flags=re.MULTILINE)
    return re.sub(r'^( +\w+): ""', r"\1: some text", alive, flags=re.MULTILINE)


def test_it_loads_as_written_and_states_nothing() -> None:
    """Right after `rollway init` there is a sound file in which every fact is unknown."""
    release = parse_release(TEXT, "release.yaml")
    assert (release.release.name, release.release.version) == ("new-reports", "2.10")
    assert stated_facts(release) == ()


def test_it_begins_with_the_schema_for_editors() -> None:
    """The first line is the one that YAML language servers look for."""
    assert TEXT.startswith("# yaml-language-server: $schema=release.schema.json\n")


def test_it_holds_every_key_of_every_section() -> None:
    """Nobody has to look elsewhere for what can be written: all keys are there, in the models' order."""
    for section, lines in EXPLANATIONS.items():
        for key in lines:
            assert re.search(rf"^[ #-]*{key}:", BODY, re.MULTILINE), f"{section}.{key}"
    sections = re.findall(r"^(\w+):", BODY, re.MULTILINE)
    assert sections == list(EXPLANATIONS["Release"])
    written = parse_release(TEXT, "release.yaml")
    asked = {path for path, fact in all_facts(written) if fact.source.startswith("release.yaml:")}
    assert asked == {path for path, _ in all_facts(written)}


def test_it_is_sound_with_every_comment_brought_to_life() -> None:
    """Each line that is commented out can be used as it stands."""
    release = parse_release(uncommented(BODY), "release.yaml")
    assert [kpi.name for kpi in release.kpis] == ["errors", "latency", "score"]
    assert release.target is not None
    assert release.rollout.shares == (0.1, 0.5)
    assert release.agreements.windows
    assert release.stakeholders.groups
    assert release.goals.objective == "some text"


def test_it_teaches_the_three_ways_to_write_a_fact() -> None:
    """The ways that the head shows are known, known with a source, and assumed."""
    ways = re.findall(r"^#   (feature_flags: (?:true|\{.*?\}))  ", HEAD, re.MULTILINE)
    facts = [
        parse_release(
            f"release: {{name: x, version: 1}}\narchitecture:\n  {way}", "r"
        ).architecture.feature_flags
        for way in ways
    ]
    assert [(fact.state, fact.note) for fact in facts] == [
        ("known", ""),
        ("known", "Jo, platform"),
        ("assumed", "as in 2.3"),
    ]


def test_it_fits_a_screen() -> None:
    """No line is longer than 120 characters, and none ends in spaces."""
    for line in TEXT.splitlines():
        assert len(line) <= 120
        assert line == line.rstrip()


@pytest.mark.parametrize(
    "version", ["1", "2.10", "v3-rc.1", 'a "quoted" one', "no", "日本", "x: y # z", "\\n"]
)
def test_any_version_is_kept_as_it_is(version: str) -> None:
    """A version that YAML would read as something else comes back as the text it is."""
    assert parse_release(skeleton("x", version), "r").release.version == version


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("New Reports", "1", "did you mean 'new-reports'?"),
        ("", "1", "the name"),
        ("x", "", "the version: is empty"),
        ("x", "1" * 61, "the version"),
        ("x", "1\n2", "cannot be printed"),
    ],
)
def test_an_unfit_name_or_version_is_told(name: str, version: str, words: str) -> None:
    """What the loader would refuse is refused before a file is written."""
    with pytest.raises(InputError) as caught:
        skeleton(name, version)
    assert words in str(caught.value)
