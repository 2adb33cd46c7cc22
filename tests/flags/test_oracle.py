"""Whatever rule one writes, the published evaluator computes the same, or the difference is known.

Left out below, because JavaScript's engine and the published Python one disagree and Rollway follows
JavaScript: null against numbers, "" as a number, true and false as text, signs of remainders, NaN in min.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from json_logic import jsonLogic
from openfeature.contrib.tools.flagd.core.targeting.targeting import OPERATORS as PUBLISHED

from rollway.flags import FlagError, evaluate, read_definitions
from rollway.flags.operators import OPERATORS
from rollway.flags.rules import Place
from rollway.flags.targeting import Compiler

Logic = SearchStrategy[Any]

NUMBERS = st.integers(-50, 50) | st.integers(1, 200).map(lambda n: n / 4)
NUMBER_TEXTS = st.sampled_from(["10", "9", "-1.5", "1e3", " 7 ", "0"])
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b", "10", "é", "日本", "\U0001f600x"])
VERSIONS = st.sampled_from(["1.0.0", "v1.2.3", "2.0.0-rc.1", "1.2", "7", "no"])
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "number": NUMBERS,
        "text": TEXTS,
        "yes": st.booleans(),
        "version": VERSIONS,
        "numbers": st.lists(NUMBERS, max_size=4),
        "user": st.fixed_dictionaries({}, optional={"name": TEXTS, "age": NUMBERS}),
    },
)


def call(name: str, *arguments: Logic) -> Logic:
    return st.tuples(*arguments).map(lambda values: {name: list(values)})


def of(names: str, *arguments: Logic) -> Logic:
    return st.one_of([call(name, *arguments) for name in names.split()])


def var(name: str, default: Logic | None = None) -> Logic:
    return st.just({"var": name}) if default is None else call("var", st.just(name), default)


def numbers(deeper: Logic) -> Logic:
    """Logic that gives a number; never null where a difference is asked, for there the engines disagree."""
    certain = NUMBERS | NUMBER_TEXTS | var("number", NUMBERS)
    return st.one_of(
        certain,
        of("+ * min max", deeper, deeper),
        of("+ * min max", certain, deeper, certain),
        call("-", deeper, certain),
        call("-", certain),
        call("/", deeper, st.sampled_from([1, 2, -4, 0.5])),
        call("%", st.integers(0, 100), st.integers(1, 20)),
        call("if", st.just({"var": "yes"}), deeper, deeper),
        st.just({"reduce": [{"var": "numbers"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}),
    )


def texts() -> Logic:
    known = TEXTS | var("text", TEXTS) | var("user.name", TEXTS)
    return st.one_of(
        known,
        call("cat", known, st.integers(-9, 9), known),
        call("substr", known, st.integers(-4, 4)),
        call("substr", known, st.integers(-4, 4), st.integers(-3, 3)),
        call("if", st.just({"var": "yes"}), known, known),
    )


def truths(deeper: Logic) -> Logic:
    """Logic that gives true or false, or what a truth test makes of other values."""
    number, text = st.recursive(NUMBERS, numbers, max_leaves=4), texts()
    item = st.sampled_from([{">": [{"var": ""}, 3]}, {"==": [{"%": [{"var": ""}, 2]}, 0]}, {"var": ""}])
    non_negative = call("filter", var("numbers"), st.just({">=": [{"var": ""}, 0]}))
    return st.one_of(
        var("yes"),
        of("== != < <= > >=", number, number),
        of("== != < <= > >=", number, st.just("x1")),
        of("< <= > >=", number, number, number),
        of("== != === !== < <= > >=", text, text),
        of("=== !==", number.filter(lambda logic: not isinstance(logic, str)), TEXTS),
        of("== !=", st.none(), var("text") | var("version") | st.none()),
        of("! !!", deeper | text | number | var("numbers") | st.none()),
        of("and or", deeper, deeper, deeper),
        call("if", deeper, deeper, deeper),
        call("in", text, st.lists(TEXTS, max_size=3)),
        call("in", NUMBERS, var("numbers")),
        call("in", text, text.filter(bool).map(lambda logic: {"cat": ["-", logic]})),
        of("starts_with ends_with", text | var("number"), text | st.none()),
        call("sem_ver", var("version"), st.sampled_from(["=", "!=", "<", ">=", "^", "~"]), st.just("1.2.3")),
        of("all some none", non_negative | st.just([]), item),
        call("!!", call("missing", st.just("text"), st.just("user.name"))),
        call("!", call("missing_some", st.integers(0, 3), st.just(["text", "number", "yes"]))),
    )


TRUTHS = st.recursive(truths(st.booleans()), truths, max_leaves=4)
RULES = TRUTHS | call("if", TRUTHS, st.recursive(NUMBERS, numbers, max_leaves=5), texts())


@settings(max_examples=300, deadline=None)
@given(logic=RULES, context=CONTEXTS)
def test_every_rule_gives_what_the_published_evaluator_gives(logic: Any, context: dict[str, Any]) -> None:
    """Rules of all operators, nested at random, against flagd-core's JsonLogic on random contexts."""
    ours = Compiler("f", {}).compile(logic, Place("f")).run(context)
    theirs = jsonLogic(logic, context, PUBLISHED)
    assert same(ours, theirs), f"{ours!r} here, {theirs!r} there"


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ANY_NAME = st.sampled_from(["a", "b.c", "targetingKey", "$flagd.timestamp", "$flagd", "", "a.length", "a.0"])
ANYTHING = st.recursive(
    JSON | st.builds(lambda name: {"var": name}, ANY_NAME),
    lambda inner: st.builds(
        lambda name, arguments: {name: arguments},
        st.sampled_from(sorted(OPERATORS)),
        st.lists(inner | st.lists(inner, min_size=1, max_size=2), max_size=4) | inner,
    ),
    max_leaves=8,
)
ANY_CONTEXT = st.dictionaries(st.sampled_from(["a", "b", "targetingKey", "$flagd"]), JSON, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    logic=st.dictionaries(
        st.sampled_from(sorted(OPERATORS)), ANYTHING | st.lists(ANYTHING), min_size=1, max_size=1
    ),
    context=ANY_CONTEXT,
)
def test_no_rule_and_no_context_ever_raises(logic: Any, context: dict[str, Any]) -> None:
    """A rule is refused at load, or every context gets an answer from it."""
    variants = {"on": 1, "true": 2, "false": 3, "0": 4}
    try:
        flags = read_definitions(
            {"flags": {"f": {"state": "ENABLED", "variants": variants, "targeting": logic}}}
        )
    except FlagError:
        return
    answer = evaluate(flags, "f", context, timestamp=5)
    assert answer.reason in {"DEFAULT", "TARGETING_MATCH", "ERROR", "STATIC"}
    assert (answer.error_code is not None) == (answer.reason == "ERROR")


@pytest.mark.parametrize(
    ("logic", "ours", "published"),
    [
        ({"==": [None, 0]}, False, True),
        ({"+": ["", 1]}, 1, math.nan),
        ({"cat": [True]}, "true", "True"),
        ({"%": [-5, 3]}, -2, 1),
        ({"-": [5, None]}, 5, -5),
        ({"===": [1, True]}, False, True),
        ({"in": ["", ""]}, False, True),
        ({"min": [1, "x"]}, math.nan, 1),
    ],
)
def test_the_known_differences_are_these(logic: Any, ours: Any, published: Any) -> None:
    """Where the published Python evaluator departs from JavaScript's, Rollway sides with JavaScript."""
    assert same(Compiler("f", {}).compile(logic, Place("f")).run({}), ours)
    assert same(jsonLogic(json.loads(json.dumps(logic)), {}, PUBLISHED), published)
