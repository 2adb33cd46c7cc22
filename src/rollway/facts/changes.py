"""`--set architecture.feature_flags=false`: values from the command line laid over the file's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rollway.facts.places import Entry, Node, parse_value
from rollway.facts.problems import (
    Place,
    Problem,
    ReleaseFileError,
    SourceText,
    Where,
    closest,
    did_you_mean,
    shown,
)
from rollway.facts.shape import expected_at, fact_value, homes_of_keys, item_of, section_of, takes_any_key

SET = "--set"


class _Argument(SourceText):
    """A value from the command line: it has a name, and neither lines nor columns."""

    def place(self, index: int) -> Place:
        return Place(self.name)

    def line(self, number: int) -> str:
        return ""


class _Refused(Exception):  # noqa: N818 - travels within this file only
    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.message, self.suggestion = message, suggestion


def apply_changes(root: Node, changes: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """The tree with each `dotted.path -> YAML text` laid over it, in order, and what could not be.

    A part of the path is a key, an index (0-based) or the name or id of a list's entry.
    """
    problems: list[Problem] = []
    for path, text in changes.items():
        try:
            where = _resolved(root, path)
            root = _replaced(root, where, parse_value(_Argument(SET, text)))
        except _Refused as refused:
            problems.append(Problem(SET, 0, 0, path, refused.message, refused.suggestion))
        except ReleaseFileError as error:
            problems += [replace(problem, path=path) for problem in error.problems]
    return root, problems


def _resolved(root: Node, path: str) -> Where:
    where: Where = ()
    for part in path.split("."):
        annotation = expected_at(where)
        if fact_value(annotation) is not None:
            raise _Refused(
                f"{'.'.join(map(str, where))} is one fact and is set as a whole", _whole_fact(where)
            )
        if item_of(annotation) is not None:
            where = (*where, _index(root.nearest(where), part))
            continue
        if expected_at((*where, part)) is None:
            raise _Refused("there is no such key", _meant(annotation, where, part))
        where = (*where, part)
    return where


def _whole_fact(where: Where) -> str:
    return f"write {'.'.join(map(str, where))}='{{assume: …, because: …}}'"


def _index(node: Node, part: str) -> int:
    entries = node.value if isinstance(node.value, tuple) else ()
    if part.isascii() and part.isdigit() and len(part) < 9 and int(part) < len(entries):
        return int(part)
    names = [_name(entry) for entry in entries]
    if part in names:
        return names.index(part)
    listed = ", ".join(shown(name) for name in names if name)
    known = f"its entries are {listed}" if listed and len(listed) < 200 else f"it has {len(entries)} entries"
    raise _Refused(f"this list has no entry {shown(part)}", did_you_mean(part, filter(None, names)) or known)


def _name(entry: Node) -> str:
    for key in ("name", "id"):
        if (node := entry.child(key)) is not None and node.value is not None:
            return node.text or str(node.value)
    return ""


def _meant(annotation: Any, where: Where, part: str) -> str:
    section = section_of(annotation)
    prefix = "".join(f"{known}." for known in where)
    if section is None or takes_any_key(section):
        return ""
    if near := closest(part, section.model_fields):
        return f"did you mean '{prefix}{near}'?"
    homes = homes_of_keys().get(closest(part, homes_of_keys(), likeness=0.85), ())
    return f"did you mean '{homes[0]}'?" if homes else f"known here: {', '.join(section.model_fields)}"


def _replaced(node: Node, where: Where, new: Node) -> Node:
    if not where:
        return new
    part, rest = where[0], where[1:]
    if isinstance(part, int) and isinstance(node.value, tuple):
        items = list(node.value)
        items[part] = _replaced(items[part], rest, new)
        return replace(node, value=tuple(items))
    if isinstance(part, str) and (isinstance(node.value, dict) or node.is_null):
        entries = dict(node.value) if isinstance(node.value, dict) else {}
        old = entries.get(part, Entry(Place(SET), Node(Place(SET), None)))
        entries[part] = Entry(old.key, _replaced(old.node, rest, new))
        return replace(node, value=entries)
    raise _Refused(f"the file has {shown(node.plain())} where {shown(part)} would be set")
