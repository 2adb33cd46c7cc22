"""Rules are compiled once; what they cannot mean is refused when they are loaded."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.flags.rules import FlagError, Place
from rollway.flags.targeting import Compiler, Targeting, compile_targeting

VARIANTS = {"on": 1, "off": 2}


def run(logic: Any, **context: Any) -> Any:
    return Compiler("f", {}).compile(logic, Place("f")).run(context)


def load(logic: Any, **evaluators: Any) -> Targeting:
    return compile_targeting(logic, Place("f"), variants=VARIANTS, evaluators=evaluators)


@pytest.mark.parametrize(
    ("logic", "context", "result"),
    [
        ({"var": "a"}, {"a": 1}, 1),
        ({"var": ["a"]}, {"a": 1}, 1),
        ({"var": "a.b.c"}, {"a": {"b": {"c": 5}}}, 5),
        ({"var": "a.1"}, {"a": [4, 5]}, 5),
        ({"var": "a.2"}, {"a": [4, 5]}, None),
        ({"var": "a.01"}, {"a": [4, 5]}, None),
        ({"var": "a.-1"}, {"a": [4, 5]}, None),
        ({"var": "a.1"}, {"a": "xy"}, "y"),
        ({"var": "a.length"}, {"a": "xyz"}, 3),
        ({"var": "a.length"}, {"a": [1, 2]}, 2),
        ({"var": "a.b"}, {"a": 7}, None),
        ({"var": ["a", "spare"]}, {}, "spare"),
        ({"var": ["a", "spare"]}, {"a": None}, "spare"),
        ({"var": ["a.b", {"var": "c"}]}, {"c": 3}, 3),
        ({"var": {"cat": ["a", ".", "b"]}}, {"a": {"b": 9}}, 9),
        ({"var": ""}, {"a": 1}, {"a": 1}),
        ({"if": []}, {}, None),
        ({"if": [0, 1]}, {}, None),
        ({"if": ["only"]}, {}, "only"),
        ({"if": [False, 1, {"var": "a"}, 2, 3]}, {"a": True}, 2),
        ({"?:": [0, 1, 2]}, {}, 2),
        ({"and": [1, "", 2]}, {}, ""),
        ({"and": [1, 2]}, {}, 2),
        ({"or": [0, [], "x", 2]}, {}, "x"),
        ({"or": [0, ""]}, {}, ""),
        ({"missing": ["a", "b", "c"]}, {"a": "", "b": 0}, ["a", "c"]),
        ({"missing": {"merge": [["a"], "b"]}}, {"b": 1}, ["a"]),
        ({"missing_some": [1, ["a", "b"]]}, {"b": 1}, []),
        ({"missing_some": [2, ["a", "b"]]}, {"b": 1}, ["a"]),
        ({"map": [{"var": "l"}, {"*": [{"var": ""}, 2]}]}, {"l": [1, 2]}, [2, 4]),
        ({"map": [{"var": "none"}, 1]}, {}, []),
        ({"filter": [{"var": "l"}, {">": [{"var": "n"}, 1]}]}, {"l": [{"n": 1}, {"n": 2}]}, [{"n": 2}]),
        ({"reduce": [[1, 2, 3], {"+": [{"var": "current"}, {"var": "accumulator"}]}, 10]}, {}, 16),
        ({"reduce": [None, 1, {"var": "a"}]}, {"a": 4}, 4),
        ({"all": [[], True]}, {}, False),
        ({"all": [[1, 2], {"var": ""}]}, {}, True),
        ({"some": [[0, 2], {"var": ""}]}, {}, True),
        ({"none": [[0, 0], {"var": ""}]}, {}, True),
        ({"none": [[], True]}, {}, True),
        ({"merge": [1, [2, [3]], None]}, {}, [1, 2, [3], None]),
        ({"in": ["b", ["a", "b"]]}, {}, True),
        ({"in": [{"var": "x"}, ["a", "b"]]}, {"x": ["a"]}, False),
        ({"in": ["1", [1]]}, {}, False),
        ({"in": [True, [1]]}, {}, False),
        ({"in": [1.0, [1]]}, {}, True),
        ({"in": ["", ""]}, {}, False),
        ({"in": [1, "a1"]}, {}, True),
        ({"in": ["a", {"var": "x"}]}, {"x": {"a": 1}}, False),
        ({"starts_with": ["abc", "ab"]}, {}, True),
        ({"starts_with": [{"var": "n"}, "1"]}, {"n": 12}, None),
        ({"ends_with": ["abc", "bc"]}, {}, True),
        ({"ends_with": ["abc", None]}, {}, None),
        ([1, {"var": "a"}], {"a": 2}, [1, 2]),
    ],
)
def test_each_operator_computes_what_json_logic_says(
    logic: Any, context: dict[str, Any], result: Any
) -> None:
    """One line for each operator, and one for each of its known traps."""
    assert run(logic, **context) == result


def test_only_the_chosen_branch_is_evaluated() -> None:
    """A branch that would fail for this context does no harm to users who are not in it."""
    assert run({"if": [{"var": "safe"}, "yes", {"/": [1, 0]}]}, safe=True) == "yes"
    assert run({"or": ["yes", {"/": [1, 0]}]}) == "yes"


@pytest.mark.parametrize(
    ("logic", "path", "part"),
    [
        ({"equals": [1, 2]}, "$", 'unknown operator "equals"'),
        ({"start_with": ["a", "b"]}, "$", 'did you mean "starts_with"?'),
        ({"if": [{"log": 1}, "on"]}, "$.if[0]", 'unknown operator "log"'),
        ({"==": [1]}, "$", '"==" takes 2 arguments, not 1'),
        ({"!": [1, 2]}, "$", '"!" takes 1 argument, not 2'),
        ({"<": [1, 2, 3, 4]}, "$", '"<" takes 2 to 3 arguments, not 4'),
        ({"or": []}, "$", '"or" takes at least 1 argument, not 0'),
        ({"if": [{}, "on"]}, "$.if[0]", "an object with one operator; this one has none"),
        ({"if": [{"in": [1, [2]], "==": [1, 2]}, "on"]}, "$.if[0]", 'this one has "in", "=="'),
        ({"if": [{"$ref": "staff"}, "on"]}, "$.if[0]", "not in $evaluators"),
        (
            {"if": [{"sem_ver": ["1.0.0", "=>", "2.0.0"]}, "on"]},
            "$.if[0].sem_ver[1]",
            "no relation of versions",
        ),
        (
            {"if": [{"sem_ver": [{"var": "v"}, ">", "two"]}, "on"]},
            "$.if[0].sem_ver[2]",
            '"two" is no version',
        ),
        ({"fractional": [{"var": "id"}]}, "$.fractional", "at least one share"),
        ({"fractional": [["on", 1, 2]]}, "$.fractional[0]", "a list of a variant and its weight"),
        ({"fractional": [["on", 0.5]]}, "$.fractional[0][1]", "0.5 is no weight"),
        ({"fractional": [["on", "10"]]}, "$.fractional[0][1]", '"10" is no weight'),
        ({"fractional": [["on", True]]}, "$.fractional[0][1]", "true is no weight"),
        ({"fractional": [["on", 2**31]]}, "$.fractional", "the weights sum to 2147483648"),
        ({"fractional": [{"var": "id"}, "on"]}, "$.fractional[1]", "a list of a variant and its weight"),
        ({"map": [[1], {"fractional": [["on"]]}]}, "$.map[1].fractional", "cannot stand in the logic of map"),
        ({"map": [[1], {"var": "../id"}]}, "$.map[1].var", "climb out of an item"),
        ({"if": [True, "onn", "off"]}, "$.if[1]", 'did you mean "on"?'),
        ({"if": [True, "on", 1, "off", "grey"]}, "$.if[4]", "the variants are on, off"),
        ({"if": [True, "on", ["off"]]}, "$.if[2]", "a list is no variant"),
        ({"fractional": [["on", 1], ["of", 1]]}, "$.fractional[1][0]", 'did you mean "off"?'),
        ({"in": ["a", "b"]}, "$", '"in" gives true or false, and "true" is no variant'),
    ],
)
def test_what_cannot_be_computed_is_refused_with_its_place(logic: Any, path: str, part: str) -> None:
    """Each message says where in the rule, what is wrong, and mostly what to do."""
    with pytest.raises(FlagError) as caught:
        load(logic)
    assert caught.value.flag == "f"
    assert caught.value.path == path
    assert part in str(caught.value)


def test_a_fraction_used_as_a_test_need_not_name_variants() -> None:
    """Only what a rule can give back must be a variant."""
    load({"if": [{"fractional": [[False, 90], [True, 10]]}, "on", "off"]})


def test_shared_rules_stand_in_for_their_reference() -> None:
    """A rule of $evaluators is used wherever it is named, and sees the flag that names it."""
    logic = {"if": [{"$ref": "staff"}, "on", "off"]}
    rule = load(logic, staff={"ends_with": [{"var": "email"}, "@firm.example"]}).rule
    assert rule({"email": "a@firm.example"}) == "on"
    assert rule({"email": "a@else.example"}) == "off"


def test_a_wrong_shared_rule_is_told_by_its_own_place() -> None:
    """The message leads to where the mistake is, not to where it is used."""
    with pytest.raises(FlagError) as caught:
        load({"if": [{"$ref": "staff"}, "on"]}, staff={"endswith": [1, 2]})
    assert caught.value.path == "$.$evaluators.staff"
    with pytest.raises(FlagError, match="inside a rule of \\$evaluators"):
        load({"if": [{"$ref": "staff"}, "on"]}, staff={"!": {"$ref": "staff"}})


def test_deep_nesting_is_refused_and_never_overflows() -> None:
    """A rule nested without end is an error of the document, not of the interpreter."""
    logic: Any = "on"
    for _ in range(5000):
        logic = {"if": [True, logic]}
    with pytest.raises(FlagError, match="levels deep"):
        Compiler("f", {}).compile(logic, Place("f"))


@pytest.mark.parametrize("name", ["in", "sem_ver", "=="])
def test_nesting_costs_no_more_than_its_length(name: str) -> None:
    """Each part is compiled once; twice at each level would take longer than there is time."""
    logic: Any = {"var": "a"}
    for _ in range(60):
        logic = {name: [logic, "=", "1.0.0"]} if name == "sem_ver" else {name: ["a", logic]}
    assert Compiler("f", {}).compile({"!": logic}, Place("f")).run({"a": "1.0.0"}) in (True, False)


@pytest.mark.parametrize(
    ("logic", "clock", "key"),
    [
        ({"if": [{"var": "plan"}, "on"]}, False, False),
        ({"if": [{"==": [{"var": "$flagd.flagKey"}, "f"]}, "on"]}, False, False),
        ({"if": [{">": [{"var": "$flagd.timestamp"}, 5]}, "on"]}, True, False),
        ({"if": [{"missing": ["plan"]}, "on"]}, False, False),
        ({"if": [{"missing": ["$flagd.timestamp"]}, "on"]}, True, False),
        ({"fractional": [["on"]]}, False, True),
        ({"if": [{"var": "targetingKey"}, "on"]}, False, True),
        ({"if": [{"var": {"var": "name"}}, "on"]}, True, True),
        ({"if": [{"some": [[1], {"var": "$flagd.timestamp"}]}, "on"]}, False, False),
    ],
)
def test_a_rule_knows_what_it_needs(logic: Any, clock: bool, key: bool) -> None:
    """Whether time or the targeting key can change an answer is known from the rule alone."""
    targeting = load(logic)
    assert (targeting.uses_clock, targeting.uses_targeting_key) == (clock, key)
