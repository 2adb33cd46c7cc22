"""Numbers and states as people read them on a page. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from rollway.judge import VerdictKind
from rollway.rollout import CommandKind, Phase

NOTHING = "–"
DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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

VERDICTS: dict[VerdictKind, Look] = {
    "healthy": Look("healthy", "check", "good"),
    "harmful": Look("harmful", "cross", "bad"),
    "undecided": Look("undecided", "dots", "wait"),
    "blind": Look("blind", "blind", "blind"),
}

BECAME = {
    "passed": Look("passed", "check", "good"),
    "current": Look("now", "play", "run"),
    "undone": Look("undone", "undo", "bad"),
    "ahead": Look("ahead", "ring", "calm"),
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
    "target_failed": Look("target failed", "alert", "bad"),
    "target_back": Look("target back", "check", "good"),
    "mismatch": Look("users not split as planned", "alert", "wait"),
    "held": Look("held", "pause", "bad"),
    "asked": Look("a person is asked", "person", "wait"),
    "refused": Look("refused", "cross", "wait"),
    "pause": Look("hold", "pause", "wait"),
    "resume": Look("go on", "play", "run"),
    "promote": Look("promoted", "skip", "run"),
    "override_window": Look("window overridden", "clock", "wait"),
}

COMMANDS: dict[CommandKind, str] = {
    "pause": "Hold",
    "resume": "Go on",
    "promote": "Promote",
    "override_window": "Start outside the window",
    "rollback": "Roll back",
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
    return {"blue_green": "blue-green", "big_bang": "big bang"}.get(name, name)


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


def percent(part: float | None) -> str:
    """0.25 -> 25%, 0.0042 -> 0.42%, None -> –. Three significant digits at most."""
    if part is None:
        return NOTHING
    value = 100 * part
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    return f"{value:.3g}%" if value >= 0.1 else f"{value:.2g}%"


def rate(part: float | None) -> str:
    """A measured rate, with digits that do not jump: 0.02 -> 2.00%, 0.101 -> 10.1%, 0.00042 -> 0.042%."""
    if part is None:
        return NOTHING
    value = 100 * part
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    if value < 0.1:
        return f"{value:.2g}%"
    return f"{value:.2f}%" if value < 10 else f"{value:.1f}%"


def count(number: int | float | None) -> str:
    return NOTHING if number is None else f"{number:,.0f}"


def amount(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def times(ratio: float | None) -> str:
    """1.052 -> 1.05×, 12.3 -> 12×, None -> –."""
    if ratio is None:
        return NOTHING
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:,.0f}×"


def short_times(ratio: float) -> str:
    """1.0 -> 1×, 0.625 -> 0.62×: for the ends of a scale."""
    return f"{ratio:.2g}×"


def band(low: float | None, high: float | None) -> str:
    """The ratios the data leave open: 0.81–1.37×; open-ended where a side is not bounded yet."""
    if low is None and high is None:
        return "any ratio is still possible"
    if low is None:
        return f"up to {times(high)}"
    if high is None:
        return f"{times(low)} and more"
    return f"{times(low)} to {times(high)}"


def e_value(log_e: float) -> str:
    """exp(log_e) as people read it: 0.04, 7.2, 120, 3.1 × 10⁸, < 0.01."""
    if log_e < math.log(0.005):
        return "< 0.01"
    exponent = log_e / math.log(10)
    if exponent >= 5:
        whole = math.floor(exponent)
        return f"{10 ** (exponent - whole):.1f} × 10{str(whole).translate(DIGITS)}"
    value = math.exp(log_e)
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def duration(seconds: float | None) -> str:
    """40 -> 40 s, 90 -> 1 min 30 s, 5400 -> 1 h 30 min, 273600 -> 3 d 4 h. Two units at most."""
    if seconds is None:
        return NOTHING
    left, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount:
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or f"{seconds:.2g} s"


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


def sentence(text: str) -> str:
    """Words with a capital at the beginning and a full stop at the end."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else f"{text}."


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
