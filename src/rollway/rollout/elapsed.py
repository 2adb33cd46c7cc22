"""Durations are elapsed time: what a clock that jumps, or a time in which nobody looked, changes in them.

Change windows and freezes go by the wall clock, so they need nothing of this.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rollway.planning import Plan
from rollway.planning.words import length
from rollway.rollout.model import ClockCompared, Entry, State, Step
from rollway.rollout.steps import changed

TOLD_FROM = 2.0
"""A clock that jumped by so many seconds is told of. Time servers move clocks by less all the time."""
SHIFTED_FROM = 0.2
"""Seconds by which the rollout's time and the time that passed must differ in one tick to be set right."""
WATCHED_WITHIN = 30.0
"""Time counts as watched where two looks are so many seconds apart, or three ticks; the rest does not."""


def on_compared(plan: Plan, state: State, event: ClockCompared) -> Step:
    """The rollout's times are moved, so that what is counted from them is what passed.

    A jump of the clock changes every duration. A time in which nobody looked does not count for what has to
    be watched (bake, patience), and not for the target, which nobody told anything; it counts for blindness,
    which is just that, and for what people do.
    """
    jump = event.ahead if abs(event.ahead) >= SHIFTED_FROM else 0.0
    unwatched = 0.0 if state.phase == "waiting" else max(0.0, event.gap - watched_within(plan))
    if jump or unwatched:
        state = _moved(state, jump, unwatched, event.gap if unwatched else 0.0)
    entries: tuple[Entry, ...] = ()
    if abs(event.jumped) >= TOLD_FROM:
        entries += (_jumped(plan, state, event),)
    if unwatched:
        entries += (_unwatched(plan, state, event, unwatched),)
    return Step(state=state, entries=entries)


def watched_within(plan: Plan) -> float:
    """The seconds between two looks that count as watched, at most."""
    return max(WATCHED_WITHIN, 3 * plan.policy.tick_seconds)


def _moved(state: State, jump: float, unwatched: float, gap: float) -> State:
    def moved(moment: datetime | None, seconds: float) -> datetime | None:
        return None if moment is None else moment + timedelta(seconds=seconds)

    astray = state.astray
    if astray is not None:
        astray = astray.model_copy(update={"since": moved(astray.since, jump + gap)})
    return changed(
        state,
        entered_at=moved(state.entered_at, jump + unwatched),
        stage_at=moved(state.stage_at, jump),
        before_at=moved(state.before_at, jump),
        told_at=moved(state.told_at, jump + gap),
        astray=astray,
        blind_since=moved(state.blind_since, jump),
        nobody_at=moved(state.nobody_at, jump),
        split_at=moved(state.split_at, jump),
        unready_since=moved(state.unready_since, jump),
        turns={stage: moved(turn, jump) for stage, turn in state.turns.items()},
    )


def _jumped(plan: Plan, state: State, event: ClockCompared) -> Entry:
    way = "jumped forward" if event.jumped > 0 else "was set back"
    text = f"The clock {way} by {length(abs(event.jumped))}. Only time that passed is counted"
    text += f"{_baked(plan, state, event.at)}; change windows go by the clock as it is now."
    if event.jumped < 0:
        text += " The times in this record go on slowly until the clock has caught up with them."
    return Entry(kind="clock_jumped", text=text, data={"jumped_seconds": round(event.jumped, 3)})


def _unwatched(plan: Plan, state: State, event: ClockCompared, unwatched: float) -> Entry:
    why = "it did not run, or could not write"
    if not event.is_timed:
        why = "it did not run, could not write, or its clock jumped"
    text = f"Rollway did not look for {length(event.gap)}: {why}. Of these, {length(unwatched)} do not count"
    text += f" as watched{_baked(plan, state, event.at)}."
    data = {"gap_seconds": round(event.gap, 3), "unwatched_seconds": round(unwatched, 3)}
    return Entry(kind="not_watched", text=text, data=data)


def _baked(plan: Plan, state: State, at: datetime) -> str:
    """`: 20% of users has baked for 9 seconds of 10 minutes`, where a stage is served."""
    if state.phase not in ("running", "paused") or state.entered_at is None or state.started_at is None:
        return ""
    stage, elapsed = plan.stages[state.stage], (at - state.entered_at).total_seconds()
    if not stage.bake_seconds:
        return ""
    if elapsed >= stage.bake_seconds:
        return f": {stage.title} has baked for all of its {length(stage.bake_seconds)}"
    return f": {stage.title} has baked for {length(round(elapsed))} of {length(stage.bake_seconds)}"


__all__ = ["on_compared", "watched_within"]
