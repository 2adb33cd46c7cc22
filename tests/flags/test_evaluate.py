"""Flags resolve by flagd's rules; the published evaluator is asked the same questions."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason

from rollway.flags import MISSING, FlagSet, evaluate, read_definitions

FALLBACK = "what the code says"
STAFF = {"ends_with": [{"var": "email"}, "@firm.example"]}
DOCUMENT: dict[str, Any] = {
    "metadata": {"flagSetId": "shop", "team": "web"},
    "$evaluators": {"staff": STAFF},
    "flags": {
        "static": {"state": "ENABLED", "variants": {"a": "A", "b": "B"}, "defaultVariant": "a"},
        "empty-rule": {"state": "ENABLED", "variants": {"a": "A"}, "defaultVariant": "a", "targeting": {}},
        "code-default": {
            "state": "ENABLED",
            "variants": {"a": "A"},
            "metadata": {"team": "pay", "size": 1.5},
        },
        "null-default": {"state": "ENABLED", "variants": {"a": "A"}, "defaultVariant": None},
        "disabled": {
            "state": "DISABLED",
            "variants": {"a": "A"},
            "defaultVariant": "a",
            "targeting": {"if": [True, "a"]},
        },
        "rule": {
            "state": "ENABLED",
            "variants": {"a": "A", "b": "B", "c": "C"},
            "defaultVariant": "c",
            "targeting": {"if": [{"$ref": "staff"}, "a", {"==": [{"var": "plan"}, "pro"]}, "b"]},
        },
        "rule-no-default": {
            "state": "ENABLED",
            "variants": {"a": "A"},
            "targeting": {"if": [{"$ref": "staff"}, "a", None]},
        },
        "yes-no": {
            "state": "ENABLED",
            "variants": {"true": "A", "false": "B"},
            "targeting": {"!!": [{"var": "x"}]},
        },
        "number": {
            "state": "ENABLED",
            "variants": {"1": "A", "2": "B"},
            "defaultVariant": "1",
            "targeting": {"+": [{"var": ["x", 0]}, 1]},
        },
        "named": {
            "state": "ENABLED",
            "variants": {"a": "A", "b": "B"},
            "defaultVariant": "a",
            "targeting": {"var": "wanted"},
        },
        "key": {
            "state": "ENABLED",
            "variants": {"a": "A", "b": "B"},
            "defaultVariant": "a",
            "targeting": {
                "if": [{"==": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}, "key7"]}, "b"]
            },
        },
    },
}
CONTEXTS: list[dict[str, Any]] = [
    {},
    {"targetingKey": "7"},
    {"email": "ann@firm.example"},
    {"email": "bob@else.example", "plan": "pro"},
    {"email": 7, "plan": "free"},
    {"x": 1},
    {"x": 5},
    {"wanted": "b"},
    {"wanted": "zebra"},
    {"wanted": ""},
    {"wanted": None},
]


@pytest.fixture(scope="module")
def flags() -> FlagSet:
    return read_definitions(DOCUMENT)


@pytest.fixture(scope="module")
def published() -> FlagdCore:
    core = FlagdCore()
    core.set_flags(json.dumps(DOCUMENT))
    return core


def ask(published: FlagdCore, key: str, context: dict[str, Any]) -> FlagResolutionDetails[str]:
    attributes = {name: value for name, value in context.items() if name != "targetingKey"}
    try:
        return published.resolve_string_value(
            key, FALLBACK, EvaluationContext(context.get("targetingKey"), attributes)
        )
    except OpenFeatureError as error:
        return FlagResolutionDetails(FALLBACK, reason=Reason.ERROR, error_code=error.error_code)


@pytest.mark.parametrize("key", [*DOCUMENT["flags"], "unheard-of"])
@pytest.mark.parametrize("context", CONTEXTS, ids=str)
def test_every_flag_resolves_as_in_the_published_evaluator(
    flags: FlagSet, published: FlagdCore, key: str, context: dict[str, Any]
) -> None:
    """Value, variant, reason, metadata and error code agree, for each kind of flag and each context."""
    ours = evaluate(flags, key, context, timestamp=0)
    theirs = ask(published, key, context)
    assert (ours.error_code or None) == theirs.error_code
    assert (ours.error_details != "") == (ours.error_code is not None)
    assert ours.variant == theirs.variant
    assert (FALLBACK if ours.value is MISSING else ours.value) == theirs.value
    if ours.error_code is None:
        assert dict(ours.metadata) == theirs.flag_metadata
    assert ours.reason == theirs.reason


def test_an_unknown_flag_is_told_by_its_name(flags: FlagSet) -> None:
    """The details say which key was asked for."""
    answer = evaluate(flags, "chekout", {}, timestamp=0)
    assert (answer.error_code, answer.error_details) == ("FLAG_NOT_FOUND", 'there is no flag "chekout"')


def test_a_rule_sees_the_time_it_is_given() -> None:
    """`$flagd.timestamp` is the caller's clock; a context cannot forge it."""
    rule = {"if": [{">=": [{"var": "$flagd.timestamp"}, 1000]}, "on", "off"]}
    flags = read_definitions(
        {"flags": {"f": {"state": "ENABLED", "variants": {"on": 1, "off": 0}, "targeting": rule}}}
    )
    forged = {"$flagd": {"timestamp": 5000}}
    assert evaluate(flags, "f", forged, timestamp=999).variant == "off"
    assert evaluate(flags, "f", forged, timestamp=1000).variant == "on"
    assert forged == {"$flagd": {"timestamp": 5000}}


def test_a_rule_that_fails_for_one_context_answers_with_an_error(flags: FlagSet) -> None:
    """A division by zero is an answer about this context, not an exception, and names no variant."""
    rule = {"if": [{">": [{"/": [1, {"var": "n"}]}, 0]}, "on", "off"]}
    flags = read_definitions(
        {"flags": {"f": {"state": "ENABLED", "variants": {"on": 1, "off": 0}, "targeting": rule}}}
    )
    assert evaluate(flags, "f", {"n": 2}, timestamp=0).variant == "on"
    failed = evaluate(flags, "f", {"n": 0}, timestamp=0)
    assert (failed.reason, failed.error_code, failed.value) == ("ERROR", "GENERAL", MISSING)
    assert "division by zero" in failed.error_details


def test_any_mapping_is_a_context(flags: FlagSet) -> None:
    """A read-only context is as good as a dict."""
    assert evaluate(flags, "rule", MappingProxyType({"plan": "pro"}), timestamp=0).value == "B"


@pytest.mark.parametrize(
    "rule", [{"cat": [{"var": "wanted"}]}, {"var": "wanted"}], ids=["as text", "as it is"]
)
def test_a_context_nested_without_end_gets_an_answer(rule: dict[str, Any]) -> None:
    """A hundred thousand lists in each other are no variant, and no end of the interpreter."""
    value: Any = "b"
    for _ in range(100_000):
        value = [value]
    flags = read_definitions({"flags": {"f": {"state": "ENABLED", "variants": {"b": 1}, "targeting": rule}}})
    assert evaluate(flags, "f", {"wanted": value}, timestamp=0).error_code == "GENERAL"


@pytest.mark.parametrize(
    ("result", "said"),
    [("zebra", '"zebra"'), (7, '"7"'), ([], "a list"), ({}, "an object"), ("x" * 99, 'xx..."')],
)
def test_a_result_that_is_no_variant_is_described(flags: FlagSet, result: Any, said: str) -> None:
    """Who reads the error sees what the rule gave, shortened where it is long."""
    assert said in evaluate(flags, "named", {"wanted": result}, timestamp=0).error_details
