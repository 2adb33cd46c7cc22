"""Jira exports: CSV with its repeated columns, and the JSON of its search API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from rollway.facts.importers.csv_text import csv_lines
from rollway.facts.importers.given import beginning, clean
from rollway.facts.importers.issues import ACCEPTED, DROPPED, Issue, from_issues
from rollway.facts.importers.json_text import as_list, as_map, load_json, looks_like_json
from rollway.facts.importers.model import Given, Imported, Importer, Options, Skips, UnreadableError

_LABELS = ("Labels", "Component/s", "Components")
_TEXTS = ("Issue Type", "Status", "Status Category", "Resolution", "Priority", "Summary", "Assignee")


def read(given: Given, options: Options) -> Imported:
    """Stories and tasks to the backlog, risks to the register, bugs counted."""
    skips = Skips()
    issues = list(_from_json(given, skips) if looks_like_json(given) else _from_csv(given, options, skips))
    return from_issues(issues, skips, "Jira")


# --- CSV ------------------------------------------------------------------------------------------------


def _from_csv(given: Given, options: Options, skips: Skips) -> Iterator[Issue]:
    lines, _ = csv_lines(given)
    header = tuple(name.strip() for name in lines[0].cells) if lines else ()
    missing = [name for name in ("Issue key", "Summary", "Status") if name not in header]
    if missing:
        raise UnreadableError(
            f"{given.name}:1: the column {missing[0]!r} is missing", hint="export all fields"
        )
    note = options.columns.get("note_for_users", "Release note")
    for line in lines[1:]:
        if not any(line.cells):
            continue
        if len(line.cells) != len(header):
            skips.add(f"not {len(header)} cells like the header", line.place)
            continue
        yield _from_cells(_by_name(header, line.cells), note)


def _by_name(header: tuple[str, ...], cells: tuple[str, ...]) -> dict[str, list[str]]:
    """The cells under each name: Jira repeats `Labels` or `Sprint` once per value."""
    by_name: dict[str, list[str]] = {}
    for name, cell in zip(header, cells, strict=True):
        if cell.strip():
            by_name.setdefault(name, []).append(cell.strip())
    return by_name


def _from_cells(cells: Mapping[str, list[str]], note: str) -> Issue:
    kind, status, category, resolution, priority, summary, assignee = (
        next(iter(cells.get(name, [])), "") for name in _TEXTS
    )
    notes = cells.get(note) or cells.get(f"Custom field ({note})") or [""]
    return Issue(
        id=clean(cells.get("Issue key", ["?"])[0], 60),
        title=summary,
        kind=kind,
        state=_state(status, category, resolution),
        priority=priority,
        labels=tuple(label for name in _LABELS for label in cells.get(name, [])),
        owner=assignee,
        note=notes[0],
    )


# --- JSON -----------------------------------------------------------------------------------------------


def _from_json(given: Given, skips: Skips) -> Iterator[Issue]:
    body = load_json(given)
    issues = as_list(body) or as_list(as_map(body).get("issues"))
    total = as_map(body).get("total")
    if isinstance(total, int) and total > len(issues):
        skips.add("on other pages of the search, which this file does not hold", "", total - len(issues))
    for number, issue in enumerate(map(as_map, issues), start=1):
        fields = as_map(issue.get("fields"))
        if not issue.get("key") or not fields:
            skips.add("no issue of Jira's", f"entry {number}")
            continue
        yield _from_fields(str(issue["key"]), fields)


def _from_fields(key: str, fields: Mapping[str, Any]) -> Issue:
    status = as_map(fields.get("status"))
    category = as_map(status.get("statusCategory"))
    components = [_name(component) for component in as_list(fields.get("components"))]
    return Issue(
        id=clean(key, 60),
        title=str(fields.get("summary") or ""),
        kind=_name(fields.get("issuetype")),
        state=_state(
            str(status.get("name", "")), str(category.get("key", "")), _name(fields.get("resolution"))
        ),
        priority=_name(fields.get("priority")),
        labels=(*map(str, as_list(fields.get("labels"))), *components),
        owner=str(as_map(fields.get("assignee")).get("displayName") or ""),
    )


def _name(value: Any) -> str:
    return str(as_map(value).get("name") or "")


def _state(status: str, category: str, resolution: str) -> Literal["open", "done", "dropped"]:
    if DROPPED.search(resolution) or DROPPED.search(status):
        return "dropped"
    if category:
        return "done" if category.lower() in ("done", "complete") else "open"
    return "done" if ACCEPTED.search(status) else "open"


def _recognises(given: Given) -> bool:
    head = beginning(given, 20_000)
    if looks_like_json(given):
        return '"fields"' in head and ('"issuetype"' in head or '"statusCategory"' in head)
    first = next(iter(head.splitlines()), "")
    return "Issue key" in first and "Summary" in first


IMPORTER = Importer("jira", "Jira export", _recognises, read)
