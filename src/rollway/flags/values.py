"""How JsonLogic reads values: truth, numbers, text, equality and order, as JavaScript has them.

The published engines disagree at the edges: what null equals, what "" counts for, which sign a remainder
has. Where they do, these functions follow JavaScript's own operators. So null, and an attribute that is
missing, equals nothing but null, counts as 0 in arithmetic and order, and is empty text in `cat`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

SAFE_INTEGER = 2**53 - 1
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_INFINITY = {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}


def truthy(value: Any) -> bool:
    """False for false, null, 0, NaN, "" and []; true for everything else, {} among it."""
    if isinstance(value, dict):
        return True
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def to_number(value: Any) -> int | float:
    """The value as a number; NaN where it is none. Whole numbers stay exact up to 2**53 - 1."""
    if isinstance(value, int):
        return int(value) if -SAFE_INTEGER <= value <= SAFE_INTEGER else float(value)
    if isinstance(value, float):
        return value
    if value is None:
        return 0
    if isinstance(value, str):
        return _parse(value.strip())
    if isinstance(value, list):
        return _parse(to_text(value).strip())
    return math.nan


def _parse(text: str) -> int | float:
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and abs(number) <= SAFE_INTEGER else number
    if _RADIX.fullmatch(text):
        return to_number(int(text, 0))
    return _INFINITY.get(text, math.nan)


def to_text(value: Any) -> str:
    """The value as text: null, true and false by their names, a list as its items with commas."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, list):
        return ",".join("" if item is None else to_text(item) for item in value)
    return "[object Object]"


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    digits, _, exponent = repr(value).partition("e")
    return f"{digits}e{int(exponent):+d}"


def loosely_equal(a: Any, b: Any) -> bool:
    """JavaScript's ==, in which "1" equals 1 and true; lists and objects equal only themselves."""
    if type(a) is type(b):
        return a is b if isinstance(a, list | dict) else bool(a == b)
    if a is None or b is None:
        return False
    if isinstance(a, list | dict):
        if isinstance(b, list | dict):
            return False
        a = to_text(a)
    elif isinstance(b, list | dict):
        b = to_text(b)
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    return to_number(a) == to_number(b)


def strictly_equal(a: Any, b: Any) -> bool:
    """JavaScript's ===: the same type and the same value; 1 and 1.0 are one number."""
    if type(a) is type(b):
        return a is b if isinstance(a, list | dict) else bool(a == b)
    return _is_number(a) and _is_number(b) and bool(a == b)


def comparison(compare: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    """JavaScript's <, <=, > or >=: two texts by their characters, all else as numbers.

    With three values it holds where both neighbouring pairs hold.
    """

    def pair(a: Any, b: Any) -> bool:
        if type(a) is int and type(b) is int:
            return compare(a, b)
        a = to_text(a) if isinstance(a, list | dict) else a
        b = to_text(b) if isinstance(b, list | dict) else b
        if isinstance(a, str) and isinstance(b, str):
            return compare(a, b)
        return compare(to_number(a), to_number(b))

    def compared(a: Any, b: Any, *third: Any) -> bool:
        return pair(a, b) and (not third or pair(b, third[0]))

    return compared


def contains(needle: Any, haystack: Any) -> bool:
    """Whether a list has the item (by ===), or a text the part. False for anything else, and for ""."""
    if isinstance(haystack, list):
        return any(strictly_equal(needle, item) for item in haystack)
    return isinstance(haystack, str) and haystack != "" and to_text(needle) in haystack


def concatenate(*values: Any) -> str:
    return "".join("" if value is None else to_text(value) for value in values)


def substring(source: Any, start: Any, *length: Any) -> str:
    """From `start` (from the end where negative), `length` characters (all but so many where negative)."""
    text = to_text(source)
    begin = _whole(start)
    tail = text[begin if begin >= 0 else max(begin + len(text), 0) :]
    return tail[: _whole(length[0])] if length else tail


def _whole(value: Any) -> int:
    number = to_number(value)
    return 0 if math.isnan(number) else int(number)


def total(*values: Any) -> int | float:
    result: int | float = 0
    for value in values:
        result += to_number(value)
    return result


def product(*values: Any) -> int | float:
    result: int | float = 1
    for value in values:
        result *= to_number(value)
    return result


def difference(a: Any, *b: Any) -> int | float:
    return to_number(a) - to_number(b[0]) if b else -to_number(a)


def quotient(a: Any, b: Any) -> float:
    """Raises ZeroDivisionError, for no number that could choose a variant comes of it."""
    return to_number(a) / to_number(b)


def remainder(a: Any, b: Any) -> int | float:
    """With the sign of the dividend. Raises ValueError for a division by zero."""
    x, y = to_number(a), to_number(b)
    if isinstance(x, int) and isinstance(y, int) and x >= 0 and y > 0:
        return x % y
    return math.fmod(x, y)


def smallest(*values: Any) -> int | float:
    return _extreme(min, values)


def largest(*values: Any) -> int | float:
    return _extreme(max, values)


def _extreme(choose: Callable[[list[int | float]], int | float], values: tuple[Any, ...]) -> int | float:
    numbers = [to_number(value) for value in values]
    return math.nan if any(math.isnan(number) for number in numbers) else choose(numbers)


def merge(*values: Any) -> list[Any]:
    merged: list[Any] = []
    for value in values:
        merged.extend(value) if isinstance(value, list) else merged.append(value)
    return merged


def starts_with(text: Any, prefix: Any) -> bool | None:
    """None, so that the default applies, where either is no text."""
    return text.startswith(prefix) if isinstance(text, str) and isinstance(prefix, str) else None


def ends_with(text: Any, suffix: Any) -> bool | None:
    """None, so that the default applies, where either is no text."""
    return text.endswith(suffix) if isinstance(text, str) and isinstance(suffix, str) else None


def variant_name(result: Any) -> str | None:
    """The variant that a rule's result names: text as it is, true, false and numbers by their text."""
    if isinstance(result, str):
        return result
    return to_text(result) if isinstance(result, bool | int | float) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
