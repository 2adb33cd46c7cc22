"""A runbook as YAML that people read: columns in their order, nothing that is not stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rollway.facts.yaml_text import written
from rollway.planning.runbooks.columns import HEAD, HEAD_NAME, TABLES, Column
from rollway.planning.runbooks.model import REST_SECONDS, Runbook
from rollway.planning.runbooks.values import write_moment, write_offset

_UNSTATED: dict[str, Any] = {"reversible": True, "seats": 1, "decision": 0.0, "rest": REST_SECONDS}
"""What a field holds that nobody wrote; other fields hold None, False or nothing."""


def write_yaml(runbook: Runbook) -> str:
    """The text that `read_yaml` reads as the same runbook; equal runbooks give equal texts."""
    lines = [f"{HEAD_NAME}:", *(f"  {line}" for line in _entries(head_cells(runbook)))]
    for table in TABLES:
        parts = getattr(runbook, table.name)
        if parts:
            lines += ["", f"{table.name}:"]
        for part in parts:
            inner = _entries(row_cells(table.columns, part))
            lines += [f"  {'  ' if place else '- '}{line}" for place, line in enumerate(inner)]
    return "\n".join(line.rstrip() if not line.strip() else line for line in lines) + "\n"


def head_cells(runbook: Runbook) -> list[tuple[str, str | list[str]]]:
    """What the head states, as (name, text or list)."""
    moments = {
        name: write_moment(moment, runbook.timezone)
        if runbook.dated
        else write_offset((moment - runbook.start).total_seconds())
        for name, moment in (("start", runbook.start), ("closes", runbook.closes))
        if moment is not None
    }
    return [(name, moments.get(name, value)) for name, value in row_cells(HEAD, runbook)]


def row_cells(columns: Sequence[Column], part: Any) -> list[tuple[str, str | list[str]]]:
    """What a part states, as (name, text or list), in the order of the columns; then its own columns."""
    cells = []
    for column in columns:
        value = getattr(part, column.name)
        if not is_unstated(column.name, value):
            cells.append((column.name, column.kind.write(value)))
    return [*cells, *part.extra]


def is_unstated(name: str, value: Any) -> bool:
    if name in _UNSTATED:
        return bool(value == _UNSTATED[name])
    return value is None or value is False or value in ("", ())


def _entries(cells: Sequence[tuple[str, str | list[str]]]) -> Iterator[str]:
    for name, value in cells:
        if isinstance(value, list) and any(not _is_short(one) for one in value):
            yield f"{name}:"
            yield from (f"  - {written(one)}" for one in value)
        elif isinstance(value, str) and "\n" in value and _fits_a_block(value):
            yield f"{name}: |-"
            yield from (f"  {line}" if line else "" for line in value.split("\n"))
        else:
            yield f"{name}: {written(value)}"


def _is_short(text: str) -> bool:
    return len(text) <= 40 and written(text) == text and " " not in text


def _fits_a_block(text: str) -> bool:
    """A block shows texts as they are, unless a line is only space or something invisible stands in it."""
    lines = text.split("\n")
    return all(line.isprintable() and (not line or line.strip()) for line in lines) and lines[0][0] != " "
