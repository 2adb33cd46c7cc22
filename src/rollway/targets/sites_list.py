"""The list of sites: in the plan, or in a CSV or YAML file; what is wrong in it is told with its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollway.errors import InputError
from rollway.facts.places import parse_value
from rollway.facts.problems import Place, Problem, ReleaseFileError, SourceText, closest, shown
from rollway.facts.time_zones import known_zones

COLUMNS = ("site", "group", "owner", "timezone")
MOST_SITES = 20_000
LONGEST_NAME = 100
_LONGEST_CELL = 10_000
_HINT = "a list of sites has the columns site, group, owner and timezone; only site is needed"


@dataclass(frozen=True, slots=True)
class Site:
    """A place that has the new version or the old one: a shop with its tills, a branch, a machine."""

    name: str
    group: str = ""
    owner: str = ""
    timezone: str = ""


def read_sites(value: object) -> tuple[Site, ...]:
    """The sites of the option `sites`: a list of mappings, or the name of a file. Raises InputError."""
    if isinstance(value, str):
        return _from_file(Path(value))
    if not isinstance(value, list | tuple) or not value:
        told = "is missing" if value is None else "is neither a file nor a list of sites"
        raise InputError(f"target.sites: {told}", hint="such as sites: tills.csv")
    source = SourceText("target.sites", "")
    rows = [_Row(Place("target.sites"), _plain(row), {}, str(number)) for number, row in enumerate(value)]
    return _checked(source, rows)


def _plain(row: object) -> Any:
    return {"site": row} if isinstance(row, str) else row


@dataclass(frozen=True, slots=True)
class _Row:
    """A site as it was written, with the places of its cells."""

    place: Place
    cells: Any
    places: Mapping[str, Place]
    name: str = ""


def _from_file(path: Path) -> tuple[Site, ...]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"target.sites: {path}: {error.strerror}", hint=_HINT) from error
    except UnicodeDecodeError as error:
        raise InputError(f"target.sites: {path}: this is no UTF-8 text", hint="save it as UTF-8") from error
    source = SourceText(str(path), text)
    is_yaml = path.suffix.lower() in (".yaml", ".yml", ".json")
    return _checked(source, _yaml_rows(source) if is_yaml else _csv_rows(source))


def _yaml_rows(source: SourceText) -> list[_Row]:
    root = parse_value(source)
    listed = root.child("sites") or root
    if not listed.rows:
        raise _refused(source, listed.place, "this is no list of sites")
    return [
        _Row(
            node.place,
            _plain(node.plain()),
            {key: entry.node.place for key, entry in node.entries.items()},
        )
        for node in listed.rows
    ]


def _csv_rows(source: SourceText) -> list[_Row]:
    header = source.line(1)
    separator = max(",;\t", key=header.count)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=separator, strict=True)
    try:
        names = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(source, names)
        return [
            _csv_row(source, reader.line_num, names, cells)
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise _refused(source, Place(source.name, reader.line_num, 1), f"this is not CSV: {error}") from None


def _check_header(source: SourceText, names: list[str]) -> None:
    for name in names:
        # Other columns are welcome, but a slip of the pen in one of ours must not pass as one of those.
        near = closest(name, COLUMNS, likeness=0.75)
        if name not in COLUMNS and near:
            raise _refused(source, _cell_place(source, 1, name), f"'{name}' is no column; is it '{near}'?")
    if "site" not in names:
        raise _refused(source, Place(source.name, 1, 1), "there is no column 'site'")
    for name in COLUMNS:
        if names.count(name) > 1:
            raise _refused(source, Place(source.name, 1, 1), f"there are two columns '{name}'")


def _csv_row(source: SourceText, line: int, names: list[str], cells: list[str]) -> _Row:
    kept = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in COLUMNS}
    places = {name: _cell_place(source, line, cell) for name, cell in kept.items()}
    return _Row(Place(source.name, line, 1), kept, places)


def _cell_place(source: SourceText, line: int, cell: str) -> Place:
    return Place(source.name, line, max(0, source.line(line).lower().find(cell.lower())) + 1)


def _checked(source: SourceText, rows: list[_Row]) -> tuple[Site, ...]:
    if not rows:
        raise _refused(source, Place(source.name), "this list has no sites")
    if len(rows) > MOST_SITES:
        raise _refused(source, Place(source.name), f"these are more than {MOST_SITES:,} sites")
    problems: list[Problem] = []
    sites: dict[str, Site] = {}
    for row in rows:
        found = list(_faults(row, sites))
        for key, message, suggestion in found:
            place = row.places.get(key, row.place)
            where = (row.name, key) if row.name else (key,)
            problems.append(source.problem(place, message, suggestion, where=where))
        if not found:
            cells = {key: str(row.cells.get(key) or "").strip() for key in COLUMNS}
            sites[cells["site"]] = Site(*cells.values())
    if problems:
        raise ReleaseFileError(source.name, problems, hint=_HINT)
    return tuple(sites.values())


def _faults(row: _Row, known: Mapping[str, Site]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a site: the cell, what, and what may be meant."""
    if not isinstance(row.cells, Mapping):
        yield "site", f"{shown(row.cells)} is no site", ""
        return
    for key, value in row.cells.items():
        if key not in COLUMNS:
            near = closest(str(key), COLUMNS)
            yield str(key), "a site has nothing like this", f"did you mean '{near}'?" if near else ""
        elif not isinstance(value, str | int) or isinstance(value, bool):
            yield key, f"{shown(value)} is no text", "put it in quotes"
        elif len(str(value)) > LONGEST_NAME or not str(value).isprintable():
            yield key, f"{shown(value)} is not one line of at most {LONGEST_NAME} characters", ""
    name, zone = str(row.cells.get("site") or "").strip(), row.cells.get("timezone")
    if not name:
        yield "site", "a site without a name", ""
    elif name in known:
        yield "site", f"'{name}' stands in this list twice", ""
    if zone and zone not in known_zones():
        near = closest(str(zone), known_zones())
        yield "timezone", f"there is no time zone '{zone}'", f"did you mean '{near}'?" if near else ""
    if "," in str(row.cells.get("owner") or ""):
        yield "owner", "an owner is one person, without commas", "name who stands in as target.backup"


def _refused(source: SourceText, place: Place, message: str) -> ReleaseFileError:
    return ReleaseFileError(source.name, [source.problem(place, message)], hint=_HINT)
