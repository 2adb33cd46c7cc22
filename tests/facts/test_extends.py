"""Several files as one release: what is laid over what, and where each fact comes from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rollway.facts import Release, ReleaseFileError, facts_hash, load_release, parse_release

Write = Callable[..., Release]
ORG = """\
architecture:
  feature_flags: true
  automation: {value: high, source: platform team}
  environments: [test, production]
agreements:
  freezes:
    - {first: 2026-12-18, last: 2027-01-04, reason: end of the year}
  windows:
    - {opens: "20:00", closes: "23:00"}
  approvers: [ines, tomas]
"""
RELEASE = "release: {name: x, version: 1}\n"
EXTENDING = f"extends: org.yaml\n{RELEASE}"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files by name and loads the last of them; a name may hold a folder."""
    monkeypatch.chdir(tmp_path)

    def written(**texts: str) -> Release:
        names = [name.replace("__", "/") + ".yaml" for name in texts]
        for name, text in zip(names, texts.values(), strict=True):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(text)
        return load_release(names[-1])

    return written


def told(load: Write, **texts: str) -> list[str]:
    with pytest.raises(ReleaseFileError) as caught:
        load(**texts)
    return [problem.headline for problem in caught.value.problems]


def test_every_fact_keeps_the_file_it_stands_in(load: Write) -> None:
    """File, line and column of the one that says so."""
    release = load(org=ORG, release=f"extends: org.yaml\n{RELEASE}goals: {{urgency: high}}\n")
    assert release.architecture.feature_flags.source == "org.yaml:2:18"
    assert release.architecture.automation.quote() == "high (platform team, org.yaml:3:23)"
    assert release.goals.urgency.source == "release.yaml:3:18"


def test_what_the_release_says_wins(load: Write) -> None:
    """Section by section, key by key; what it leaves out stays."""
    text = f"extends: org.yaml\n{RELEASE}architecture: {{feature_flags: {{assume: false, because: new}}}}\n"
    architecture = load(org=ORG, release=text).architecture
    assert (architecture.feature_flags.value, architecture.feature_flags.state) == (False, "assumed")
    assert architecture.automation.value == "high"
    assert architecture.environments == ("test", "production")


@pytest.mark.parametrize("written", ["unknown", "", "null"])
def test_to_say_nothing_takes_nothing_back(load: Write, written: str) -> None:
    """So the skeleton of `rollway init`, all of it unknown, can extend a file that knows."""
    text = f"extends: org.yaml\n{RELEASE}architecture:\n  feature_flags: {written}\n"
    assert load(org=ORG, release=text).architecture.feature_flags.is_true


def test_somebodys_word_that_it_is_unknown_takes_it_back(load: Write) -> None:
    """With a source it is a statement about this release."""
    text = f"extends: org.yaml\n{RELEASE}architecture: {{feature_flags: {{value: unknown, source: Jo}}}}\n"
    fact = load(org=ORG, release=text).architecture.feature_flags
    assert (fact.state, fact.note) == ("unknown", "Jo")


def test_entries_are_merged_by_their_name(load: Write) -> None:
    """Of one id key by key; others are added after those that were there."""
    org = "risks: {items: [{id: R-1, title: slow, owner: jo}, {id: R-2, title: down}]}\n"
    mine = "risks: {items: [{id: R-3, title: new}, {id: R-1, title: slower, impact: high}]}\n"
    items = load(org=org, release=f"extends: org.yaml\n{RELEASE}{mine}").risks.items
    assert [(item.id, item.title, item.owner, item.impact) for item in items] == [
        ("R-1", "slower", "jo", "high"),
        ("R-2", "down", "", "medium"),
        ("R-3", "new", "", "medium"),
    ]


def test_an_open_question_in_an_entry_takes_nothing_back(load: Write) -> None:
    """`accepted: unknown` leaves what another file knows."""
    org = "backlog: {items: [{id: A, title: a, accepted: true}]}\n"
    mine = "backlog: {items: [{id: A, title: a, accepted: unknown}]}\n"
    assert load(org=org, release=f"extends: org.yaml\n{RELEASE}{mine}").backlog.items[0].accepted is True


def test_freezes_add_up_and_windows_are_replaced(load: Write) -> None:
    """No file lifts another's freeze by having one; whoever names windows means these and no others."""
    mine = """\
agreements:
  freezes: [{first: 2027-03-01, last: 2027-03-02}]
  windows: [{opens: "06:00", closes: "07:00"}]
  approvers: [kim]
"""
    agreements = load(org=ORG, release=f"extends: org.yaml\n{RELEASE}{mine}").agreements
    assert [str(freeze.first) for freeze in agreements.freezes] == ["2026-12-18", "2027-03-01"]
    assert [window.opens for window in agreements.windows] == ["06:00"]
    assert agreements.approvers == ("kim",)


def test_an_empty_list_empties(load: Write) -> None:
    """The way to be rid of entries that do not apply."""
    text = f"extends: org.yaml\n{RELEASE}agreements: {{freezes: [], approvers: []}}\n"
    agreements = load(org=ORG, release=text).agreements
    assert (agreements.freezes, agreements.approvers) == ((), ())
    assert agreements.windows


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        ("{flag: new-x}", {"url": "http://a", "flag": "new-x"}),
        ("{type: flag, flag: new-x}", {"url": "http://a", "flag": "new-x"}),
        ("{type: command, run: ./x}", {"run": "./x"}),
    ],
)
def test_a_target_of_another_type_is_another_target(load: Write, mine: str, expected: dict[str, str]) -> None:
    """Of the same type it is completed; the keys of one kind mean nothing to another."""
    release = load(
        org="target: {type: flag, url: http://a}\n", release=f"extends: org.yaml\n{RELEASE}target: {mine}\n"
    )
    assert release.target is not None
    assert release.target.options() == expected


