"""Durations are elapsed time: the clock may jump, and Rollway may be away, and nothing is passed by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.rollout import ClockCompared, Pace, State, advance
from rollway.rollout.elapsed import watched_within
from support.machine import World
from support.stories import START, canary, stage

QUARTER = 900.0


def long_bake() -> World:
    """At 10%, which bakes for 100 s and has patience for 300 s; just read back."""
    world = World(canary(stage("ten", 0.1, bake_seconds=100, patience_seconds=300), stage("all", 1, "time")))
    world.until("ten")
    return world


def jumps(world: World, seconds: float) -> None:
    """The clock is moved while a second passes."""
    world.now += timedelta(seconds=seconds + 1)
    world.hear(ClockCompared(at=world.now, jumped=seconds, ahead=seconds, gap=1.0))


def away(world: World, seconds: float, *, is_timed: bool = True) -> None:
    """Nobody looks for so long."""
    world.now += timedelta(seconds=seconds)
    world.hear(ClockCompared(at=world.now, gap=seconds, is_timed=is_timed))


def ticks_until(world: World, stage_id: str) -> int:
    """How many ticks of a second it takes until this stage is entered."""
    for count in range(1000):
        if world.stage_id == stage_id:
            return count
        world.tick("healthy")
    raise AssertionError("never")


def test_a_clock_that_jumps_past_the_bake_leaves_no_stage() -> None:
    """Ten seconds baked, then a quarter of an hour forward: the other ninety are waited for."""
    world = long_bake()
    world.ticks(10, "healthy")
    jumps(world, QUARTER)
    assert ticks_until(world, "all") == 89
    (told,) = [entry for entry in world.record if entry.kind == "clock_jumped"]
    assert told.text.startswith(
        "The clock jumped forward by 15 minutes. Only time that passed is counted: ten has baked for 11 "
        "seconds of 1 minute 40 seconds;"
    )
    assert told.data == {"jumped_seconds": QUARTER}


def test_a_clock_that_jumps_uses_up_no_patience() -> None:
    """Patience is elapsed time as well: nobody is asked because the clock jumped."""
    world = long_bake()
    world.ticks(120)
    jumps(world, QUARTER)
    world.ticks(150)
    assert "asked" not in world.kinds
    world.ticks(40)
    assert "asked" in world.kinds


def test_a_judge_that_is_blind_is_not_blind_for_longer_by_the_clock() -> None:
    """Blind for 10 s of the 40 s that the policy gives it: the jump takes nothing back, 30 s more do."""
    world = long_bake()
    world.ticks(11, "blind")
    jumps(world, QUARTER)
    world.ticks(27, "blind")
    assert world.state.phase == "running"
    world.ticks(2, "blind")
    assert world.state.phase == "rolling_back"


def test_nobody_looking_is_blindness_and_counts_as_such() -> None:
    """Blind when Rollway ended, and blind when it is back: the policy's time is over."""
    world = long_bake()
    world.ticks(11, "blind")
    away(world, 3600.0, is_timed=False)
    world.tick("blind")
    assert world.state.phase == "rolling_back"


@pytest.mark.parametrize("is_timed", [True, False])
def test_a_stage_does_not_bake_while_nobody_looks(is_timed: bool) -> None:
    """Away for an hour with 10 of 100 s baked: what may pass between two looks counts, the rest does not."""
    world = long_bake()
    world.ticks(10, "healthy")
    away(world, 3600.0, is_timed=is_timed)
    assert ticks_until(world, "all") == 60
    (told,) = [entry for entry in world.record if entry.kind == "not_watched"]
    assert "for 1 hour: it did not run" in told.text
    assert ("or its clock jumped" in told.text) is not is_timed
    assert "59 minutes 30 seconds do not count as watched: ten has baked for 40 seconds" in told.text


def test_a_bake_that_is_over_is_said_to_be_over() -> None:
    """Not 30 seconds of 20: what is over is over."""
    world = long_bake()
    world.ticks(80, "undecided")
    away(world, 3600.0)
    (told,) = [entry for entry in world.record if entry.kind == "not_watched"]
    assert told.text.endswith("do not count as watched: ten has baked for all of its 1 minute 40 seconds.")


def test_a_short_absence_counts_whole() -> None:
    """A restart takes seconds: it changes nothing, and nothing is said of it."""
    world = long_bake()
    before = world.state
    away(world, 25.0, is_timed=False)
    assert world.state == before
    assert "not_watched" not in world.kinds


