"""Selectors such as `requests_total{outcome="error",region=~"eu|us"}`: which series of a page count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NoReturn, cast

from rollway.errors import InputError
from rollway.signals.spelling import LE, spellings

Operator = Literal["=", "!=", "=~", "!~"]

LONGEST_SELECTOR = 2_000
HINT = 'write it like requests_total{outcome="error",region=~"eu|us"}'

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'')
_ESCAPED = re.compile(r"\\(.)")
_SPACES = re.compile(r"\s*")


@dataclass(frozen=True)
class Matcher:
    """One condition on a label. As in Prometheus, a missing label counts as an empty one, and a pattern
    must match the whole value; a bucket's bound is met in whichever spelling."""

    label: str
    operator: Operator
    value: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        told = labels.get(self.label, "")
        is_met = any(map(self._is_met, spellings(told) if self.label == LE else (told,)))
        return is_met == (self.operator in ("=", "=~"))

    def _is_met(self, told: str) -> bool:
        if self.operator in ("=", "!="):
            return told == self.value
        return self._pattern.fullmatch(told) is not None


@dataclass(frozen=True)
class Selector:
    """A metric's name and the conditions that a series of it must meet, all of them."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of this metric with these labels is meant; the name is not looked at."""
        return all(matcher.matches(labels) for matcher in self.matchers)

    def names_label(self, label: str) -> bool:
        return any(matcher.label == label for matcher in self.matchers)


def parse_selector(text: str, *, where: str) -> Selector:
    """The selector that `text` writes. Raises InputError with `where`, the column and a caret."""
    if len(text) > LONGEST_SELECTOR:
        raise InputError(f"{where}: the selector has more than {LONGEST_SELECTOR} characters", hint=HINT)
    reader = _Reader(text, where)
    metric = reader.take(_METRIC_NAME, "a metric's name")
    matchers = _matchers(reader) if reader.skip("{") else ()
    if not reader.at_end:
        reader.fail("expected the end here" if matchers else "expected '{' or the end here")
    return Selector(metric, matchers)


def _matchers(reader: _Reader) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    while not reader.skip("}"):
        if found and not reader.skip(","):
            reader.fail("expected ',' or '}' here")
        if reader.skip("}"):
            break
        found.append(_matcher(reader))
    return tuple(found)


def _matcher(reader: _Reader) -> Matcher:
    label = reader.take(_LABEL_NAME, "a label's name")
    operator = cast("Operator", reader.take(_OPERATOR, "one of =, !=, =~, !~"))
    column = reader.position
    value = reader.take_quoted()
    if operator in ("=~", "!~"):
        try:
            re.compile(value)
        except re.error as error:
            reader.fail(f"this pattern cannot be used: {error.msg}", at=column)
    return Matcher(label, operator, value)


class _Reader:
    """Walks through a selector and knows the column for whoever has to mend it."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.position = 0
        self._skip_spaces()

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def skip(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.position):
            return False
        self._move_to(self.position + len(sign))
        return True

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            self.fail(f"expected {what} here")
        self._move_to(match.end())
        return match.group()

    def take_quoted(self) -> str:
        start = self.position
        match = _QUOTED.match(self.text, start)
        if match is None:
            opened = self.text[start : start + 1] in ("'", '"')
            self.fail("this quote is never closed" if opened else "expected a value in quotes here")
        self._move_to(match.end())
        inner = match.group(1) if match.group(1) is not None else match.group(2)
        # A backslash that escapes nothing stays, so that patterns such as \d need no doubling.
        return _ESCAPED.sub(_unescape, inner)

    def fail(self, problem: str, *, at: int | None = None) -> NoReturn:
        column = self.position if at is None else at
        shown = self.text.replace("\n", " ")
        raise InputError(
            f"{self.where}, column {column + 1}: {problem}",
            details=(f"    {shown}", f"    {' ' * column}^"),
            hint=HINT,
        )

    def _move_to(self, position: int) -> None:
        self.position = position
        self._skip_spaces()

    def _skip_spaces(self) -> None:
        match = _SPACES.match(self.text, self.position)
        self.position = match.end() if match else self.position


def _unescape(match: re.Match[str]) -> str:
    sign = match.group(1)
    if sign == "n":
        return "\n"
    return sign if sign in "\\\"'" else match.group()
