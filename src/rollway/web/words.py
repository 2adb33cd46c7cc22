"""Numbers and states as people read them on a page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from rollway.app.words import (
    NOTHING,
    amount,
    band,
    count,
    duration,
    e_value,
    percent,
    rate,
    sentence,
    times,
)
from rollway.judge import GuardStanding
from rollway.planning.stages import NAMED
from rollway.rollout import Phase

__all__ = [
    "NOTHING",
    "amount",
    "band",
    "count",
    "duration",
    "e_value",
    "percent",
    "rate",
    "sentence",
    "times",
]


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: its word, its icon (parts/icons.html), its tone (a colour)."""

    word: str
    icon: str
    tone: str


PHASES: dict[Phase, Look] = {
    "waiting": Look("waiting", "clock", "wait"),
    "running": Look("running", "play", "run"),
    "paused": Look("on hold", "pause", "wait"),
    "rolling_back": Look("rolling back", "undo", "bad"),
    "rolled_back": Look("rolled back", "undo", "bad"),
    "done": Look("done", "check", "good"),
}

VERDICTS: dict[GuardStanding, Look] = {
    "healthy": Look("healthy", "check", "good"),
    "harmful": Look("harmful", "cross", "bad"),
    "undecided": Look("undecided", "dots", "wait"),
    "blind": Look("blind", "blind", "blind"),
    "uncounted": Look("not counted", "ring", "calm"),
}

BECAME = {
    "passed": Look("passed", "check", "good"),
    "current": Look("now", "play", "run"),
    "undone": Look("undone", "undo", "bad"),
    "ahead": Look("ahead", "ring", "calm"),
}

NEEDS = {
    "gate": "gate",
    "task": "task",
    "decision": "decision",
    "undo": "undo step",
    "window": "change window",
    "time": "time",
    "target": "target",
    "version": "new version",
    "evidence": "evidence",
    "person": "somebody’s word",
}

WORK = {
    "open": Look("open", "ring", "wait"),
    "met": Look("met", "check", "good"),
    "met by the facts": Look("met by the facts", "check", "good"),
    "waived": Look("waived", "skip", "wait"),
    "not met": Look("not met", "cross", "bad"),
    "ahead": Look("ahead", "ring", "calm"),
    "ready": Look("ready", "person", "wait"),
    "running": Look("under way", "play", "run"),
    "done": Look("done", "check", "good"),
    "failed": Look("failed", "cross", "bad"),
    "skipped": Look("skipped", "skip", "wait"),
    "unsure": Look("may have run", "alert", "bad"),
}

