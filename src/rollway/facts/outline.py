"""Everything a release file says or could say, one line each: path, value, state and source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from rollway.facts.fact import NOT_STATED, Fact
from rollway.facts.load import Loaded
from rollway.facts.merge import names_of_rows
from rollway.facts.model import Wishes
from rollway.facts.places import Node
from rollway.facts.problems import Where
from rollway.facts.shape import may_be_none, takes_any_key

DEFAULT = "Rollway's default"
_NAME = ("id", "name", "text", "title")


@dataclass(frozen=True, slots=True)
class Line:
    """One value of the release. `value` is plain JSON, None where it is unknown; `note` is who says so,
    or why it is assumed. An entry of a list is one line, and each open question inside it another."""

    path: str
    value: Any
    state: Literal["known", "unknown", "assumed"]
    source: str
    note: str = ""

    def told(self) -> str:
        """The value as a person reads it."""
        return _told(self.value)


def outline(loaded: Loaded) -> tuple[Line, ...]:
    """Every line of a release, in the models' order. What Rollway fills in by itself counts as assumed."""
    return tuple(_section(loaded.release, loaded.root, (), ""))


def _section(section: BaseModel, root: Node, where: Where, prefix: str) -> Iterator[Line]:
    dumped = section.model_dump(mode="json")
    for key in type(section).model_fields:
        value, here, path = getattr(section, key), (*where, key), f"{prefix}{key}"
        if isinstance(value, Fact):
            yield Line(path, dumped[key]["value"], value.state, value.source, value.note)
        elif isinstance(value, BaseModel) and not takes_any_key(type(value)):
            yield from _section(value, root, here, f"{path}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for index, row in enumerate(value):
                yield from _row(row, root, (*here, index), f"{path}.{_called(row, index)}")
        elif root.has(here) and not root.nearest(here).is_null:
            yield Line(path, dumped[key], "known", str(root.nearest(here).place))
        elif value not in (None, "", ()):
            yield Line(path, dumped[key], "assumed", DEFAULT)
        elif not isinstance(section, Wishes):  # what nobody wishes for is no open question
            yield Line(path, None, "unknown", NOT_STATED)


def _row(row: BaseModel, root: Node, where: Where, path: str) -> Iterator[Line]:
    dumped = row.model_dump(mode="json")
    stated = {key: value for key, value in dumped.items() if value not in (None, "", [])}
    yield Line(path, stated, "known", str(root.nearest(where).place))
    for key, field in type(row).model_fields.items():
        if may_be_none(field.annotation) and getattr(row, key) is None and _is_open(key):
            node = root.nearest((*where, key))
            yield Line(f"{path}.{key}", None, "unknown", str(node.place) if node.text else NOT_STATED)


def _is_open(key: str) -> bool:
    """Whether a row's blank is a question; the limits of a KPI and the dates of a licence may be absent."""
    return key in {"accepted", "met", "ready", "users", "representative", "training_done", "informed",
                   "error_budget_left", "expected"}  # fmt: skip


def _called(row: BaseModel, index: int) -> str:
    keys = names_of_rows(type(row))
    told = str(getattr(row, keys[0])) if len(keys) == 1 and keys[0] != "text" else ""
    return told or str(index)


def _told(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value)
    if isinstance(value, dict):
        name = next((key for key in _NAME if key in value and key != "id"), "")
        rest = [f"{key} {_told(one)}" for key, one in value.items() if key not in (name, "id", "name")]
        return "; ".join([*([_told(value[name])] if name else []), *rest])
    return str(value)
