"""Keep a Changelog: what users are told about each change of one version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rollway.facts.importers.given import beginning, clean, slug, text_of
from rollway.facts.importers.issues import issue_in, touched, without_reference
from rollway.facts.importers.model import (
    Given,
    Imported,
    Importer,
    Options,
    Row,
    Skips,
    UnreadableError,
    counted,
)

_VERSION = re.compile(r"^##\s+\[?v?(?P<version>[^\]\s]+)\]?(?:\([^)]*\))?(?P<rest>.*)$")
_SECTION = re.compile(r"^###\s+(?P<name>.+?)\s*#*$")
_BULLET = re.compile(r"^(?P<indent>\s*)[-*+]\s+(?P<text>.+)$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")
_FOR_USERS = ("added", "changed", "deprecated", "removed", "fixed", "security")


@dataclass(slots=True)
class _Change:
    section: str
    text: str
    line: int


def read(given: Given, options: Options) -> Imported:
    """The changes of a version (the options', else the first that has any), as stories with their notes."""
    text, _ = text_of(given)
    versions = list(_versions(text))
    if not versions:
        message = f"{given.name}: this changelog has no version"
        raise UnreadableError(message, hint="a version begins with a line such as '## [2.4.0] - 2026-11-05'")
    version, changes = _chosen(versions, options, given)
    skips, rows = Skips(), dict[str, Row]()
    for change in changes:
        if change.section.lower() not in _FOR_USERS:
            skips.add(f"under {change.section!r}, which users are not told" if change.section else
                      "under no section such as Added or Fixed", f"line {change.line}")  # fmt: skip
            continue
        row = _row(change)
        if row["id"] in rows:
            skips.add("another line about the same issue", f"line {change.line}")
            continue
        rows[str(row["id"])] = row
    others = [name for name, _ in versions if name != version]
    notes = (f"{counted(len(others), 'other version')} left out: {', '.join(others[:5])}",) if others else ()
    told = f"version {version}: {counted(len(rows), 'change')}"
    stories = {"backlog.items": tuple(rows.values())} if rows else {}
    return Imported(told, (), stories, skips.result(), notes, fills_in=True)


def _versions(text: str) -> Iterator[tuple[str, list[_Change]]]:
    version, section = "", ""
    changes: list[_Change] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _VERSION.match(line):
            if version:
                yield version, changes
            version, section, changes = clean(found["version"], 60), "", []
        elif found := _SECTION.match(line):
            section = clean(found["name"], 60)
        elif (found := _BULLET.match(line)) and version and (not found["indent"] or not changes):
            changes.append(_Change(section, found["text"], number))
        elif line.strip() and changes and line[:1].isspace():
            changes[-1].text += f" {line.strip()}"
    if version:
        yield version, changes


def _chosen(
    versions: list[tuple[str, list[_Change]]], options: Options, given: Given
) -> tuple[str, list[_Change]]:
    if not options.version:
        return next(((name, changes) for name, changes in versions if changes), versions[0])
    wanted = options.version.lower().removeprefix("v")
    for name, changes in versions:
        if name.lower() == wanted:
            return name, changes
    listed = ", ".join(name for name, _ in versions[:8])
    message = f"{given.name}: there is no version {options.version}"
    raise UnreadableError(message, hint=f"its versions are {listed}")


def _row(change: _Change) -> Row:
    text = clean(re.sub(r"[*_`]{1,2}(?=\S)|(?<=\S)[*_`]{1,2}", "", _LINK.sub(r"\1", change.text)))
    plain = without_reference(text)
    row: dict[str, object] = {
        "id": issue_in(change.text) or slug(plain),
        "title": plain,
        "note_for_users": plain,
    }
    return row | ({"touches": parts} if (parts := touched(_scope(plain))) else {})


def _scope(text: str) -> str:
    """`api` of `api: orders can be cancelled`."""
    scope, colon, _ = text.partition(":")
    return scope if colon and len(scope) < 20 else ""


def _recognises(given: Given) -> bool:
    head = beginning(given, 8_000)
    versions = re.search(r"^##\s+\[?(unreleased|v?[0-9]+\.[0-9]+)", head, re.IGNORECASE | re.MULTILINE)
    return versions is not None


IMPORTER = Importer("changelog", "Keep a Changelog", _recognises, read)