ENTRIES = {
    "started": Look("started", "play", "run"),
    "stage_entered": Look("stage entered", "arrow", "run"),
    "exposure_verified": Look("exposure read back", "eye", "calm"),
    "stage_passed": Look("stage passed", "check", "good"),
    "verdict": Look("verdict", "scale", "calm"),
    "rollback": Look("roll back", "undo", "bad"),
    "rolled_back": Look("rolled back", "undo", "bad"),
    "done": Look("done", "check", "good"),
    "drift": Look("drift", "alert", "wait"),
    "clock_jumped": Look("the clock jumped", "clock", "wait"),
    "not_watched": Look("nobody looked", "eye", "wait"),
    "told_unwritten": Look("taken back unwritten", "undo", "bad"),
    "preflight": Look("looked at beforehand", "eye", "calm"),
    "preflight_skipped": Look("no preflight", "alert", "wait"),
    "target_failed": Look("target failed", "alert", "bad"),
    "target_back": Look("target back", "check", "good"),
    "version_dead": Look("new version not ready", "alert", "bad"),
    "version_back": Look("new version ready again", "check", "good"),
    "mismatch": Look("users not split as planned", "alert", "wait"),
    "held": Look("held", "pause", "bad"),
    "asked": Look("a person is asked", "person", "wait"),
    "refused": Look("refused", "cross", "wait"),
    "pause": Look("hold", "pause", "wait"),
    "resume": Look("go on", "play", "run"),
    "promote": Look("promoted", "skip", "run"),
    "override_window": Look("window overridden", "clock", "wait"),
    "roll_forward": Look("roll forward", "arrow", "run"),
    "retried": Look("started once more", "play", "run"),
    "turn": Look("a stage’s turn", "arrow", "run"),
    "closing": Look("last tasks", "clock", "wait"),
    "gates_open": Look("gates to be met", "ring", "wait"),
    "decision": Look("decision", "person", "wait"),
    "exposure_kept": Look("the exposure stays", "pause", "wait"),
    "no_return": Look("no way back from here", "alert", "wait"),
    "target": Look("the target says", "eye", "calm"),
    "target_refuses": Look("target refuses", "cross", "bad"),
    "signal": Look("a signal says", "eye", "wait"),
    "told": Look("no answer yet", "clock", "wait"),
    "task_ready": Look("task ready", "person", "wait"),
    "task_began": Look("task begun", "play", "run"),
    "task_ran": Look("task’s command ended", "check", "calm"),
    "task_done": Look("task done", "check", "good"),
    "task_failed": Look("task failed", "cross", "bad"),
    "task_cut_off": Look("task cut off", "alert", "bad"),
    "traffic_back": Look("traffic is back", "undo", "good"),
    "rollback_waits": Look("going back waits", "clock", "bad"),
    "undo_ready": Look("undo step ready", "person", "wait"),
    "begin": Look("begun", "play", "run"),
    "confirm": Look("confirmed", "check", "good"),
    "fail": Look("failed", "cross", "bad"),
    "skip": Look("skipped", "skip", "wait"),
    "go": Look("go", "check", "good"),
    "no_go": Look("no go", "cross", "bad"),
    "waive": Look("waived", "skip", "wait"),
    "repeat": Look("once more", "undo", "wait"),
}

ADVANCE = {
    "ready": "leaves when the old version’s numbers are there",
    "evidence": "leaves when every gate is shown safe",
    "time": "leaves when its time is over",
    "person": "leaves when a person says go",
}

UNMEASURED = "leaves when both versions report and nothing speaks against the new one"

SAYS = {
    "gate": "gate: must be shown safe, and can take the release back",
    "brake": "brake: can take the release back",
    "watch": "watched: for people to look at",
}


def method(name: str) -> str:
    """blue_green -> blue-green."""
    return name.replace("_", "-")


def methods(names: Iterable[str]) -> str:
    """pilot, then phased."""
    return ", then ".join(map(method, names))


def audience(text: str) -> str:
    """Groups are named without the words that go before them in a plan."""
    return text.removeprefix(NAMED)


def goes_on(stage: Mapping[str, Any]) -> str:
    """The rule by which a stage (with its `advance` and `margins`) is left."""
    is_unmeasured = stage["advance"] == "evidence" and not stage["margins"]
    return UNMEASURED if is_unmeasured else ADVANCE[stage["advance"]]


def entry_look(kind: str, data: dict[str, object]) -> Look:
    """How an entry of the record is shown. A verdict wears the look of what it says."""
    if kind == "verdict" and data.get("kind") in VERDICTS:
        said = VERDICTS[data["kind"]]  # type: ignore[index]  # checked one line above
        return Look("verdict", said.icon, said.tone)
    return ENTRIES.get(kind, Look(kind.replace("_", " "), "dot", "calm"))


def short_times(ratio: float) -> str:
    """1.0 -> 1×, 0.625 -> 0.62×: for the ends of a scale."""
    return f"{ratio:.2g}×"


def clock(iso: str | None) -> str:
    """An ISO time as a readable UTC time; the page's script turns it into the reader's own."""
    if not iso:
        return NOTHING
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def days(names: list[str]) -> str:
    """Every day of the week is daily."""
    return "daily" if len(names) == 7 else ", ".join(names)


def moment(seconds: float) -> str:
    """Unix seconds as a readable UTC time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def standing(phase: Phase, text: str) -> str:
    """Why a rollout is where it is, as a sentence of its own."""
    if not text:
        return {"done": "The new version reached everyone.", "running": "Going on."}.get(phase, "")
    return sentence(text)


def with_code(text: str) -> Markup:
    """Text as HTML in which `what stands in backticks` is code; everything is escaped."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )
