"""What the signals tell a tick: the readings of guards that count, and where each goes on from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from rollway.errors import RollwayError
from rollway.judge import Reading
from rollway.planning import Guard, Plan, Stage
from rollway.rollout.model import Entry
from rollway.rollout.ports import Collected, Cursor, Interval, Loaded, Signal, Target
from rollway.rollout.steps import compared_share, share_of_work

log = logging.getLogger("rollway.tick")

TARGET = "#target"
"""The name among the notes under which the target's own stands."""

NOTES = "#notes"
"""The cursor under which the signals' last notes are kept, so that each is said once."""

BEGUN = "#begun"
"""The cursor that tells since when guards count that did not in the stage before (unix seconds)."""


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
    said, begun = cursors.get(NOTES, {}), _begun(loaded, stage)
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
        if one is not None and _is_of_one_split(guard, one, since) and _is_of_here(one, begun):
            readings.append(one)
        if collected.note:
            notes[guard.kpi] = collected.note
        if collected.note and collected.note != said.get(guard.kpi):
            entries.append(Entry(kind="signal", text=f"{guard.kpi}: {collected.note}"))
    cursors.pop(BEGUN, None)
    cursors |= {NOTES: notes, **({BEGUN: begun} if begun else {})}
    return tuple(readings), cursors, tuple(entries)


def _is_of_one_split(guard: Guard, reading: Reading, since: datetime | None) -> bool:
    """Whether who was given a version in the interval was given it by one split of users, the present one."""
    if guard.kind != "assignment" or reading.problem is not None:
        return True
    return since is not None and reading.start >= since.timestamp()


def _begun(loaded: Loaded, stage: Stage) -> dict[str, float]:
    """Since when guards count here that did not count in the stage before; a target that is told its share
    again later changes nothing of that."""
    state, known = loaded.state, loaded.cursors.get(BEGUN, {})
    found = {guard.kpi: known[guard.kpi] for guard in loaded.plan.guards if guard.kpi in known}
    if state.stage and state.told_at is not None:
        before, told_at = loaded.plan.stages[state.stage - 1].id, state.told_at.timestamp()
        anew = (guard.kpi for guard in loaded.plan.guards if not guard.counts_in(before))
        found = {**dict.fromkeys(anew, told_at), **found}
    return {
        guard.kpi: found[guard.kpi]
        for guard in loaded.plan.guards
        if guard.kpi in found and guard.counts_in(stage.id)
    }


def _is_of_here(reading: Reading, begun: Mapping[str, float]) -> bool:
    """Whether the interval is of stages in which the guard counts. A source that is asked with a delay tells
    of the time before at first."""
    return reading.problem is not None or reading.start >= begun.get(reading.kpi, reading.start)


def _rest_of_before(
    loaded: Loaded, guard: Guard, connectors: Connectors, interval: Interval
) -> Collected | None:
    """What a source still tells of the stage before, in which the guard counted; None once that is all.

    One that is asked with a delay tells it bit by bit, and one that scrapes has nothing new at first.
    """
    state, told_at = loaded.state, loaded.state.told_at
    if not state.stage or told_at is None or guard.kpi not in loaded.cursors:
        return None
    before = loaded.plan.stages[state.stage - 1]
    if not guard.counts_in(before.id):
        return None
    left_at, tick = told_at.timestamp(), loaded.plan.policy.tick_seconds
    share = share_of_work(before.exposure.live, before.exposure.mirrored, before.exposure.control)
    rest = _collect_one(loaded, guard, connectors, replace(interval, stage=before.id, share=share))
    reading = rest.reading
    if reading is None:
        return rest if interval.now <= left_at + tick else None
    if reading.problem is not None or reading.start >= left_at:
        return None
    # Who was given a version since is split otherwise.
    latest = left_at if guard.kind == "assignment" else left_at + tick
    return rest if reading.end <= latest else None


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
