"""Reads the plain shape of a runbook's YAML, line by line and some thirty times faster than the parser.

Two levels, one key a line, indented by two: what `yaml_out` writes and what most people write. Whatever is
outside of it (anchors, single quotes, comments behind values, errors) is left to the parser: better slow
than different.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollway.planning.runbooks.columns import HEAD_NAME, TABLES
from rollway.planning.runbooks.reading import Written
from rollway.planning.runbooks.spots import Spot

Shape = Mapping[str, Written | list[Written]]

_SECTIONS = {HEAD_NAME, *(table.name for table in TABLES)}
_SECTION = re.compile(r"([a-z_]+):")
_ENTRY = re.compile(r"( {2}(?:- )?| {4})([A-Za-z_][\w-]*):(?: (\S.*))?")
_ITEM = re.compile(r"( *)- (\S.*)")
_PLAIN = re.compile(r"[A-Za-z0-9_/(](?:[^:#]|:(?=[^\s])|(?<=[^\s])#)*")
_FLOW = re.compile(r"\[([^\[\]{}:#\"'&*!|>%@`?]*)\]")
_FLOW_ITEM = re.compile(r"[A-Za-z0-9_/(].*")
# Characters that other rules of YAML than these look at, or that no runbook may hold.
_ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NULLS = ("null", "Null", "NULL")


class _NotPlain(Exception):  # noqa: N818  # no error: the parser takes over
    """This text is for the full parser."""


def plain_shape(text: str, name: str) -> Shape | None:
    """The sections of a text with the place of each value, or None where the full parser is needed."""
    if _ODD.search(text):
        return None
    try:
        return _Lines(text.split("\n"), name).sections()
    except _NotPlain:
        return None


@dataclass
class _Lines:
    """The lines and how many of them are read."""

    lines: list[str]
    file: str
    at: int = 0

    def sections(self) -> Shape:
        found: dict[str, Written | list[Written]] = {}
        while (line := self._next()) is not None:
            section = _SECTION.fullmatch(line)
            if not section or section[1] in found or section[1] not in _SECTIONS:
                raise _NotPlain
            self.at += 1
            is_list = (self._next() or "").startswith("  - ")
            if is_list == (section[1] == HEAD_NAME):
                raise _NotPlain
            found[section[1]] = self._rows() if is_list else self._mapping("  ", first="  ")
        if not found:
            raise _NotPlain
        return found

    def _next(self) -> str | None:
        """The next line that is neither empty nor a comment."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and not line.lstrip().startswith("#"):
                return line
            self.at += 1
        return None

    def _rows(self) -> list[Written]:
        rows = []
        while (line := self._next()) is not None and line.startswith("  - "):
            rows.append(self._mapping("    ", first="  - "))
        return rows

    def _mapping(self, indent: str, first: str) -> Written:
        cells: dict[str, tuple[Any, Spot]] = {}
        start: Spot | None = None
        wanted = first
        while (line := self._next()) is not None and line.startswith(wanted) and line[len(wanted)] != " ":
            if start is not None and indent == "  " and line.startswith("  - "):
                raise _NotPlain
            entry = _ENTRY.fullmatch(line)
            if not entry or entry[1] != wanted or entry[2] in cells:
                raise _NotPlain
            key_spot = self._spot(len(wanted))
            start = start or key_spot
            self.at += 1
            cells[entry[2]] = self._value(entry[3], key_spot, len(indent), entry.start(3))
            wanted = indent
        if start is None:
            raise _NotPlain
        return Written(cells, start)

    def _value(self, text: str | None, key_spot: Spot, indent: int, column: int) -> tuple[Any, Spot]:
        if text is None:
            return self._items(indent) or ("", key_spot)
        spot = Spot(self.file, self.at, column + 1)
        if text in ("|", "|-"):
            return self._block(indent) + ("\n" if text == "|" else ""), spot
        if flow := _FLOW.fullmatch(text):
            return _flow_items(flow[1]), spot
        return _scalar(text), spot

    def _items(self, indent: int) -> tuple[list[str], Spot] | None:
        """A list below its key, indented by two more."""
        items: list[str] = []
        spot = self._spot(indent + 2, ahead=0)
        while self.at < len(self.lines) and (item := _ITEM.fullmatch(self.lines[self.at])):
            if len(item[1]) <= indent:
                break
            if len(item[1]) != indent + 2:
                raise _NotPlain
            items.append(_scalar(item[2]))
            self.at += 1
        return (items, spot) if items else None

    def _block(self, indent: int) -> str:
        """A literal block; its indentation is that of its first line."""
        kept: list[str] = []
        begun = self.lines[self.at] if self.at < len(self.lines) else ""
        depth = len(begun) - len(begun.lstrip(" "))
        if depth <= indent or not begun.strip():
            raise _NotPlain
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line and not line.strip():
                raise _NotPlain
            if line and not line.startswith(" " * depth):
                break
            kept.append(line[depth:])
            self.at += 1
        return "\n".join(kept).rstrip("\n")

    def _spot(self, before: int, ahead: int = 0) -> Spot:
        return Spot(self.file, self.at + 1 + ahead, before + 1)


def _scalar(text: str) -> str:
    if text in _NULLS:
        return ""
    if text.startswith('"'):
        try:
            value = json.loads(text)
        except ValueError:
            raise _NotPlain from None
        if not isinstance(value, str) or _ODD.search(value.replace("\n", "").replace("\t", "")):
            raise _NotPlain
        return value
    if not _PLAIN.fullmatch(text) or text[-1] in " :":
        raise _NotPlain
    return text


def _flow_items(inside: str) -> list[str]:
    items = [item.strip() for item in inside.split(",")] if inside.strip() else []
    if any(not _FLOW_ITEM.fullmatch(item) or item in _NULLS for item in items):
        raise _NotPlain
    return items
