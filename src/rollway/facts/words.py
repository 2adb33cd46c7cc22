"""Values and the models' complaints in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from rollway.facts.duration import parse_duration
from rollway.facts.model import CLOCK_PATTERN, SLUG_PATTERN
from rollway.facts.problems import did_you_mean, shown
from rollway.facts.shape import bare, words_of

_YES_AND_NO = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SHRUGS = {
    "?",
    "??",
    "-",
    "tbd",
    "tba",
    "todo",
    "n/a",
    "na",
    "none",
    "not known",
    "dunno",
    "unkown",
    "unknwon",
}
_LARGEST_WHOLE = 2**63 - 1


class Misfit(Exception):  # noqa: N818 - not an error of the program: a finding that travels upwards
    """A value (or, `at_key`, a key) that cannot be meant: what is wrong, and what may be meant instead."""

    def __init__(self, message: str, suggestion: str = "", *, at_key: bool = False) -> None:
        super().__init__(message)
        self.message, self.suggestion, self.at_key = message, suggestion, at_key


def as_leaf(annotation: Any, value: Any, written: str | None, *, is_fact: bool = False) -> Any:
    """A single value as the models read it, or a `Misfit`.

    `written` is a plain scalar as it stands in the file: `version: 2.10` keeps its zero.
    """
    kind = bare(annotation)
    told = kind_of(value, written)
    if value is None:
        raise Misfit("this value is empty", "write unknown, or leave the line out" if is_fact else "")
    if isinstance(value, dict | tuple):
        raise Misfit(f"{told} stands where {_expected(annotation)} belongs")
    try:
        return (
            _READERS[kind](value, written) if kind in _READERS else _word(words_of(annotation), value, told)
        )
    except Misfit as misfit:
        if is_fact and isinstance(value, str) and value.lower().strip() in _SHRUGS:
            raise Misfit(misfit.message, "write unknown for what is not known yet") from None
        raise


def kind_of(value: Any, written: str | None = None) -> str:
    """A value as the subject of a sentence: `'rat'`, `2.10`, `a list`."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple | list):
        return "a list"
    if value is None:
        return "nothing"
    return shown(value) if isinstance(value, str) or written is None else written[:40]


def _text(value: Any, written: str | None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        raise Misfit(f"{kind_of(value, written)} is a yes or no, not text", f'put it in quotes: "{written}"')
    return written if written is not None else str(value)


def _yes_or_no(value: Any, written: str | None) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _YES_AND_NO:
        return _YES_AND_NO[value.strip().lower()]
    near = did_you_mean(value, ("true", "false", "unknown")) if isinstance(value, str) else ""
    raise Misfit(f"{kind_of(value, written)} is neither true nor false", near)


def _whole_number(value: Any, written: str | None) -> int:
    number = _number(value, written, "a whole number")
    if not number.is_integer():
        raise Misfit(f"{kind_of(value, written)} is not a whole number")
    if abs(number) > _LARGEST_WHOLE:
        raise Misfit(f"{kind_of(value, written)} is too large a number")
    return int(value)


def _number(value: Any, written: str | None, expected: str = "a number") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(f"{kind_of(value, written)} is not {expected}", _number_meant(value))
    return float(value)


def _number_meant(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return f"write {text} without the quotes"
    if percent := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", text):
        return f"{text} is written {float(percent[1]) / 100:g}"
    if re.fullmatch(r"\d{1,3}([,' _]\d{3})+", text):
        return f"write {re.sub(r'[^0-9]', '', text)}"
    if re.fullmatch(r"\d{1,9},\d{1,9}", text):
        return f"write {text.replace(',', '.')}"
    return ""


def _date(value: Any, written: str | None) -> date:
    text = value if isinstance(value, str) else written or ""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        raise Misfit(f"{kind_of(value, written)} is not a day of the calendar") from None
    raise Misfit(f"{kind_of(value, written)} is not a date", "write year-month-day, such as 2026-11-05")


def _duration(value: Any, written: str | None) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise Misfit(f"{kind_of(value, written)} is not a duration", str(error)) from None


def _word(words: tuple[str, ...], value: Any, told: str) -> Any:
    if value in words:
        return value
    near = did_you_mean(value, words) if isinstance(value, str) else ""
    raise Misfit(f"{told} is not one of {', '.join(words)}", near)


_READERS: Mapping[Any, Any] = {
    str: _text,
    bool: _yes_or_no,
    int: _whole_number,
    float: _number,
    date: _date,
    timedelta: _duration,
}
_EXPECTED = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    date: "a date",
    timedelta: "a duration such as 2h",
}


def _expected(annotation: Any) -> str:
    return _EXPECTED.get(bare(annotation)) or f"one of {', '.join(words_of(annotation))}"


def complaint(kind: str, context: Mapping[str, Any], value: Any, fallback: str) -> Misfit:
    """A complaint of the models (pydantic's error type and context) in plain words."""
    told = shown(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, int | float) else ""
    bound = next((f"{limit:g}" for limit in context.values() if isinstance(limit, int | float)), "")
    if kind == "string_pattern_mismatch":
        return _pattern_missed(context.get("pattern", ""), str(value))
    if kind == "less_than_equal" and bound == "1" and 1 < value <= 100:
        return Misfit(
            f"{told} is more than 1", f"a share is written 0 to 1; for {value:g}% write {value / 100:g}"
        )
    sentences = {
        "greater_than_equal": f"{told} is too small: the least is {bound}",
        "greater_than": f"{told} is too small: it must be more than {bound}",
        "less_than_equal": f"{told} is too large: the most is {bound}",
        "less_than": f"{told} is too large: it must be less than {bound}",
        "string_too_short": "is empty",
        "too_short": "this list is empty",
        "string_too_long": f"{told} has {len(str(value))} characters: the most is {bound}",
    }
    return Misfit(sentences.get(kind) or fallback.removeprefix("Value error, "))


def _pattern_missed(pattern: str, value: str) -> Misfit:
    if pattern == CLOCK_PATTERN:
        hour_first = re.fullmatch(r"(\d{1,2})[:.h]([0-5]\d)(?::\d\d)?", value.strip())
        meant = f"{int(hour_first[1]):02d}:{hour_first[2]}" if hour_first else ""
        fits = re.match(CLOCK_PATTERN, meant) is not None
        suggestion = f"did you mean '{meant}'?" if fits else "write hours and minutes, such as 22:00"
        return Misfit(f"{shown(value)} is not a time of day", suggestion)
    if pattern == SLUG_PATTERN:
        meant = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:60]
        message = f"{shown(value)} may hold only a-z, 0-9 and single hyphens between them"
        return Misfit(message, f"did you mean '{meant}'?" if meant else "")
    return Misfit(f"{shown(value)} does not look as it should")
