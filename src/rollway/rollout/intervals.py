"""Which of the intervals that a signal tells of count: those of the present split of users, and of the stages
in which its guard counts."""

from __future__ import annotations

from datetime import datetime

from rollway.judge import Reading
from rollway.planning import Guard, Plan
from rollway.rollout.model import State


def is_of_one_split(guard: Guard, reading: Reading, since: datetime | None) -> bool:
    """Whether who was given a version in the interval was given it by one split of users, the present one."""
    if guard.kind != "assignment" or reading.problem is not None:
        return True
    return since is not None and reading.start >= since.timestamp()


def is_of_here(plan: Plan, state: State, guard: Guard, reading: Reading) -> bool:
    """Whether the interval is of stages in which the guard counts. A source that is asked with a delay tells
    of the time before a stage at first."""
    return reading.problem is not None or reading.start >= counts_since(plan, state, guard)


def counts_since(plan: Plan, state: State, guard: Guard) -> float:
    """From when on (unix seconds) all that is told counts, as far as this stage and the two before it say."""
    stages = plan.stages
    since = None
    if state.stage and not guard.counts_in(stages[state.stage - 1].id):
        since = stage_since(state)
    elif state.stage > 1 and not guard.counts_in(stages[state.stage - 2].id):
        since = state.before_at
    return float("-inf") if since is None else since.timestamp()


def stage_since(state: State) -> datetime | None:
    """When the stage before was left for the present one; a rollout of an earlier Rollway does not know."""
    return state.stage_at or state.told_at
