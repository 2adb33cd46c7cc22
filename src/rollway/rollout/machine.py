"""The state machine of a rollout: `advance(plan, state, event) -> Step`. Pure; the clock is in the event.

What always holds:
1. Exposure grows only by entering the next stage, and a stage is left only when its rule says so or a
   person overrides it by name. It is entered only when its gates are met, and in its window.
2. A harmful verdict or a person's rollback ends in rollback from every state before the point of no return,
   windows or not; after it, in hold, and people roll forward. Where the plan says hold for every guard that
   is harmful, the rollout holds, and only a person goes on.
3. No data is no evidence: a blind judge neither promotes nor harms; blind for too long, the plan's policy
   decides.
4. A stage counts from the moment the target was read back as serving it, not from when it was told.
5. Somebody else may always lower the exposure; nobody but the plan may raise it.
6. No share goes to a version that is not ready, as far as the target can tell: no stage with a larger share
   is entered, a new version that dies is taken back, and traffic goes back once the old one is ready.
7. Users who are not split as planned make the evidence of a stage worthless: the rollout pauses once, and
   only a person's promote leaves that stage.
8. Durations are elapsed time, whatever the clock does; a stage bakes while it is watched.
9. Where tasks are followed, none begins before those it waits for are over, and none that is not idempotent
   is run a second time without a person's word.

Each kind of event has its file: exposure (the target), evidence (the judge), commands and subjects (people),
runs (tasks that Rollway runs), clock (time), elapsed (clocks that jump, and time in which nobody looked).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rollway.planning import Plan
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.model import READ_BACK_SECONDS
from rollway.rollout.clock import on_clock
from rollway.rollout.commands import on_command
from rollway.rollout.elapsed import on_compared
from rollway.rollout.evidence import on_evidence
from rollway.rollout.exposure import on_failed, on_observed
from rollway.rollout.model import (
    ClockCompared,
    ClockTicked,
    CommandGiven,
    Effect,
    Event,
    EvidenceRead,
    RunTask,
    SetShare,
    State,
    Step,
    TargetFailed,
    TargetObserved,
    TaskLost,
    TaskRan,
)
from rollway.rollout.runs import is_at_work, on_lost, on_ran
from rollway.rollout.steps import SAME_SHARE, live_share

UNTIL_READ_BACK = 2.0
"""Seconds between two looks at a target that has not done yet what it was told, at most."""
MADE_UP_FOR = 0.2
"""The share of an interval by which the next tick comes sooner, at most, where the last one came late."""


def begin() -> State:
    """The state of a rollout that was started and has not done anything yet."""
    return State(standing="waiting to be taken up by `rollway serve`")


def advance(plan: Plan, state: State, event: Event) -> Step:
    """What one event makes of a state. A finished rollout hears nothing but says so to people."""
    if state.is_final and not isinstance(event, CommandGiven):
        return Step(state=state)
    match event:
        case TargetObserved():
            return on_observed(plan, state, event)
        case TargetFailed():
            return on_failed(plan, state, event)
        case EvidenceRead():
            return (
                on_evidence(plan, state, event) if state.phase in ("running", "paused") else Step(state=state)
            )
        case CommandGiven():
            return on_command(plan, state, event)
        case TaskRan():
            return on_ran(plan, state, event)
        case TaskLost():
            return on_lost(plan, state, event)
        case ClockTicked():
            return on_clock(plan, state, event)
        case ClockCompared():
            return on_compared(plan, state, event)


def with_effects(before: tuple[Effect, ...], after: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """What is to be done after several steps: shares are absolute, so only the last one asked for matters."""
    told = [effect for effect in (*before, *after) if isinstance(effect, SetShare)]
    runs = [effect for effect in (*before, *after) if isinstance(effect, RunTask)]
    return (*told[-1:], *runs)


def next_wake(
    plan: Plan, state: State, at: datetime, *, moved: bool, due_at: datetime | None = None
) -> timedelta | None:
    """How long until the next tick is due; None when there is nothing left to do.

    A tick that was due at `due_at` and came later is made up for, so that ticks are on average as far apart
    as the plan says. One that came much later moves the rollout's turn: rollouts that fell due together, and
    waited for each other, do not fall due together again.

    A rollout that waits for its window is looked at once a minute, and when the window opens; more often
    while a task's command is at work, which may be cut off.
    """
    if state.is_final:
        return None
    if state.phase == "waiting":
        opens = plan_state(plan, at).next_open
        rest = timedelta(minutes=1) if opens is None else opens - at
        if is_at_work(state):
            rest = timedelta(seconds=plan.policy.tick_seconds)
        return max(timedelta(seconds=1), min(timedelta(minutes=1), rest))
    is_told = state.entered_at is None
    is_open = is_told or state.unready_since is not None
    soonest = READ_BACK_SECONDS if moved else UNTIL_READ_BACK if is_open else plan.policy.tick_seconds
    rest = timedelta(seconds=min(soonest, plan.policy.tick_seconds))
    late = timedelta() if moved or due_at is None else max(timedelta(), at - due_at)
    return rest - min(late, rest * MADE_UP_FOR)


__all__ = ["SAME_SHARE", "advance", "begin", "live_share", "next_wake", "with_effects"]
