"""Two clocks, compared from look to look: what passed, what jumped, and what nobody can know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from rollway.rollout import ClockCompared, Pace
from rollway.rollout.pace import Moment
from support.stories import START


@dataclass
class Clocks:
    """A wall clock that can be set, and a steady one."""

    passed: float = 0.0
    offset: float = 0.0

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.passed + self.offset)

    def steady(self) -> float:
        return 1000.0 + self.passed


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def pace(clocks: Clocks) -> Pace:
    """One that has looked at `r` in tick 4, and committed at once."""
    made = Pace(clocks.steady)
    made.committed("r", 4, made.read(clocks.wall))
    return made


def compare(pace: Pace, clocks: Clocks, seq: int = 5, moved_at: datetime = START) -> ClockCompared:
    moment = pace.read(clocks.wall)
    return pace.compare("r", seq, moment, at=pace.time_of(moment, moved_at), moved_at=moved_at)


def test_a_clock_that_goes_right_has_not_jumped(pace: Pace, clocks: Clocks) -> None:
    """Ten seconds by both: nothing but a gap of ten seconds."""
    clocks.passed = 10
    assert compare(pace, clocks) == ClockCompared(at=clocks.wall(), gap=10)


@pytest.mark.parametrize("jump", [900.0, 3.0])
def test_a_jump_forward_is_what_did_not_pass(pace: Pace, clocks: Clocks, jump: float) -> None:
    """The rollout's time goes with the clock, and is ahead by the jump."""
    clocks.passed, clocks.offset = 10, jump
    assert compare(pace, clocks) == ClockCompared(at=clocks.wall(), jumped=jump, ahead=jump, gap=10)


def test_a_clock_that_was_set_back_is_told_once_and_made_good_for_as_long_as_it_takes(
    pace: Pace, clocks: Clocks
) -> None:
    """The rollout's time goes on by half a second for each second, until the clock has caught up."""
    moved_at, jumped, aheads = START, list[float](), list[float]()
    clocks.offset = -5.0
    for seq in range(5, 20):
        clocks.passed += 1
        event = compare(pace, clocks, seq, moved_at)
        pace.committed("r", seq, pace.read(clocks.wall))
        jumped.append(event.jumped)
        aheads.append(event.ahead)
        assert event.at >= moved_at
        moved_at = event.at
    assert jumped == [-5.0, *[0.0] * 14]
    assert moved_at == clocks.wall()
    assert sum(aheads) == pytest.approx(-5.0)


def test_a_slow_tick_is_no_gap(pace: Pace, clocks: Clocks) -> None:
    """A tick that looked for 50 s has looked; the gap counts from when it was written down."""
    moment = pace.read(clocks.wall)
    clocks.passed = 50
    pace.committed("r", 5, moment)
    clocks.passed = 60
    event = compare(pace, clocks, 6)
    assert (event.gap, event.jumped) == (10, 0)


def test_a_tick_of_another_worker_leaves_only_the_wall_clock(pace: Pace, clocks: Clocks) -> None:
    """Tick 5 was made elsewhere: tick 6 cannot tell a jump from a gap, and says so."""
    clocks.passed, clocks.offset = 10, 900
    assert compare(pace, clocks, 6) == ClockCompared(at=clocks.wall(), gap=910, is_timed=False)


def test_after_a_restart_only_the_wall_clock_is_known(clocks: Clocks) -> None:
    """A new process has seen no tick of this rollout."""
    clocks.passed = 3600
    event = compare(Pace(clocks.steady), clocks)
    assert event == ClockCompared(at=clocks.wall(), gap=3600, is_timed=False)


def test_what_has_ended_is_forgotten(pace: Pace, clocks: Clocks) -> None:
    """Nothing is kept of rollouts that are over."""
    pace.forget("r")
    assert not compare(pace, clocks).is_timed


def test_a_process_that_is_stopped_between_two_clocks_reads_them_again(clocks: Clocks) -> None:
    """Stopped for a minute after the steady clock was read: that is no jump of the wall clock."""
    stops = [60.0]

    def wall() -> datetime:
        clocks.passed += stops.pop() if stops else 0.0
        return clocks.wall()

    assert Pace(clocks.steady).read(wall) == Moment(START + timedelta(seconds=60), 1060.0)
