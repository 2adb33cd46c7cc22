"""What the signals tell a tick: the readings of guards that count, and where each goes on from."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from rollway.errors import RollwayError
from rollway.judge import Reading
from rollway.planning import Guard, Plan, Stage
from rollway.rollout.intervals import counts_since, is_of_here, is_of_one_split, stage_since
from rollway.rollout.model import Entry
from rollway.rollout.ports import Collected, Cursor, Interval, Loaded, Signal, Target
from rollway.rollout.steps import compared_share, share_of_work

log = logging.getLogger("rollway.tick")

TARGET = "#target"
"""The name among the notes under which the target's own stands."""

NOTES = "#notes"
"""The cursor under which the signals' last notes are kept, so that each is said once."""


class Connectors(Protocol):
    """Finds the signals and the target of a plan; kept between ticks, so that connections are reused."""

    def signal(self, rollout: str, guard: Guard) -> Signal: ...

    def target(self, rollout: str, plan: Plan) -> Target: ...


def collect(
    loaded: Loaded, stage: Stage, connectors: Connectors, now: datetime, told: str, since: datetime | None
) -> tuple[tuple[Reading, ...], dict[str, Cursor], tuple[Entry, ...]]:
    """The signals' readings and cursors, and what is to be said: `told` by the target, and by the signals.

    Who was given a version before users were split as they are `since`, or meanwhile, tells nothing of that.
    """
    interval = Interval(stage=stage.id, share=compared_share(loaded.state), now=now.timestamp())
    readings: list[Reading] = []
    entries: list[Entry] = []
    cursors = dict(loaded.cursors)
    said = cursors.get(NOTES, {})
    notes: Cursor = {TARGET: told} if told else {}
    if told and told != said.get(TARGET):
        entries.append(Entry(kind="target", text=f"The target says: {told}"))
    for guard in loaded.plan.guards:
        if not guard.counts_in(stage.id):
            # Asked again later, it begins anew: what happens meanwhile is of no stage in which it counts.
            cursors.pop(guard.kpi, None)
            rest = _rest_of_before(loaded, guard, connectors, interval)
            if rest is not None:
                cursors[guard.kpi] = rest.cursor
                readings += [rest.reading] if rest.reading is not None else []
            continue
        collected = _collect_one(loaded, guard, connectors, interval)
        cursors[guard.kpi] = collected.cursor
        one = collected.reading
        is_of_now = one is not None and is_of_one_split(guard, one, since)
        if one is not None and is_of_now and is_of_here(loaded.plan, loaded.state, guard, one):
            readings.append(one)
        if collected.note:
            notes[guard.kpi] = collected.note
        if collected.note and collected.note != said.get(guard.kpi):
            entries.append(Entry(kind="signal", text=f"{guard.kpi}: {collected.note}"))
    return tuple(readings), {**cursors, NOTES: notes}, tuple(entries)


def _rest_of_before(
    loaded: Loaded, guard: Guard, connectors: Connectors, interval: Interval
) -> Collected | None:
    """What a source still tells of the stage before, in which the guard counted; None once that is all.

    One that is asked with a delay tells it bit by bit, and one that scrapes has nothing new at first. It
    tells no reading while it is at an earlier stage, in which the guard did not count.
    """
    state, entered = loaded.state, stage_since(loaded.state)
    if not state.stage or entered is None or guard.kpi not in loaded.cursors:
        return None
    before = loaded.plan.stages[state.stage - 1]
    if not guard.counts_in(before.id):
        return None
    left_at, tick = entered.timestamp(), loaded.plan.policy.tick_seconds
    share = share_of_work(before.exposure.live, before.exposure.mirrored, before.exposure.control)
    rest = _collect_one(loaded, guard, connectors, replace(interval, stage=before.id, share=share))
    reading = rest.reading
    if reading is None:
        return rest if interval.now <= left_at + tick else None
    if reading.problem is not None or reading.start >= left_at:
        return None
    # Who was given a version since is split otherwise.
    latest = left_at if guard.kind == "assignment" else left_at + tick
    if reading.end > latest:
        return None
    is_earlier = reading.start < counts_since(loaded.plan, state, guard)
    return replace(rest, reading=None) if is_earlier else rest


def _collect_one(loaded: Loaded, guard: Guard, connectors: Connectors, interval: Interval) -> Collected:
    cursor = loaded.cursors.get(guard.kpi)
    try:
        return connectors.signal(loaded.id, guard).collect(cursor, interval)
    except Exception as error:
        note = problem_of(error, f"the signal of {guard.kpi}")
        now = interval.now
        reading = Reading(guard.kpi, now, now, interval.stage, interval.share, problem="source_down")
        return Collected(reading=reading, cursor=cursor or {}, note=note)


def problem_of(error: Exception, what: str) -> str:
    """What is told of whatever was raised; the unexpected is logged as well."""
    if isinstance(error, RollwayError):
        return error.message
    log.exception("%s raised", what)
    return f"{type(error).__name__}: {error}"