def test_several_bases_later_ones_win(load: Write) -> None:
    """In the order in which they are named, and the file itself last."""
    release = load(
        org="goals: {urgency: low, objective: org}\n",
        facts="goals: {urgency: high}\n",
        release=f"extends: [org.yaml, facts.yaml]\n{RELEASE}",
    )
    assert (release.goals.urgency.value, release.goals.objective) == ("high", "org")


def test_a_base_has_bases_relative_to_its_own_folder(load: Write) -> None:
    """And places are told relative to where one stands."""
    release = load(
        common__house="goals: {urgency: low}\n",
        common__org="extends: house.yaml\ngoals: {objective: org}\n",
        releases__two=f"extends: ../common/org.yaml\n{RELEASE}",
    )
    assert release.goals.urgency.source == f"common{os.sep}house.yaml:1:18"


def test_a_file_reached_twice_counts_where_it_comes_first(load: Write) -> None:
    """What both sides of a diamond share overrules neither of them."""
    release = load(
        house="goals: {urgency: low}\n",
        org="extends: house.yaml\ngoals: {urgency: high}\n",
        team="extends: house.yaml\ngoals: {objective: team}\n",
        release=f"extends: [org.yaml, team.yaml]\n{RELEASE}",
    )
    assert (release.goals.urgency.value, release.goals.objective) == ("high", "team")


def test_files_side_by_side_are_laid_over_one_another(load: Write) -> None:
    """As on the command line: `rollway check org.yaml release.yaml`."""
    load(org=ORG, release=RELEASE)
    release = load_release("org.yaml", "release.yaml", changes={"goals.urgency": "high"})
    assert release.architecture.feature_flags.source == "org.yaml:2:18"
    assert release.goals.urgency.source == "--set"


def test_the_hash_does_not_know_how_many_files_there_were(load: Write) -> None:
    """To move shared facts into a file of their own makes no plan stale."""
    apart = load(org=ORG, release=EXTENDING)
    assert facts_hash(apart) == facts_hash(parse_release(RELEASE + ORG, "r.yaml"))


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            {**{a: f"extends: {b}.yaml\n" for a, b in ("ab", "bc", "ca")}, "release": "extends: a.yaml"},
            "c.yaml:1:10: extends: this goes round in a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml; remove",
        ),
        ({"release": f"{RELEASE}extends: release.yaml\n"}, "a circle: release.yaml -> release.yaml"),
        ({"release": f"{RELEASE}extends: ./release.yaml\n"}, "this goes round in a circle"),
        ({"release": f"{RELEASE}extends: no.yaml\n"}, "release.yaml:2:10: extends: no.yaml: there is no"),
        ({"release": f"{RELEASE}extends: .\n"}, "release.yaml:2:10: extends: .: this is a directory"),
        ({"release": f"{RELEASE}extends: {{a: b}}\n"}, "a mapping is not the name of a file; write extends:"),
        ({"release": f"{RELEASE}extends: [3]\n"}, "release.yaml:2:11: extends: 3 is not the name of a file"),
        ({"release": f"{RELEASE}extends: https://x/org.yaml\n"}, "nothing is read from the network"),
        ({"release": f"{RELEASE}extend: org.yaml\n"}, "there is no such key; did you mean 'extends'?"),
        ({"org": "gaols: {}\n", "release": EXTENDING}, "org.yaml:1:1: gaols: there is no such key"),
        ({"org": "a: [\n", "release": EXTENDING}, "org.yaml:2:1: the file ends where a value is expected"),
        ({"org": "", "release": EXTENDING}, "release.yaml:1:10: extends: org.yaml: this file is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_file_where_it_stands(
    load: Write, texts: dict[str, str], words: str
) -> None:
    """A circle, a file that is not there, and every mistake in any of the files."""
    assert words in told(load, **texts)[0]


def test_mistakes_of_all_files_are_told_at_once_with_their_lines(load: Write) -> None:
    """In the order in which the files are merged."""
    org = "goals: {urgency: hgih}\n"
    with pytest.raises(ReleaseFileError) as caught:
        load(org=org, release=f"extends: org.yaml\n{RELEASE}risks: {{regulated: maybe}}\n")
    assert [(one.file, one.source_line) for one in caught.value.problems] == [
        ("org.yaml", org.strip()),
        ("release.yaml", "risks: {regulated: maybe}"),
    ]


def test_a_name_that_stands_twice_in_one_file_is_still_told(load: Write) -> None:
    """Merging by name does not swallow a mistake."""
    mine = "risks: {items: [{id: R-1, title: b}, {id: R-1, title: c}]}\n"
    org = "risks: {items: [{id: R-1, title: a}]}\n"
    assert "'R-1' is also the id of" in told(load, org=org, release=f"extends: org.yaml\n{RELEASE}{mine}")[0]


def test_more_files_than_anybody_means_are_refused(load: Write) -> None:
    """Twenty are enough for any organisation."""
    texts = {f"f{at}": f"extends: f{at + 1}.yaml\n" for at in range(30)}
    assert "more than 20 files" in told(load, **texts, release=f"extends: f0.yaml\n{RELEASE}")[0]


def test_a_text_by_itself_extends_nothing() -> None:
    """Nothing is read behind the back of whoever gave the text."""
    with pytest.raises(ReleaseFileError, match="a text by itself extends nothing"):
        parse_release(f"extends: /etc/passwd\n{RELEASE}", "r.yaml")
