"""What explanations are made of: sections of lines with their numbers; moments and KPIs in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rollway.app import words
from rollway.judge.words import amount as rough
from rollway.planning import Guard, Plan
from rollway.planning.windows import zone_named

Json = dict[str, Any]

BLIND = {
    "source_down": "the source of its numbers does not answer",
    "implausible": "its numbers cannot be right",
    "no_past": "there are too few past weeks to compare with",
    "no_traffic": "neither version was used",
    "candidate_silent": "the new version reports nothing",
    "baseline_silent": "the old version reports nothing",
    "stale": "its numbers are too old",
    "waiting": "its numbers are not complete yet",
}
STANDINGS = {"uncounted": "not counted"}
"""What a guard's state is called, where it is not called by its name."""
LOOK_AT = {
    "source_down": "Is the source up, and may this machine reach it? `rollway preflight PLAN` tries each.",
    "implausible": "Look at the raw numbers: a counter that jumps, or more bad requests than requests?",
    "no_past": "Past weeks cannot be had now: a person decides here (promote), or it goes back.",
    "no_traffic": "Does anybody use the service at this hour? Do its numbers still reach the source?",
    "candidate_silent": "Does the new version run and get traffic? Does its label match the plan's?",
    "baseline_silent": "Does the old version still run and get traffic? Does its label match the plan's?",
    "stale": "Something between the service and the source is late: a scraper, a queue, a clock.",
    "waiting": "The source says that more is to come: it ends by itself, unless the source is stuck.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is told: a sentence, labelled details, what to type about it, and it all as values."""

    text: str
    rows: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a title; `id` is the name by which programs find it."""

    id: str
    title: str
    lines: tuple[Line, ...]

    def to_json(self) -> list[Json]:
        return [{"text": line.text, **line.data} for line in self.lines]


# --- moments ----------------------------------------------------------------------------------------


def moment(at: datetime, zone: str) -> str:
    """`Mon 2026-11-23 22:00 CET (21:00 UTC)`; in UTC alone where no other zone is named."""
    there = at.astimezone(zone_named(zone)) if zone else at.astimezone(UTC)
    here = at.astimezone(UTC)
    if there.utcoffset() == timedelta(0):
        return f"{here:%a %Y-%m-%d %H:%M} UTC"
    day = "" if there.date() == here.date() else f"{here:%a} "
    return f"{there:%a %Y-%m-%d %H:%M %Z} ({day}{here:%H:%M} UTC)"


def since(at: str, now: datetime, zone: str) -> str:
    """`3 min 20 s, since Mon 2026-11-23 22:00 CET (21:00 UTC)`."""
    begun = datetime.fromisoformat(at)
    return f"{words.duration(max(0.0, (now - begun).total_seconds()))}, since {moment(begun, zone)}"


def until(at: str, now: datetime, zone: str) -> str:
    """`Mon 2026-11-23 22:00 CET (21:00 UTC), in 3 h`."""
    ends = datetime.fromisoformat(at)
    left = (ends - now).total_seconds()
    told = f"in {words.duration(left)}" if left > 0 else f"{words.duration(-left)} ago"
    return f"{moment(ends, zone)}, {told}"


# --- KPIs -------------------------------------------------------------------------------------------


def figures(said: Mapping[str, Any]) -> str:
    """Both arms, and what was compared: `new 2.1% of 3,400, old 2.0% of 30,600; ratio by interval 1.05×`."""
    if said["candidate_mean"] is not None or said["baseline_mean"] is not None:
        return _means(said)
    new, old = (
        f"{words.rate(said[f'{arm}_rate'])} of {words.count(said[f'{arm}_trials'])}"
        if said[f"{arm}_trials"]
        else "nothing seen"
        for arm in ("candidate", "baseline")
    )
    slow = f" slower than {said['cut_seconds']:g} s" if said["cut_seconds"] else ""
    return f"new {new}{slow}, old {old}{ratio(said)}"


def ratio(said: Mapping[str, Any]) -> str:
    """The ratio by interval with its 95% band, behind a semicolon; nothing where there is none yet."""
    if said["ratio"] is None:
        return ""
    return (
        f"; ratio by interval {words.times(said['ratio'])}, "
        f"95% band {words.band(said['ratio_low'], said['ratio_high'])}"
    )


def _means(said: Mapping[str, Any]) -> str:
    new, old, between, low, high = (
        words.NOTHING if said[name] is None else f"{said[name]:.4g}"
        for name in (
            "candidate_mean",
            "baseline_mean",
            "difference",
            "difference_low",
            "difference_high",
        )
    )
    return f"new {new}, old {old} on average; difference {between}, 95% band {low} to {high}"


def to_be_shown(guard: Guard | None, said: Mapping[str, Any]) -> str:
    """What a gate must show before the stage is left, and where its band ends now."""
    margin = said["margin"]
    if not margin:
        return ""
    is_turned = guard is not None and guard.direction == "less_is_worse"
    asked = (
        f"above the old version's divided by {margin:g}"
        if is_turned
        else f"below {words.times(margin)} of the old version's"
    )
    end = said["ratio_low"] if is_turned else said["ratio_high"]
    if said["ratio"] is None:
        return asked
    if end is None:
        return f"{asked}; the band has no end on that side yet"
    side = "lower" if is_turned else "upper"
    return f"{asked}; the band's {side} end is {words.times(end)} now"


def safety(said: Mapping[str, Any], threshold: float) -> str:
    """`e = 7.2 of 20 needed`, or that it is shown."""
    told = f"e = {words.e_value(said['safe_log_e'])}"
    is_shown = said["safe_log_e"] >= math.log(threshold)
    enough = words.count(threshold)
    return f"{told}, and {enough} is enough: shown" if is_shown else f"{told} of {enough} needed"


def still_needed(said: Mapping[str, Any]) -> str:
    """About how much more evidence a gate needs at the present traffic; empty where that cannot be told."""
    if said["needed_trials"] is None:
        return ""
    wait = said["wait_seconds"]
    lasting = (
        "no traffic, so it does not come"
        if wait is None
        else f"{words.duration(wait)} at the present traffic"
    )
    ahead = said["ratio"] is not None and said["margin"] and said["ratio"] >= said["margin"]
    if_alike = (
        "; but its ratio stands at the margin, so it may never be shown"
        if ahead
        else ", if both versions are alike"
    )
    return f"about {rough(said['needed_trials'])} more of the new version's requests: {lasting}{if_alike}"


def guard_of(plan: Plan, kpi: str) -> Guard | None:
    return next((guard for guard in plan.guards if guard.kpi == kpi), None)
