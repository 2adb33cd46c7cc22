"""From written cells with their places to a runbook: every misfit is a finding, none is guessed away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from rollway.facts.problems import closest
from rollway.planning.runbooks.check import check
from rollway.planning.runbooks.columns import HEAD, HEAD_NAME, OWN_MARK, TABLES, Column, Table
from rollway.planning.runbooks.model import UNDATED, Runbook
from rollway.planning.runbooks.spots import Finding, RunbookError, Spot, refuse_errors
from rollway.planning.runbooks.values import read_moment, read_offset, read_text

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """One mapping of a file: what stands under each name, and where."""

    cells: Mapping[str, tuple[Any, Spot]]
    spot: Spot

    def spot_of(self, name: str) -> Spot:
        return self.cells[name][1] if name in self.cells else self.spot


@dataclass(frozen=True, slots=True)
class Raw:
    """A runbook as it is written: its head and its tables, with what the form itself has to say."""

    file: str
    head: Written
    tables: Mapping[str, Sequence[Written]]
    findings: tuple[Finding, ...] = ()


@dataclass
class _Found:
    """The findings so far, and the places that the form itself has refused already."""

    findings: list[Finding]
    refused: set[Spot]

    def add(self, path: str, message: str, hint: str = "", spot: Spot | None = None) -> None:
        self.findings.append(Finding("error", path, message, hint, spot))


def make_runbook(raw: Raw) -> tuple[Runbook, tuple[Finding, ...]]:
    """The runbook, and the warnings about it. Raises `RunbookError` with every error of the file."""
    refused = {finding.spot for finding in raw.findings if finding.level == "error" and finding.spot}
    found = _Found(list(raw.findings), refused)
    head = _head(raw.head, found)
    for table in TABLES:
        head[table.name] = tuple(_table(table, raw.tables.get(table.name, ()), found))
    refuse_errors(raw.file, found.findings)
    runbook = Runbook(**head)
    rows = _rows_by_id(raw)
    findings = [_placed(finding, raw, rows) for finding in check(runbook)]
    refuse_errors(raw.file, findings)
    return runbook, (*found.findings, *findings)


def _table(table: Table, rows: Sequence[Written], found: _Found) -> list[Any]:
    if len(rows) > MOST_ROWS:
        raise RunbookError(
            "", [Finding("error", table.name, f"more than {MOST_ROWS:,} rows", spot=rows[0].spot)]
        )
    made, seen = [], dict[str, Spot]()
    for number, row in enumerate(rows):
        fields = _row(table.columns, row, f"{table.name}.{_name(row, number)}", found)
        name = fields.get("id")
        if name in seen:
            path = f"{table.name}.{name}"
            found.add(path, f"this id stands twice, first at {seen[name]}", spot=row.spot_of("id"))
        elif name is not None:
            seen[name] = row.spot_of("id")
        if all(column.name in fields for column in table.columns if column.required):
            made.append(table.makes(**fields))
    return made


def _row(columns: Sequence[Column], row: Written, path: str, found: _Found) -> dict[str, Any]:
    """The fields that could be read. Empty cells are fields that are not stated."""
    known = _by_name(tuple(columns))
    fields: dict[str, Any] = {}
    extra: list[tuple[str, str]] = []
    for name, (value, spot) in row.cells.items():
        column = known.get(name)
        try:
            if column is None:
                extra += _own(name, value, known)
            elif not _is_empty(value):
                fields[name] = column.kind.read(value)
        except ValueError as error:
            found.add(f"{path}.{name}" if column else path, str(error), spot=spot)
    for column in columns:
        spot = row.spot_of(column.name)
        is_missing = column.required and _is_empty(row.cells.get(column.name, ("",))[0])
        if is_missing and spot not in found.refused:
            found.add(path, f"'{column.name}' is missing", column.told, spot)
    return fields | ({"extra": tuple(extra)} if extra else {})


def _own(name: str, value: Any, known: Mapping[str, Column]) -> Iterator[tuple[str, str]]:
    if not name.startswith(OWN_MARK):
        near = closest(name, known)
        hint = f"did you mean '{near}'? " if near else ""
        raise ValueError(
            f"there is no column '{name[:60]}'; {hint}columns of your own begin with '{OWN_MARK}'"
        )
    if not _is_empty(value):
        yield name, read_text(value)


@lru_cache(maxsize=16)
def _by_name(columns: tuple[Column, ...]) -> Mapping[str, Column]:
    return {column.name: column for column in columns}


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _name(row: Written, number: int) -> str:
    given = row.cells.get("id", ("",))[0]
    return given if isinstance(given, str) and given.strip() else str(number)


def _head(row: Written, found: _Found) -> dict[str, Any]:
    fields = _row(HEAD, row, HEAD_NAME, found)
    if str(fields.get("start", "")).upper() == "T":
        return _undated(fields, row, found)
    for name in ("start", "closes"):
        text = fields.get(name)
        if text is not None and "timezone" in fields:
            raw = row.cells[name][0]
            try:
                fields[name] = read_moment(raw if isinstance(raw, datetime) else text, fields["timezone"])
            except ValueError as error:
                found.add(f"{HEAD_NAME}.{name}", str(error), spot=row.spot_of(name))
    return fields


def _undated(fields: dict[str, Any], row: Written, found: _Found) -> dict[str, Any]:
    """The head of a runbook whose T has no date yet: the window closes at an offset from it."""
    fields |= {"start": UNDATED, "dated": False}
    if "closes" in fields:
        try:
            fields["closes"] = UNDATED + timedelta(seconds=read_offset(fields["closes"]))
        except ValueError as error:
            told = f"{error}; T itself has no date here"
            found.add(f"{HEAD_NAME}.closes", told, spot=row.spot_of("closes"))
    return fields


def _placed(finding: Finding, raw: Raw, rows: Mapping[tuple[str, str], Written]) -> Finding:
    """The finding with the place of what it is about: `tasks.<id>.<column>`, or as near as can be."""
    section, _, rest = finding.path.partition(".")
    if section == HEAD_NAME:
        return dataclasses.replace(finding, spot=raw.head.spot_of(rest))
    name, _, column = rest.rpartition(".")  # ids may hold dots, columns never do
    row = rows.get((section, rest))
    if row is not None:
        return dataclasses.replace(finding, spot=row.spot_of("id"))
    row = rows.get((section, name))
    return dataclasses.replace(finding, spot=row.spot_of(column) if row else Spot(raw.file))


def _rows_by_id(raw: Raw) -> dict[tuple[str, str], Written]:
    return {
        (section, read_text(row.cells["id"][0])): row
        for section, rows in raw.tables.items()
        for row in rows
        if "id" in row.cells
    }
