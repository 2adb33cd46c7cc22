"""When the next tick is due: as often as the plan says on average, and not all rollouts at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heapify, heapreplace

import numpy as np
import pytest

from rollway.planning import Plan
from rollway.rollout.machine import next_wake
from support.machine import World
from support.stories import canary

EVERY = timedelta(seconds=10)


def running() -> tuple[Plan, World]:
    """A canary in its first stage, checked every ten seconds."""
    plan = canary()
    policy = plan.policy.model_copy(update={"tick_seconds": EVERY.total_seconds()})
    world = World(plan.model_copy(update={"policy": policy}))
    world.until("ten")
    return world.plan, world


def test_late_ticks_are_on_average_as_far_apart_as_the_plan_says() -> None:
    """Each comes up to two seconds late, as on a busy machine; a hundred still take a hundred intervals."""
    plan, world = running()
    drawn = np.random.default_rng(7)
    begun = due_at = world.now
    for _ in range(100):
        at = due_at + timedelta(seconds=float(drawn.uniform(0, 2)))
        wake = next_wake(plan, world.state, at, moved=False, due_at=due_at)
        assert wake is not None
        due_at = at + wake
    assert abs(due_at - begun - 100 * EVERY) < timedelta(milliseconds=1)


@pytest.mark.parametrize("late", [-3.0, 0.0, 2.0, 9.0, 86400.0])
def test_the_next_tick_is_never_sooner_than_four_fifths_of_an_interval(late: float) -> None:
    """Neither a tick that a command brought forward, nor one a day late, brings two on each other's heels."""
    plan, world = running()
    wake = next_wake(plan, world.state, world.now + timedelta(seconds=late), moved=False, due_at=world.now)
    assert wake is not None
    assert EVERY * 0.8 <= wake <= EVERY


def test_rollouts_that_fell_due_together_do_not_stay_together() -> None:
    """Five hundred wait for each other once; soon none is more than a fifth of an interval late."""
    plan, world = running()
    each = EVERY * 0.9 / 500
    line = [(world.now, number) for number in range(500)]
    heapify(line)
    free_at, late = world.now, timedelta()
    while line[0][0] < world.now + 20 * EVERY:
        due_at, number = line[0]
        at = max(free_at, due_at)
        free_at = at + each
        if at > world.now + 10 * EVERY:
            late = max(late, at - due_at)
        heapreplace(line, (after(plan, world, at, due_at), number))
    assert late <= EVERY * 0.2


def after(plan: Plan, world: World, at: datetime, due_at: datetime) -> datetime:
    wake = next_wake(plan, world.state, at, moved=False, due_at=due_at)
    assert wake is not None
    return at + wake


def test_a_target_that_was_told_something_is_read_back_as_soon_as_ever() -> None:
    """However late the tick that told it came."""
    plan, world = running()
    late = world.now + timedelta(seconds=1)
    assert next_wake(plan, world.state, late, moved=True, due_at=world.now) == timedelta(seconds=0.2)
