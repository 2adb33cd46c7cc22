"""A runbook from YAML: in the plain shape that it is written in quickly, in any other shape all the same."""

from __future__ import annotations

from typing import Any

from rollway.facts.places import Node, parse_value
from rollway.facts.problems import Place, SourceText, closest
from rollway.planning.runbooks.columns import HEAD_NAME, TABLES
from rollway.planning.runbooks.model import Runbook
from rollway.planning.runbooks.reading import Raw, Written, make_runbook
from rollway.planning.runbooks.spots import Finding, Spot
from rollway.planning.runbooks.yaml_plain import Shape, plain_shape

_SECTIONS = (HEAD_NAME, *(table.name for table in TABLES))


def read_yaml(text: str, name: str) -> tuple[Runbook, tuple[Finding, ...]]:
    """The runbook of a text and the warnings about it.

    Raises `RunbookError` with each error's place, and `ReleaseFileError` where it is not YAML.
    """
    shape = plain_shape(text, name)
    return make_runbook(raw_of_shape(shape, name) if shape is not None else raw_of_node(text, name))


def raw_of_shape(shape: Shape, name: str) -> Raw:
    tables = {key: rows for key, rows in shape.items() if isinstance(rows, list)}
    head = shape.get(HEAD_NAME)
    return Raw(name, head if isinstance(head, Written) else Written({}, Spot(name)), tables)


def raw_of_node(text: str, name: str) -> Raw:
    """The same from the full YAML parser, which takes everything and takes its time."""
    root = parse_value(SourceText(name, text))
    findings: list[Finding] = []
    head, tables = Written({}, Spot(name)), {}
    if not root.entries:
        findings.append(_misplaced("", root.place, "a runbook holds runbook:, people:, tasks: and undo:"))
    for key, (place, node) in root.entries.items():
        if key not in _SECTIONS:
            near = closest(key, _SECTIONS)
            hint = f"did you mean '{near}'?" if near else f"its sections are {', '.join(_SECTIONS)}"
            findings.append(_misplaced(key, place, "a runbook has no such section", hint))
        elif key == HEAD_NAME:
            if node.entries or node.is_null:
                head = _written(node, findings, key)
            else:
                findings.append(_misplaced(key, node.place, "keys such as title: belong here"))
        elif node.rows or node.is_null or node.value == ():
            tables[key] = [_row(row, findings, f"{key}.{place}") for place, row in enumerate(node.rows)]
        else:
            findings.append(_misplaced(key, node.place, "a list belongs here, each entry with its '- id:'"))
    return Raw(name, head, tables, tuple(findings))


def _row(node: Node, findings: list[Finding], path: str) -> Written:
    if not node.entries:
        findings.append(_misplaced(path, node.place, "keys such as id: belong here"))
    return _written(node, findings, path)


def _written(node: Node, findings: list[Finding], path: str) -> Written:
    cells: dict[str, tuple[Any, Spot]] = {}
    for key, (_, value) in node.entries.items():
        if value.entries or any(row.entries or row.rows for row in value.rows):
            findings.append(
                _misplaced(f"{path}.{key}", value.place, "a text or a list of texts belongs here")
            )
        else:
            cells[key] = _value(value), _spot(value.place)
    return Written(cells, _spot(node.place))


def _value(node: Node) -> str | list[str]:
    """A scalar as it was written, so that 1.10 stays 1.10; nothing is "" and a list its texts."""
    if isinstance(node.value, tuple):
        return [str(_value(row)) for row in node.value]
    if node.is_null:
        return ""
    return node.text if node.text is not None else str(node.value)


def _spot(place: Place) -> Spot:
    return Spot(place.file, place.line, place.column)


def _misplaced(path: str, place: Place, message: str, hint: str = "") -> Finding:
    return Finding("error", path, message, hint, _spot(place))
