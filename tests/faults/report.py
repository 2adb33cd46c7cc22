"""The page with the fault matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.faults.rows import USERS, Found, Kind
from tests.faults.stand import BLIND, TICK
from tests.faults.street import RATE

DOCUMENT = Path(__file__).parents[2] / "docs" / "fault-matrix.md"
TITLES: dict[Kind, str] = {
    "signal": "Where the numbers come from",
    "clock": "Clocks",
    "service": "The versions and their users",
    "target": "What is told to expose",
    "engine": "Rollway itself",
}


def line(found: Found) -> str:
    """One row for a terminal."""
    right = "right" if not found.wrong else f"WRONG: {'; '.join(found.wrong)}"
    met = f"{found.exposed} users, {found.requests} of {found.all_requests} requests"
    return f"{found.row.name:22} word {_seconds(found.word):>6}  {_settled(found):>12}  {met}  {right}"


def document(founds: Sequence[Found], load: str) -> str:
    """The whole page as Markdown."""
    wrong = [found for found in founds if found.wrong]
    parts = [_head(founds, wrong, load)]
    for kind, title in TITLES.items():
        rows = [found for found in founds if found.row.kind == kind]
        if rows:
            parts.append(f"## {title}\n\n{_table(rows)}")
    parts.append(_words(founds))
    parts.append(_tail())
    return "\n\n".join(parts) + "\n"


def _head(founds: Sequence[Found], wrong: Sequence[Found], load: str) -> str:
    verdict = (
        "All rows are right."
        if not wrong
        else f"{len(founds) - len(wrong)} rows are right, {len(wrong)} wrong:\n\n"
        + "\n".join(f"- `{found.row.name}`: {'; '.join(found.wrong)}" for found in wrong)
    )
    return f"""# What Rollway does when something fails

{len(founds)} faults, each played once on loopback: a real `rollway serve`, a real HAProxy in front of two
running versions, {RATE:g} requests a second of {USERS} users who come at random, and metrics read over HTTP.
Each row is a canary that serves 20 % when the fault begins; its KPI is the share of failed quotes, 2 % of the
old version's. Where the target is a webhook, a service behind it sets HAProxy's weights, so that what users
meet is real there too. Where it is Envoy, nginx or a flag, users meet these instead of HAProxy.

Time is compressed: a tick each {TICK:g} s, blind after 1.5 s, and the policy acts {BLIND:g} s later. With a
plan's usual figures (10 s, 30 s, 120 s) the times grow with them.

{load}

- **first word**: seconds from the fault to the first entry about it that can be read in the record.
- **safe**: seconds from the fault to the last answer that a user had of the new version (back), or to the
  moment from which nobody more is exposed until a person says so (held), or at which a share that somebody
  raised was told anew (set back). Else it went on at its share.
- **exposed**: users, of {USERS}, whom the new version answered after the fault began, and their part of all
  requests while the row was watched. The faults of most rows harm nobody by themselves.

{verdict}"""


def _table(rows: Sequence[Found]) -> str:
    lines = ["| fault | what should happen | first word | safe | exposed | |", "|---|---|---|---|---|---|"]
    for found in rows:
        share = found.requests / max(1, found.all_requests)
        exposed = f"{found.exposed} users, {share:.0%} of the requests in {found.watched:.0f} s"
        if found.unserved:
            exposed += f"; {found.unserved} reached nobody"
        right = "right" if not found.wrong else "**wrong**"
        cells = [
            f"{found.row.fault} (`{found.row.name}`)",
            found.row.should,
            _seconds(found.word),
            _settled(found),
            exposed,
            right,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _settled(found: Found) -> str:
    if found.back is not None:
        return f"back {found.back:.1f} s"
    if found.held is None:
        return "goes on"
    return f"{'held' if found.did.endswith('paused') else 'set back'} {found.held:.1f} s"


def _words(founds: Sequence[Found]) -> str:
    told = [f"- `{found.row.name}`: {_short(found.did)}" for found in founds]
    return "\n".join(
        ["## What the record says", "", "From the fault on; the last word is the phase.", "", *told]
    )


def _short(did: str, at_most: int = 700) -> str:
    text = re.sub(r"/\S+/(?=\w+\.sock)", "", " ".join(did.split()))
    return text if len(text) <= at_most else f"{text[: at_most // 2]} … {text[-at_most // 2 :]}"


def _tail() -> str:
    return """## What these rows cost

- **What cannot be written down is not done** ([decision 3](decisions/0003-decide-commit-act.md)), but for the
  way back ([decision 8](decisions/0008-the-way-back-needs-no-pen.md)): a bad version keeps its share for ten
  seconds longer than otherwise. Where the target is a flag, which stands in the same database, it keeps it
  until something can be written. Alert on the disk of the data folder; keep other programs out of it.
- **A gap is told from half a minute on** (or three ticks). An engine that was away, stopped, locked out or
  without room goes on where it was: the gap is one long interval among the readings. What is beyond half a
  minute does not count for bake times and patience. It does count for blindness.
- **Time is counted by a steady clock**, as long as the engine lives. After a restart a clock that jumped
  cannot be told from an engine that was away: both count as half a minute at most.
- **A flag is read back where it is served.** What an application remembers of it is seen by nobody: users
  follow when it asks again. Let it ask for each request, or listen for changes.
- **nginx loads nothing while any of its files is wrong**, whoever wrote it: no way back either. The record
  has nginx's own words, with file and line.
- **A target that answers too late, each time**, is never asked what it serves: the stage waits, and so does
  the end of a way back. Give it a longer `timeout`.
- **A target that lies well** is seen only where the versions are measured, after the time for blindness.

## Again

    python -m tests.faults.fault_matrix --document          all rows, half an hour
    python -m tests.faults.fault_matrix --only signal-nan   one row; `--list` names them

The full-disk rows mount a small file system and need root; without it they are left out, and said so.
Six quick rows are a test: `pytest -m slow tests/faults/test_faults.py`. What a crash of the engine does is
another page: [the crash matrix](crash-matrix.md).

## What it does not cover

- One engine. Several workers on PostgreSQL have a test of their own; a fail-over of their server to another
  is not in here.
- One rollout at a time, one KPI, a canary. Groups, sites, people and lists of services have their own tests.
- Envoy, nginx and flags have a few rows each; HAProxy and the webhook have the others.
- Each row was played once: a time is one draw, not a distribution.
- The engine's clock is set where it asks for the time; the clock of its host stays right.
- Loopback: lost packets, slow name servers and half-open connections are met as answers that do not come."""
