"""Values are read as JavaScript reads them; the expected side of each table was printed by Node 20."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest

from rollway.flags import values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (1.5, "1.5"),
        (-2.25, "-2.25"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (1e-7, "1e-7"),
        (-2.5e-9, "-2.5e-9"),
        (1e16, "10000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        ([1, None, [2, True]], "1,,2,true"),
        ({}, "[object Object]"),
    ],
)
def test_text_of_a_value_is_javascripts(value: Any, text: str) -> None:
    """A number reads the same in `cat` here as in a browser, so both hash the same user into one bucket."""
    assert values.to_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, 0),
        (True, 1),
        ("", 0),
        ("  ", 0),
        (" 7 ", 7),
        ("-1.5", -1.5),
        ("+.5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ([], 0),
        ([7], 7),
        (["8"], 8),
    ],
)
def test_number_of_a_value_is_javascripts(value: Any, number: float) -> None:
    """Text, null and booleans count as the numbers that Number() makes of them."""
    assert values.to_number(value) == number


@pytest.mark.parametrize("value", ["12abc", "1_000", "infinity", "nan", "-0x10", "١", [1, 2], {}, {"a": 1}])
def test_what_is_no_number_is_nan(value: Any) -> None:
    """What Python would read as a number and JavaScript would not is none."""
    assert math.isnan(values.to_number(value))


@pytest.mark.parametrize("value", [None, False, 0, 0.0, math.nan, "", []])
def test_false_values(value: Any) -> None:
    """The empty list is false, as JsonLogic wants it."""
    assert not values.truthy(value)


@pytest.mark.parametrize("value", [True, 1, -0.5, "0", "false", [0], {}, math.inf])
def test_true_values(value: Any) -> None:
    """Everything else is true, the texts "0" and "false" and the empty object among it."""
    assert values.truthy(value)


@pytest.mark.parametrize(
    ("a", "b", "loosely", "strictly"),
    [
        ("1", 1, True, False),
        (1, 1.0, True, True),
        (1, True, True, False),
        ("1", True, True, False),
        ("true", True, False, False),
        (0, False, True, False),
        ("", 0, True, False),
        (None, None, True, True),
        (None, 0, False, False),
        (None, False, False, False),
        (None, "", False, False),
        ("a", "a", True, True),
        ("abc", 5, False, False),
        ([1], 1, True, False),
        ([1, 2], "1,2", True, False),
        ([1], [1], False, False),
        ({}, {}, False, False),
        ([], {}, False, False),
        (math.nan, math.nan, False, False),
    ],
)
def test_equality_is_javascripts(a: Any, b: Any, loosely: bool, strictly: bool) -> None:
    """Loose and strict equality give what == and === give, in both directions."""
    assert values.loosely_equal(a, b) is values.loosely_equal(b, a) is loosely
    assert values.strictly_equal(a, b) is values.strictly_equal(b, a) is strictly


def test_a_list_equals_itself() -> None:
    """Lists are compared by identity, so one attribute equals itself."""
    plans = ["a"]
    assert values.loosely_equal(plans, plans)
    assert values.strictly_equal(plans, plans)


@pytest.mark.parametrize(
    ("a", "b", "less"),
    [
        (1, 2, True),
        ("10", 9, False),
        ("10", "9", True),
        ("a", "b", True),
        (None, 1, True),
        (None, "a", False),
        ("a", 1, False),
        ("", 1, True),
        (False, True, True),
        ([1], 2, True),
        ([1], "a", True),
        ({}, 1, False),
    ],
)
def test_order_is_javascripts(a: Any, b: Any, less: bool) -> None:
    """Two texts are ordered by their characters, everything else as numbers."""
    assert values.comparison(operator.lt)(a, b) is less


def test_three_values_are_ordered_pairwise() -> None:
    """1 < 2 < 3 asks whether the middle value lies between the others."""
    between = values.comparison(operator.lt)
    assert between(1, 2, 3)
    assert not between(1, 4, 3)
    assert not between(2, 1, 3)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("jsonlogic", 4), "logic"),
        (("jsonlogic", -5), "logic"),
        (("jsonlogic", 1, 3), "son"),
        (("jsonlogic", 4, -2), "log"),
        (("abc", -10), "abc"),
        (("abc", 10), ""),
        (("abc", 1, -9), ""),
        (("abcdef", 1.7, 2.9), "bc"),
        (("abc", "1"), "bc"),
        (("abc", None, None), ""),
        ((12345, 1, 2), "23"),
        (("abc", "x"), "abc"),
    ],
)
def test_substring_is_javascripts(arguments: tuple[Any, ...], part: str) -> None:
    """Negative starts count from the end; negative lengths leave so many characters off."""
    assert values.substring(*arguments) == part


@pytest.mark.parametrize(
    ("a", "b", "rest"), [(7, 3, 1), (-5, 3, -2), (5, -3, 2), (7.5, 2, 1.5), ("9", "4", 1)]
)
def test_remainder_has_the_sign_of_the_dividend(a: Any, b: Any, rest: float) -> None:
    """Python's own remainder would have the divisor's sign, and put users into other buckets."""
    assert values.remainder(a, b) == rest


def test_one_nan_makes_the_extreme_nan() -> None:
    """min and max do not depend on where among their arguments the text stands that is no number."""
    assert math.isnan(values.smallest(1, "x", 2))
    assert math.isnan(values.largest("x", 1, 2))
    assert values.largest(1, "3", None) == 3


def test_joined_text_leaves_null_out() -> None:
    """An attribute that is missing adds nothing to the text."""
    assert values.concatenate("a", None, True, 1.0, ["b", None, 2]) == "atrue1b,,2"


def test_whole_numbers_beyond_the_safe_range_lose_their_exactness() -> None:
    """Arithmetic on a giant integer costs no more than on any other; the number becomes a float."""
    assert isinstance(values.to_number(10**30), float)
    assert values.product(10**30, 10**30) == pytest.approx(1e60)