def test_slow_ticks_are_no_absence() -> None:
    """Three ticks may always lie between two looks."""
    plan = canary()
    slow = plan.model_copy(update={"policy": plan.policy.model_copy(update={"tick_seconds": 60})})
    assert watched_within(slow) == 180


def test_what_people_do_goes_on_while_nobody_looks() -> None:
    """Hours after the turn of a stage are the people's: an absence does not move them, the clock does."""
    world = long_bake()
    world.state = world.state.model_copy(update={"turns": {"ten": START}})
    away(world, 3600.0)
    assert world.state.turns == {"ten": START}
    jumps(world, QUARTER)
    assert world.state.turns == {"ten": START + timedelta(seconds=QUARTER)}


def test_a_target_is_given_its_time_after_an_absence() -> None:
    """Told before Rollway ended, and not asked since: it is not called astray for that."""
    world = long_bake()
    world.is_deaf, world.share = True, 0.3
    world.state = world.state.model_copy(update={"entered_at": None})
    world.ticks(2)
    assert world.state.astray is not None
    away(world, 3600.0)
    world.tick()
    assert "target_failed" not in world.kinds


def test_a_rollout_that_waits_is_told_of_a_jump_and_of_nothing_else() -> None:
    """Windows go by the clock, so a jump matters; being away does not."""
    world = World(canary())
    away(world, 3600.0)
    assert world.record == []
    jumps(world, QUARTER)
    assert world.kinds == ["clock_jumped"]
    assert world.state.phase == "waiting"


def test_small_differences_of_the_clocks_change_nothing() -> None:
    """A time server's corrections would only make the times of the record wander."""
    world = long_bake()
    before = world.state
    world.hear(ClockCompared(at=world.now, jumped=0.15, ahead=0.15, gap=1.0))
    assert world.state == before


def test_what_was_heard_replays_to_the_same_state() -> None:
    """The event carries all that it changes, through JSON and back."""
    world = long_bake()
    event = ClockCompared(at=world.now, jumped=-300.0, ahead=-0.5, gap=70.0)
    step = advance(world.plan, world.state, event)
    again = advance(
        world.plan,
        State.model_validate_json(world.state.model_dump_json()),
        ClockCompared.model_validate_json(event.model_dump_json()),
    )
    assert again == step
    assert step.state != world.state


passes = st.tuples(st.integers(1, 20), st.sampled_from([0, 0, 0, 900, -300, 5, -5, 86400, -7200]))


@given(course=st.lists(passes, min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_whatever_the_clock_does_a_stage_is_as_old_as_it_is(course: list[tuple[int, int]]) -> None:
    """The law: rollout time minus `entered_at` is the time that passed, over any course of jumps, while the
    rollout's own time never goes back."""
    world = World(canary(stage("ten", 0.1, bake_seconds=10**6), stage("all", 1, "time")))
    world.until("ten")
    steady, offset, began = 0.0, 0.0, world.now - world.state.entered_at  # type: ignore[operator]
    start, moved_at = world.now, world.now
    pace = Pace(steady=lambda: steady)
    pace.committed("r", 0, pace.read(lambda: start))
    for seq, (seconds, jump) in enumerate(course, start=1):
        steady, offset = steady + seconds, offset + jump
        wall = start + timedelta(seconds=steady + offset)
        moment = pace.read(lambda wall=wall: wall)  # type: ignore[misc]
        at = pace.time_of(moment, moved_at)
        assert at > moved_at or at == wall
        event = pace.compare("r", seq, moment, at=at, moved_at=moved_at)
        world.state = advance(world.plan, world.state, event).state
        pace.committed("r", seq, moment)
        moved_at = at
        assert world.state.entered_at is not None
        aged = (at - world.state.entered_at - began).total_seconds()
        assert aged == pytest.approx(steady, abs=0.01)


@pytest.mark.parametrize(
    ("patience", "told"), [(300.0, "No answer after 301 s"), (172_800.0, "2 days 1 second")]
)
def test_long_waits_are_told_in_days(patience: float, told: str) -> None:
    """Nobody reads 172,801 s."""
    world = World(canary(stage("ten", 0.1, patience_seconds=patience), stage("all", 1, "time")))
    world.until("ten")
    world.tick("undecided", patience + 1)
    (asked,) = [entry for entry in world.record if entry.kind == "asked"]
    assert told in asked.text
