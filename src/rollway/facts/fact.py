"""A fact: a value that knows whether it is known, assumed or unknown, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from rollway.facts.duration import format_duration

T = TypeVar("T")

UNKNOWN_WORD = "unknown"
NOT_STATED = "not stated"


class Fact(BaseModel, Generic[T]):
    """A value with its state and its source. Unlike a plain field, an absent fact is never a "no".

    In a release file a fact is written as
      `traffic: 40`                                 known; the source is the place in the file
      `traffic: {value: 40, source: "Grafana"}`     known, with the source a person names
      `traffic: {assume: 40, because: "like 2.3"}`  assumed, with the assumption named
      `traffic: unknown`, or no line at all         unknown
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["known", "unknown", "assumed"] = "unknown"
    value: T | None = None
    source: str = NOT_STATED
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_written(cls, raw: Any) -> Any:
        if isinstance(raw, Fact):
            return raw.model_dump()
        if raw is None or raw in ({}, UNKNOWN_WORD):
            return {"state": "unknown"}
        if isinstance(raw, Mapping):
            if "state" in raw:
                return dict(raw)
            if "assume" in raw:
                return _known_keys(raw, "assumed", "assume", "because")
            if "value" in raw:
                return _known_keys(raw, "known", "value", "source")
        return {"state": "known", "value": raw}

    @model_validator(mode="after")
    def _has_a_value_where_stated(self) -> Fact[T]:
        if self.is_stated is (self.value is None):
            raise ValueError(f"a fact that is {self.state} {'needs a' if self.is_stated else 'has no'} value")
        return self

    @property
    def is_stated(self) -> bool:
        """Known or assumed: there is a value to reason with."""
        return self.state != "unknown"

    @property
    def is_true(self) -> bool:
        return self.value is True

    @property
    def is_false(self) -> bool:
        return self.value is False

    def or_else(self, default: T) -> T:
        """The value, or `default` where it is unknown."""
        return default if self.value is None else self.value

    def quote(self) -> str:
        """The value and its source as a reader would cite it."""
        told = ", ".join(part for part in (self.note, self.source) if part)
        if not self.is_stated:
            return f"unknown ({told})" if told else "unknown"
        if self.state == "assumed":
            told = f"assumed: {told}" if told else "assumed"
        return f"{_plain(self.value)} ({told})" if told else _plain(self.value)


def _known_keys(raw: Mapping[str, Any], state: str, value_key: str, note_key: str) -> dict[str, Any]:
    rest = {key: value for key, value in raw.items() if key not in (value_key, note_key)}
    return {"state": state, "value": raw[value_key], "note": str(raw.get(note_key, "")), **rest}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return format_duration(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
