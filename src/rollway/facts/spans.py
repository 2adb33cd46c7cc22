"""Where each value of a YAML text begins and ends, so that one can be changed and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rollway.facts.quick import Leave, quick_events

Kind = str  # scalar, alias, empty, map or list; map and list may be `flow`


@dataclass(slots=True)
class Span:
    """A value with the indices of its first character and of the one after its last.

    `empty` is a key without a value: it begins and ends right after the colon.
    """

    kind: Kind
    start: int
    end: int
    flow: bool = False
    entries: dict[str, tuple[int, Span]] = field(default_factory=dict)  # key -> (its start, its value)
    rows: list[Span] = field(default_factory=list)


def spans_of(text: str) -> Span:
    """The spans of a text that `places.parse_document` has found sound."""
    try:
        return _spans(text, quick_events(text))
    except Leave:
        from ruamel.yaml import YAML

        return _spans(text, YAML(typ="safe", pure=True).parse(text))


def _spans(text: str, events: Iterator[Any]) -> Span:
    for event in events:
        if type(event).__name__ == "DocumentStartEvent":
            return _Reader(text, events).value(next(events))
    return Span("empty", 0, 0)


def comments_of(text: str, spans: Span | None = None) -> list[str]:
    """Every comment of the text, in its order, without the spaces around it. `spans` are the text's own."""
    kept, reached = [], 0
    for start, end in _scalars(spans or spans_of(text)):
        kept.append(text[reached:start])
        reached = end
    gaps = "\x00".join([*kept, text[reached:]])
    return [found.strip() for found in re.findall(r"(?:(?<=\s)|(?<=^))#[^\r\n\x00]*", gaps)]


def _scalars(span: Span) -> Iterator[tuple[int, int]]:
    if span.kind == "scalar":
        yield span.start, span.end
    for _, inner in span.entries.values():
        yield from _scalars(inner)
    for inner in span.rows:
        yield from _scalars(inner)


class _Reader:
    """Builds spans from events; one call of `value` reads one value to its end."""

    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self._text, self._events = text, events

    def value(self, event: Any, after: int = 0) -> Span:
        """The value that begins with `event`; `after` is the end of the key before it."""
        kind, start = type(event).__name__, event.start_mark.index
        if kind == "MappingStartEvent":
            return self._mapping(start, bool(event.flow_style))
        if kind == "SequenceStartEvent":
            return self._sequence(start, bool(event.flow_style))
        if kind == "AliasEvent":
            return Span("alias", start, event.end_mark.index)
        end = start + len(self._text[start : event.end_mark.index].rstrip())
        if end == start:
            colon = self._text.find(":", after)
            return Span("empty", colon + 1, colon + 1)
        return Span("scalar", start, end)

    def _mapping(self, start: int, flow: bool) -> Span:
        span = Span("map", start, start, flow)
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self.value(event)
            inner = self.value(next(self._events), key.end)
            span.entries[str(getattr(event, "value", ""))] = (key.start, inner)
            span.end = inner.end
        return self._closed(span, event)

    def _sequence(self, start: int, flow: bool) -> Span:
        span = Span("list", start, start, flow)
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            span.rows.append(self.value(event, event.start_mark.index))
            span.end = span.rows[-1].end
        return self._closed(span, event)

    def _closed(self, span: Span, event: Any) -> Span:
        if span.flow and self._text[event.end_mark.index - 1 : event.end_mark.index] in ("}", "]"):
            span.end = event.end_mark.index
        return span
