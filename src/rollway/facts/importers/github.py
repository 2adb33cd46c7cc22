"""GitHub issues: `gh issue list --json …`, and the JSON of the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from rollway.facts.importers.given import beginning
from rollway.facts.importers.issues import Issue, from_issues
from rollway.facts.importers.json_text import as_list, as_map, load_json, looks_like_json
from rollway.facts.importers.model import Given, Imported, Importer, Options, Skips, UnreadableError

_DROPPED = ("not_planned", "duplicate")


def read(given: Given, options: Options) -> Imported:
    """Issues to the backlog, bugs (by label or type) counted; pull requests are left out."""
    body = load_json(given)
    entries = as_list(body) or as_list(as_map(body).get("items"))
    if not entries and body != []:
        raise UnreadableError(f"{given.name}: this is no list of GitHub issues")
    skips = Skips()
    return from_issues(list(_issues(entries, skips)), skips, "GitHub")


def _issues(entries: list[Any], skips: Skips) -> Iterator[Issue]:
    for number, entry in enumerate(map(as_map, entries), start=1):
        if "number" not in entry or "title" not in entry:
            skips.add("no number or no title", f"entry {number}")
        elif "pull_request" in entry:
            skips.add("pull requests are no stories", f"#{entry['number']}")
        else:
            yield _issue(entry)


def _issue(entry: Mapping[str, Any]) -> Issue:
    labels = tuple(_label(label) for label in as_list(entry.get("labels")))
    assignees = as_list(entry.get("assignees"))
    return Issue(
        id=f"#{entry['number']}",
        title=str(entry["title"] or ""),
        kind=str(as_map(entry.get("type")).get("name") or ""),
        state=_state(entry),
        labels=labels,
        owner=str(as_map(next(iter(assignees), None)).get("login") or ""),
    )


def _label(label: Any) -> str:
    return label if isinstance(label, str) else str(as_map(label).get("name") or "")


def _state(entry: Mapping[str, Any]) -> Literal["open", "done", "dropped"]:
    """The REST API writes `closed` and `not_planned`, the command line `CLOSED` and `NOT_PLANNED`."""
    if str(entry.get("state", "open")).lower() != "closed":
        return "open"
    reason = str(entry.get("state_reason") or entry.get("stateReason") or "").lower()
    return "dropped" if reason in _DROPPED else "done"


def _recognises(given: Given) -> bool:
    head = beginning(given, 20_000)
    return looks_like_json(given) and '"number"' in head and '"title"' in head and '"iid"' not in head


IMPORTER = Importer("github", "GitHub issues", _recognises, read)
