"""Finds the places in a YAML text where given facts belong, and what is to stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rollway.facts.merge import identity, names_of_rows
from rollway.facts.places import Node
from rollway.facts.shape import item_of
from rollway.facts.spans import Span
from rollway.facts.yaml_text import (
    STEP,
    Facts,
    after_key,
    block,
    inner_of,
    is_rows,
    is_section,
    rows,
    written,
)

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Pen:
    """Collects the changes of one text, in any order, and applies them at once.

    Spans say where a value stands in this text, nodes what it says: they are walked side by side.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._changes: list[tuple[int, int, int, str]] = []  # start, number, end, what stands there instead
        first = _LINE_BREAK.search(text)
        self._newline = first[0] if first else "\n"
        self.revived: list[str] = []
        """The comments that came to life: `# objective: ""`."""

    def applied(self) -> str:
        """The changed text. Of changes at one spot, what was asked for first comes first."""
        pieces, reached = list[str](), 0
        for start, _, end, new in sorted(self._changes):
            pieces += [self._text[reached:start], new]
            reached = max(reached, end)
        return "".join([*pieces, self._text[reached:]])

    def mapping(self, annotation: Any, span: Span, node: Node, facts: Facts) -> None:
        """Lay facts over a mapping: known keys in place, new ones at its end."""
        fresh: dict[str, Any] = {}
        for key, value in facts.items():
            child = node.child(key)
            if key in span.entries and child is not None:
                self._entry(inner_of(annotation, key), key, span, child, value)
            elif not self._revive(span, key, value):
                fresh[key] = value
        if fresh and span.flow:
            self._into_brackets(span, [f"{key}: {written(value)}" for key, value in fresh.items()])
        elif fresh:
            column = self._column(span.start) if span.entries else 0
            self._after(span, block(annotation, fresh, column), apart=column == 0)

    def _entry(self, annotation: Any, key: str, around: Span, node: Node, value: Any) -> None:
        key_start, span = around.entries[key]
        if is_section(annotation, value) and span.kind == "map":
            self.mapping(annotation, span, node, value)
        elif is_rows(annotation, value) and span.rows and names_of_rows(item_of(annotation)):
            self._rows(item_of(annotation), span, node, value)
        elif span.kind == "empty" and is_section(annotation, value) and not around.flow:
            indent = self._column(key_start) + STEP
            self._below(key_start, span, block(annotation, value, indent))
        elif span.kind == "empty" and is_rows(annotation, value) and not around.flow:
            self._below(key_start, span, rows(value, self._column(key_start) + STEP))
        else:
            self._replace(span, after_key(value))

    def _rows(self, item: Any, span: Span, node: Node, entries: Iterable[Facts]) -> None:
        keys = names_of_rows(item)
        named = zip(span.rows, node.rows, strict=True)
        index = {identity(row_node, keys): (row_span, row_node) for row_span, row_node in named}
        fresh = []
        for entry in entries:
            name = tuple(str(entry.get(key, "")) for key in keys)
            if name in index:
                rest = {key: value for key, value in entry.items() if key not in keys}
                self.mapping(item, *index[name], rest)
            else:
                fresh.append(entry)
        if fresh and span.flow:
            self._into_brackets(span, [written(entry) for entry in fresh])
        elif fresh:
            self._after(span, rows(fresh, self._column(span.start)))

    def _replace(self, span: Span, new: str) -> None:
        """A value in a value's place; the comment beside it stays in its column where it can."""
        end, new = span.end, f" {new}" if span.kind == "empty" else new
        gap = re.compile(r" +(?=#)").match(self._text, end)
        if gap:
            new = new.ljust(gap.end() - span.start - 2) + "  "
            end = gap.end()
        self._change(span.start, end, new)

    def _revive(self, span: Span, key: str, value: Any) -> bool:
        """Bring a line `# key: …` of a block mapping to life. False: there is none."""
        if span.flow or not span.entries or not _fits_on_a_line(value):
            return False
        column = self._column(span.start)
        line = re.compile(rf"^ {{{column}}}(# {re.escape(key)}:[^#\r\n]*)([^\r\n]*)", re.MULTILINE)
        start, end = self._start_of_block(span.start, column), self._end_of_block(span.end, column)
        found = line.search(self._text, start, end)
        if found is None:
            return False
        self.revived.append((found[1] + found[2]).strip())
        new = f"{key}: {after_key(value)}"
        self._change(*found.span(1), new.ljust(len(found[1]) - 2) + "  " if found[2] else new)
        return True

    def _below(self, key_start: int, span: Span, lines: Iterable[str]) -> None:
        """Lines for a key that has no value yet: below it, and below the comments that belong to it."""
        self._insert(self._end_of_block(span.end, self._column(key_start) + 1), lines)

    def _after(self, span: Span, lines: Iterable[str], *, apart: bool = False) -> None:
        """Lines at the end of a block mapping or list; at the end of the text with a blank line before."""
        at = len(self._text) if apart else self._end_of_block(span.end, self._column(span.start))
        self._insert(at, lines, apart=apart)

    def _insert(self, at: int, lines: Iterable[str], *, apart: bool = False) -> None:
        before = self._text[:at]
        lead = "" if not before or before.endswith(("\n", "\r")) else self._newline
        lead += self._newline if apart and before.strip() else ""
        self._change(at, at, lead + "".join(line + self._newline for line in lines))

    def _into_brackets(self, span: Span, new: list[str]) -> None:
        inner = [value for _, value in span.entries.values()] or span.rows
        at = inner[-1].end if inner else span.start + 1
        self._change(at, at, ("," if inner else "") + (" " if inner else "") + ", ".join(new))

    def _change(self, start: int, end: int, new: str) -> None:
        self._changes.append((start, len(self._changes), end, new))

    def _end_of_block(self, index: int, column: int) -> int:
        """The start of the line after the one at `index` and after the comments below, from `column` on."""
        at = self._next_line(index)
        comment = re.compile(rf" {{{column},}}#")
        while comment.match(self._text, at):
            at = self._next_line(at)
        return at

    def _start_of_block(self, index: int, column: int) -> int:
        """The start of the line at `index`, or of the comments directly above it in the same column."""
        at = self._line_start(index)
        comment = re.compile(rf" {{{column}}}#")
        while at and comment.match(self._text, above := self._line_start(at - 1)):
            at = above
        return at

    def _next_line(self, index: int) -> int:
        found = _LINE_BREAK.search(self._text, index)
        return found.end() if found else len(self._text)

    def _line_start(self, index: int) -> int:
        if self._text[index - 1 : index + 1] == "\r\n":
            index -= 1
        return max(self._text.rfind("\n", 0, index), self._text.rfind("\r", 0, index)) + 1

    def _column(self, index: int) -> int:
        return index - self._line_start(index)


def _fits_on_a_line(value: Any) -> bool:
    """A plain value, a fact in its long form, or a list of words; no section and no entries of a list."""
    if isinstance(value, Mapping):
        return "value" in value or "assume" in value
    return not (isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value))
