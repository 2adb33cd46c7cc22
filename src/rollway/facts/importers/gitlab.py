"""GitLab issues: the JSON of its API, and the CSV that it mails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from rollway.facts.importers.csv_text import csv_lines
from rollway.facts.importers.given import beginning, clean
from rollway.facts.importers.issues import DROPPED, Issue, from_issues
from rollway.facts.importers.json_text import as_list, as_map, load_json, looks_like_json
from rollway.facts.importers.model import Given, Imported, Importer, Options, Skips

_CSV = ("Title", "Issue ID", "State", "URL")


def read(given: Given, options: Options) -> Imported:
    """Issues to the backlog, bugs and incidents counted, risks to the register."""
    skips = Skips()
    issues = list(_from_json(given, skips) if looks_like_json(given) else _from_csv(given, skips))
    return from_issues(issues, skips, "GitLab")


def _from_json(given: Given, skips: Skips) -> Iterator[Issue]:
    for number, entry in enumerate(map(as_map, as_list(load_json(given))), start=1):
        if "iid" not in entry or "title" not in entry:
            skips.add("no iid or no title", f"entry {number}")
            continue
        labels = tuple(label if isinstance(label, str) else str(as_map(label).get("name")) for label in
                       as_list(entry.get("labels")))  # fmt: skip
        yield Issue(
            id=_reference(entry),
            title=str(entry["title"] or ""),
            kind=str(entry.get("issue_type") or entry.get("type") or "").lower(),
            state=_state(str(entry.get("state", "")), labels),
            priority=str(entry.get("severity") or ""),
            labels=labels,
            owner=str(as_map(entry.get("assignee")).get("username") or ""),
        )


def _reference(entry: Mapping[str, Any]) -> str:
    """`#12`, as people write it inside one project."""
    return clean(as_map(entry.get("references")).get("short") or f"#{entry['iid']}", 60)


def _from_csv(given: Given, skips: Skips) -> Iterator[Issue]:
    lines, _ = csv_lines(given)
    header = tuple(name.strip() for name in lines[0].cells)
    for line in lines[1:]:
        cells = dict(zip(header, line.cells, strict=False))
        if not cells.get("Issue ID", "").strip():
            skips.add("no issue id", line.place)
            continue
        labels = tuple(label.strip() for label in cells.get("Labels", "").split(",") if label.strip())
        yield Issue(
            id=f"#{clean(cells['Issue ID'], 20).lstrip('#')}",
            title=cells.get("Title", ""),
            kind=cells.get("Type", ""),
            state=_state(cells.get("State", ""), labels),
            labels=labels,
            owner=cells.get("Assignee Username", ""),
        )


def _state(state: str, labels: tuple[str, ...]) -> Literal["open", "done", "dropped"]:
    """GitLab knows no reason for closing; a label such as `wontfix` or `status::duplicate` says it."""
    if any(DROPPED.search(label) for label in labels):
        return "dropped"
    return "done" if state.lower() == "closed" else "open"


def _recognises(given: Given) -> bool:
    head = beginning(given, 20_000)
    if looks_like_json(given, "["):
        return '"iid"' in head and '"title"' in head
    return all(name in next(iter(head.splitlines()), "") for name in _CSV)


IMPORTER = Importer("gitlab", "GitLab issues", _recognises, read)
