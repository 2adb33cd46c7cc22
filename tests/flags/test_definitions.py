"""A flagd document is read into compiled flags, or refused with the place of what is wrong."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from rollway.errors import InputError
from rollway.flags import FlagError, evaluate, read_definitions

SWITCH: dict[str, Any] = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def document(**changes: Any) -> dict[str, Any]:
    return {"flags": {"new-checkout": {**SWITCH, **changes}}}


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"state": None}, ".state", 'is missing (write "ENABLED" or "DISABLED")'),
        ({"state": "on"}, ".state", 'is "on"'),
        ({"variants": None}, ".variants", "must be an object, and is missing"),
        ({"variants": []}, ".variants", "must be an object, and is a list"),
        ({"variants": {}}, ".variants", "there is no variant"),
        ({"variants": {"on": True, "off": "no"}}, ".variants", "of several types: boolean, string"),
        ({"variants": {"on": 1, "off": None}}, ".variants.off", "null is no value"),
        ({"variants": {"on": math.nan, "off": 1}}, ".variants.on", "which JSON does not have"),
        ({"variants": {"on": {1}, "off": {}}}, ".variants.on", "is a set, which JSON does not have"),
        ({"variants": {1: True}}, ".variants", "has the key 1"),
        ({"variants": {"on": "\ud800", "off": ""}}, ".variants.on", "half a surrogate pair"),
        ({"variants": {"on": 0.5, "off": 10**400}}, ".variants.off", "too large"),
        ({"defaultVariant": "of"}, ".defaultVariant", 'did you mean "off"?'),
        ({"defaultVariant": "grey"}, ".defaultVariant", "the variants are on, off"),
        ({"defaultVariant": 1}, ".defaultVariant", "1 is no variant"),
        ({"targeting": ["on"]}, ".targeting", "targeting is not an object"),
        ({"targeting": {"if": [{"wen": 1}, "on"]}}, ".targeting.if[0]", 'unknown operator "wen"'),
        ({"metadata": {"team": ["a"]}}, ".metadata.team", "metadata is text, a number, true or false"),
        ({"targetting": {}}, ".targetting", 'did you mean "targeting"?'),
        ({"colour": 1}, ".colour", "a flag has state, variants"),
    ],
)
def test_a_bad_flag_is_named_with_its_place(changes: dict[str, Any], path: str, part: str) -> None:
    """The error says which flag, where in it, what is wrong, and is one that a person may be shown."""
    with pytest.raises(InputError) as caught:
        read_definitions(document(**changes))
    error = caught.value
    assert isinstance(error, FlagError)
    assert error.path == '$.flags["new-checkout"]' + path
    assert part in str(error).replace("\nhint: ", " (") + ")"


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ([], "a flagd document must be an object"),
        (None, "a flagd document must be an object, and is missing"),
        ({}, 'an empty document is {"flags": {}}'),
        ({"flag": {}}, 'did you mean "flags"?'),
        ({"flags": 3}, "flags must be an object, and is a number"),
        ({"flags": {"": SWITCH}}, "a flag has an empty key"),
        ({"flags": [SWITCH]}, "a flag in a list needs its key"),
        ({"flags": [{"key": "a", **SWITCH}, {"key": "a", **SWITCH}]}, 'the key "a" is there twice'),
        ({"flags": {}, "$evaluators": []}, "$evaluators must be an object"),
        ({"flags": {}, "metadata": {"owner": None}}, "metadata is text, a number, true or false"),
    ],
)
def test_a_bad_document_is_refused(bad: Any, part: str) -> None:
    """What is wrong with the document as a whole is told in one sentence."""
    with pytest.raises(FlagError) as caught:
        read_definitions(bad)
    assert part in str(caught.value)


def test_all_bad_flags_are_told_at_once() -> None:
    """One line per flag, so that a file is mended in one go."""
    flags = {"a": {**SWITCH, "state": 1}, "good": SWITCH, "b": {**SWITCH, "variants": {}}}
    with pytest.raises(FlagError) as caught:
        read_definitions({"flags": flags})
    assert caught.value.message == "$.flags: 2 flags cannot be used"
    assert [line.split(":")[0] for line in caught.value.details] == [
        'flag "a", $.flags.a.state',
        'flag "b", $.flags.b.variants',
    ]


def test_endless_nesting_is_refused() -> None:
    """A document that is nested too deeply is an error of the document."""
    value: Any = {}
    for _ in range(100_000):
        value = [value]
    with pytest.raises(FlagError, match="levels deep"):
        read_definitions(document(variants={"on": {"a": value}, "off": {}}))


def test_the_list_form_is_read_too() -> None:
    """flagd's import files may list their flags, each with its key."""
    flags = read_definitions(
        {"flags": [{"key": "a", **SWITCH}], "$schema": "https://flagd.dev/schema/v0/flags.json"}
    )
    assert list(flags.flags) == ["a"]


def test_a_disabled_flag_is_checked_all_the_same() -> None:
    """A mistake does not wait for the day on which the flag is enabled."""
    with pytest.raises(FlagError, match="unknown operator"):
        read_definitions(document(state="DISABLED", targeting={"nope": 1}))


def test_numbers_of_a_float_flag_are_all_floats() -> None:
    """A typed client that asks for a float must not be handed the integer 1 by one variant."""
    mixed = read_definitions(document(variants={"on": 1, "off": 0.5})).flags["new-checkout"]
    whole = read_definitions(document(variants={"on": 1, "off": 2})).flags["new-checkout"]
    assert [type(value) for value in mixed.variants.values()] == [float, float]
    assert [type(value) for value in whole.variants.values()] == [int, int]


def test_a_booleans_default_names_its_variant() -> None:
    """`"defaultVariant": true` is the variant "true", as published clients take it."""
    flags = read_definitions(document(variants={"true": 1, "false": 0}, defaultVariant=True))
    assert evaluate(flags, "new-checkout", {}, timestamp=0).variant == "true"


def test_flags_do_not_change_with_what_they_were_read_from() -> None:
    """The caller may go on working on its document."""
    source = document(
        variants={"on": {"size": [1]}, "off": {}}, defaultVariant="on", targeting={"if": [False, "off"]}
    )
    kept = copy.deepcopy(source)
    flags = read_definitions(source)
    source["flags"]["new-checkout"]["variants"]["on"]["size"].append(2)
    source["flags"]["new-checkout"]["targeting"]["if"][0] = True
    assert evaluate(flags, "new-checkout", {}, timestamp=0).value == {"size": [1]}
    assert flags.version == read_definitions(kept).version


def test_texts_of_a_yaml_reader_become_plain() -> None:
    """Subclasses of text and numbers, as readers of YAML give them, are what they stand for."""

    class Quoted(str):
        pass

    class Whole(int):
        pass

    flags = read_definitions(
        document(variants={Quoted("on"): Whole(1), "off": 2}, defaultVariant=Quoted("on"))
    )
    value = flags.flags["new-checkout"].variants["on"]
    assert type(value) is int


def test_the_version_is_of_the_content() -> None:
    """The order of keys does not matter to it; any value does."""
    one = {"flags": {"a": SWITCH, "b": SWITCH}}
    other = {"flags": {"b": dict(reversed(SWITCH.items())), "a": SWITCH}}
    assert read_definitions(one).version == read_definitions(other).version
    assert read_definitions(one).version != read_definitions({"flags": {"a": SWITCH}}).version
