"""Laws of the release file: it loads or is refused in plain words, and what was loaded survives."""

from __future__ import annotations

import io
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rollway.canonical import canonical_json
from rollway.errors import InputError
from rollway.facts import (
    Release,
    ReleaseFileError,
    facts_hash,
    parse_release,
    release_from_json,
    release_to_json,
    skeleton,
)
from rollway.facts.duration import format_duration, parse_duration
from rollway.facts.places import resolve
from rollway.facts.shape import bare, fact_value, item_of, section_of, takes_any_key, words_of

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        [
            "unknown",
            "yes",
            "2h",
            "1h30m",
            "2026-11-05",
            "2026-13-01",
            "22:00",
            "Europe/Berlin",
            "0.5",
            "high",
            "10%",
        ]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
GOOD: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 10**9),
    float: st.floats(0.001, 1),
    str: st.sampled_from(["alpha", "beta-2", "no", "2.10", "Ω: a, b", "line\nline"]),
}
BY_KEY = {
    "name": st.sampled_from(["errors", "slow-ones", "p99"]),
    "version": st.sampled_from(["1", "2.10", "v3-rc"]),
    "opens": st.sampled_from(["00:00", "20:00"]),
    "closes": st.sampled_from(["06:00", "24:00"]),
    "timezone": st.sampled_from(["UTC", "Europe/Berlin", "America/Lima"]),
    "days": st.just(["mon", "fri"]),
    "tolerance": st.floats(1, 3),
    "approvers": st.just(["ann", "bob"]),
    "approvals_required": st.integers(1, 2),
    "shares": st.lists(st.floats(0.01, 1), unique=True, max_size=4).map(sorted),
}


def written(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values a person may write where the models expect this: mostly sound, now and then not."""
    return st.integers(0, 199).flatmap(lambda roll: ANYTHING if roll == 0 else good)


def sound(annotation: Any) -> st.SearchStrategy[Any]:
    if (inner := fact_value(annotation)) is not None:
        value = sound(inner)
        return st.one_of(
            st.just("unknown"),
            value,
            st.fixed_dictionaries({"value": value, "source": st.text(max_size=5)}),
            st.fixed_dictionaries({"assume": value, "because": st.text(max_size=5)}),
        )
    if (section := section_of(annotation)) is not None:
        fields = section.model_fields.items()
        keys = {
            key: written(BY_KEY[key] if key in BY_KEY else sound(field.annotation)) for key, field in fields
        }
        needed = {key: keys.pop(key) for key, field in fields if field.is_required()}
        free = {"extra": ANYTHING} if takes_any_key(section) else {}
        return st.fixed_dictionaries(needed, optional={**keys, **free})
    if (item := item_of(annotation)) is not None:
        return st.lists(written(sound(item)), max_size=1)
    if words := words_of(annotation):
        return st.sampled_from(words)
    kind = bare(annotation)
    return GOOD.get(
        kind, st.sampled_from(["2026-11-05", "2026-11-06"] if kind.__name__ == "date" else ["2h", "90s"])
    )


def as_yaml(value: Any, flow: bool) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.width = 60
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def loaded_or_refused(text: str) -> Release | None:
    """The release, or None where it was refused; anything else than a clean refusal fails the test."""
    try:
        return parse_release(text, "release.yaml")
    except ReleaseFileError as error:
        refusal = error
    assert refusal.problems
    for problem in refusal.problems:
        assert problem.file == "release.yaml"
        assert problem.message
        assert problem.headline.isprintable()
        assert 0 <= problem.line <= text.count("\n") + text.count("\r") + 1
    str(refusal).encode()
    json.dumps(refusal.to_json())
    return None


def survives(release: Release) -> None:
    """The release is equal to itself after a trip through JSON text, with the same hash and sources."""
    back = release_from_json(canonical_json(release_to_json(release)))
    assert back == release
    assert facts_hash(back) == facts_hash(release)


@settings(max_examples=120, deadline=None)
@given(sound(Release), st.booleans())
def test_a_written_release_loads_and_survives_json_or_is_refused(value: Any, flow: bool) -> None:
    """Whatever a person fills in, the answer is a release that can be stored or a clean refusal."""
    release = loaded_or_refused(as_yaml(value, flow))
    if release is not None:
        survives(release)


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8) | st.sampled_from(list(Release.model_fields)), ANYTHING, max_size=4)
)
def test_any_mapping_is_loaded_or_refused(value: Any) -> None:
    """No mapping that YAML can write breaks the loader."""
    try:
        text = as_yaml(value, flow=False)
    except Exception:  # what ruamel cannot write is not our subject
        assume(False)
    loaded_or_refused(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-?|>&*!%@`\"'[]{},# \n\r\t\\x0u\ufeff\u2028\x85é日<~.1_", max_size=30))
@example('a: "\\ud83d\\ude00"')
@example("a: !<")
@example("%TAG ! ")
@example("? ? ?")
def test_any_text_is_loaded_or_refused(text: str) -> None:
    """No text, however far from YAML, breaks the loader."""
    loaded_or_refused(text)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_damaged_file_is_loaded_or_refused(source: random.Random) -> None:
    """A sound file with a few characters changed is loaded or refused, and never breaks the loader."""
    whole = "\n".join(line for line in skeleton("demo", "1.0").splitlines()[14:60] if "# " not in line[:6])
    letters = list(whole)
    for _ in range(source.randint(1, 4)):
        spot = source.randrange(len(letters))
        letters[spot] = source.choice(["", "\t", ":", "- ", "{", '"', "\n", "&a ", "*a", "#", "é", "\0"])
    loaded_or_refused("".join(letters))


PARTS = st.sampled_from(
    ["kpis", "0", "errors", "signal", "architecture", "telemetry", "rollout", "shares", ""]
)
VALUES = st.text(max_size=8) | st.sampled_from(
    ["{assume: high}", "[0.1, 0.5]", "unknown", "{a: {b: 1}}", "&a [*a]"]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PARTS | st.text(max_size=4), max_size=4).map(".".join), VALUES)
def test_any_change_is_made_or_refused(path: str, value: str) -> None:
    """Whatever is given with --set, the answer is a release or a clean refusal that names it."""
    text = "release: {name: x, version: 1}\nkpis: [{name: errors, kind: rate, signal: {type: scrape}}]\n"
    try:
        survives(parse_release(text, "release.yaml", changes={path: value}))
    except ReleaseFileError as error:
        refusal = error
    else:
        return
    assert all(problem.file == "--set" and problem.headline.isprintable() for problem in refusal.problems)


@given(st.timedeltas(timedelta(0), timedelta(days=10_000)))
def test_a_duration_is_read_back_as_it_was_written(length: timedelta) -> None:
    """format_duration and parse_duration are inverse to the microsecond."""
    assert parse_duration(format_duration(length)) == length


@given(st.text(max_size=12))
@example("1e999")
@example(".inf")
@example("0x" + "f" * 40)
@example("9" * 40)
def test_no_plain_scalar_becomes_a_number_that_cannot_be_stored(text: str) -> None:
    """Whatever is written without quotes can go into JSON and come back."""
    value = resolve(text)
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(st.text(max_size=30))
def test_from_json_refuses_other_texts_in_plain_words(text: str) -> None:
    """A text that is no stored release is refused with an InputError."""
    with pytest.raises(InputError):
        release_from_json(text)
