"""The small values that the pieces of the rule compiler share: a place, a compiled part, an error."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from rollway.errors import InputError

Rule = Callable[[Any], Any]
"""A compiled rule: takes the data that `var` looks into, gives a JSON value."""

MAX_DEPTH = 200
_PLAIN_STEP = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


class FlagError(InputError):
    """A flag definition that cannot be used: `flag` names it ("" for the document), `path` the place."""

    code = "flag"

    def __init__(
        self, flag: str, path: str, problem: str, *, hint: str = "", details: tuple[str, ...] = ()
    ) -> None:
        where = f'flag "{flag}", {path}' if flag else path
        super().__init__(f"{where}: {problem}", hint=hint, details=details)
        self.flag = flag
        self.path = path


class Place(NamedTuple):
    """Where in the document the compiler stands: the steps from the top, innermost first.

    `in_item` is True inside the logic of map, filter and their kin, where `var` looks into one item;
    `in_evaluator` inside a rule from $evaluators.
    """

    flag: str
    outer: Place | None = None
    step: str | int = ""
    depth: int = 0
    in_item: bool = False
    in_evaluator: bool = False

    @property
    def path(self) -> str:
        """The place as a JSON path, such as `$.flags.checkout.targeting.if[0]`."""
        return "$" if self.outer is None else self.outer.path + _step(self.step)

    def into(self, step: str | int) -> Place:
        """One level down. Raises FlagError where the document is nested too deeply."""
        if self.depth >= MAX_DEPTH:
            raise self.error(
                f"nested more than {MAX_DEPTH} levels deep",
                hint='write a chain of conditions as one "if": [test, then, test, then, else]',
            )
        return Place(self.flag, self, step, self.depth + 1, self.in_item, self.in_evaluator)

    def item(self) -> Place:
        """The same place, read with one item of a list as its data."""
        return self._replace(in_item=True)

    def error(self, problem: str, *, hint: str = "") -> FlagError:
        return FlagError(self.flag, self.path, problem, hint=hint)


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled piece of a rule. Where `is_literal`, its value is known at load, and is `value`."""

    run: Rule
    is_literal: bool = False
    value: Any = None


def literal(value: Any) -> Part:
    """A part that always gives this value."""
    return Part(lambda _data: value, is_literal=True, value=value)


def suggestion(name: object, known: Iterable[str]) -> str:
    """A hint where the name looks like a misspelt one of the known; else nothing."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else ""


def shown(value: Any) -> str:
    """A value as it stands in the document, shortened, for a message."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_STEP.fullmatch(step) else f'["{step}"]'
