"""What issue trackers have in common: stories go to the backlog, bugs are counted, risks registered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rollway.facts.importers.given import clean
from rollway.facts.importers.levels import impact_of, probability_of
from rollway.facts.importers.model import Found, Imported, Row, Skips, counted

MAX_ROWS = 10_000
TOUCHES = ("ui", "workflow", "performance", "data", "api", "config")
ACCEPTED = re.compile(
    r"\b(accepted|done|closed|completed?|resolved|released|shipped|abgenommen|erledigt|fertig|geschlossen)\b",
    re.IGNORECASE,
)
DROPPED = re.compile(
    r"\b(won'?t (do|fix)|wontfix|duplicate|cannot reproduce|invalid|rejected|declined|cancell?ed|abandoned"
    r"|not[ _]planned|obsolete|removed|verworfen)\b",
    re.IGNORECASE,
)
# `REP-311` or `#482`; UTF-8 and CVE-2026-1234 look like the former and are not.
_KEY = re.compile(
    r"(?<![\w/-])(?!(?:UTF|SHA|ISO|HTTP|CVE|RFC|AES|CWE|TLS|ES|PEP)-)[A-Z][A-Z0-9_]{1,9}-[0-9]{1,9}\b(?!-)"
)
_NUMBER = re.compile(r"(?<![\w/])#[0-9]{1,9}\b")
_REFERENCE_AT_END = re.compile(r"\s*[(\[]?\s*(?:[A-Z][A-Z0-9_]{1,9}-|#)[0-9]{1,9}\s*[)\]]?\s*$")
_BUG = re.compile(r"\b(bug|defect|incident|fehler|vulnerability)\b", re.IGNORECASE)
_RISK = re.compile(r"\brisk\b", re.IGNORECASE)
_PART = re.compile(r"\b(epic|sub-?task|subtask|test|test execution|milestone)\b", re.IGNORECASE)
_SEVERE = re.compile(
    r"\b(blocker|critical|highest|urgent|showstopper|(sev|severity|priority|prio|p|s)[\s:_/-]*[01])\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of any tracker. `labels` include priority and severity, in the tracker's own words."""

    id: str
    title: str
    kind: str
    state: Literal["open", "done", "dropped"]
    priority: str = ""
    labels: tuple[str, ...] = ()
    owner: str = ""
    note: str = ""


def touched(text: str) -> list[str]:
    """The parts of a product that labels or components name in the release file's own words."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    also = {"ux": "ui", "frontend": "ui", "database": "data", "migration": "data", "configuration": "config"}
    named = words | {also[word] for word in words & set(also)}
    return [part for part in TOUCHES if part in named]


def issue_in(text: str) -> str:
    """The issue that a text refers to: a tracker's key before a bare number; "" where it names none."""
    found = _KEY.search(text) or _NUMBER.search(text)
    return found[0] if found else ""


def without_reference(text: str) -> str:
    """The text without the issue that stands at its end, in brackets or not."""
    return _REFERENCE_AT_END.sub("", text) or text


def from_issues(issues: Iterable[Issue], skips: Skips, tracker: str) -> Imported:
    """The increment's stories, the risks, and how many severe bugs are open."""
    stories, risks, severe = dict[str, Row](), dict[str, Row](), list[str]()
    bugs = 0
    for issue in issues:
        if issue.state == "dropped":
            skips.add("dropped, so not in the increment", issue.id)
        elif _is(_RISK, issue):
            _keep(risks, issue, _risk(issue), skips, closed=issue.state == "done")
        elif _is(_BUG, issue):
            bugs += 1
            if issue.state == "open" and _is_severe(issue):
                severe.append(issue.id)
            skips.add("bugs are counted, not listed", issue.id)
        elif _PART.search(issue.kind):
            skips.add(f"{issue.kind.lower()}s are no stories", issue.id)
        else:
            _keep(stories, issue, _story(issue), skips)
    return _imported(stories, risks, severe, bugs, skips, tracker)


def _keep(rows: dict[str, Row], issue: Issue, row: Row, skips: Skips, *, closed: bool = False) -> None:
    if closed:
        skips.add("closed risks", issue.id)
    elif issue.id in rows:
        skips.add("stands there twice, and the first one counts", issue.id)
    elif len(rows) >= MAX_ROWS:
        skips.add(f"more than {MAX_ROWS:,} entries", issue.id)
    else:
        rows[issue.id] = row


def _imported(
    stories: dict[str, Row], risks: dict[str, Row], severe: list[str], bugs: int, skips: Skips, tracker: str
) -> Imported:
    accepted = sum(row["accepted"] is True for row in stories.values())
    told = f"{counted(len(stories), 'story', 'stories')}, {accepted:,} of them done"
    told += f"; {counted(len(risks), 'risk')}" if risks else ""
    told += f"; {counted(bugs, 'bug')}, {len(severe):,} severe and open" if bugs else ""
    facts: tuple[Found, ...] = ()
    if bugs:
        named = f" ({', '.join(severe[:5])}{', …' if len(severe) > 5 else ''})" if severe else ""
        of_bugs = f"{tracker}: {counted(bugs, 'bug')}, {len(severe)} severe and open{named}"
        facts = (Found("done.tests.open_severe_issues", len(severe), of_bugs, joins="sum"),)
    notes = ["a story counts as accepted where the tracker calls it done or closed"] if stories else []
    rows = {"backlog.items": tuple(stories.values()), "risks.items": tuple(risks.values())}
    return Imported(
        told, facts, {path: found for path, found in rows.items() if found}, skips.result(), tuple(notes)
    )


def _is(pattern: re.Pattern[str], issue: Issue) -> bool:
    return bool(pattern.search(issue.kind) or any(pattern.search(label) for label in issue.labels))


def _is_severe(issue: Issue) -> bool:
    return bool(_SEVERE.search(issue.priority) or any(_SEVERE.search(label) for label in issue.labels))


def _story(issue: Issue) -> Row:
    row: dict[str, object] = {
        "id": issue.id,
        "title": clean(issue.title) or issue.id,
        "accepted": issue.state == "done",
    }
    row |= {"touches": parts} if (parts := touched(" ".join(issue.labels))) else {}
    return row | ({"note_for_users": clean(issue.note)} if issue.note else {})


def _risk(issue: Issue) -> Row:
    levels = {"impact": "", "probability": ""}
    for label in issue.labels:
        name, _, level = label.lower().replace("=", ":").rpartition(":")
        levels["impact"] = levels["impact"] or (
            impact_of(level) if "impact" in name or "severity" in name else ""
        )
        is_chance = "probability" in name or "likelihood" in name
        levels["probability"] = levels["probability"] or (probability_of(level) if is_chance else "")
    levels["impact"] = levels["impact"] or impact_of(issue.priority)
    stated = {key: told for key, told in {**levels, "owner": clean(issue.owner, 80)}.items() if told}
    return {"id": issue.id, "title": clean(issue.title) or issue.id, **stated}
