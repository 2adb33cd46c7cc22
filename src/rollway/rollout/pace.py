"""How much time really passed between two looks at a rollout, whatever the wall clock did meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollway.rollout.model import ClockCompared

CLOCK_STEP = timedelta(seconds=0.5)
"""How far a rollout's time goes on in a tick whose clock is behind the tick before; such ticks come once a
second, so that the clock catches up."""
AT_ONCE = 0.05
"""Seconds within which both clocks have been read, or they are read again."""
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by both clocks: `wall`, and the `steady` one of this process in seconds."""

    wall: datetime
    steady: float


@dataclass(frozen=True, slots=True)
class _Look:
    seq: int
    moment: Moment
    committed: float


class Pace:
    """Remembers when this process last looked at each rollout, by the wall clock and by a steady one.

    A steady clock means nothing to another process. After a restart, or a tick of another worker, nothing is
    known but the wall clocks: a jump is then no other than a time in which nobody looked.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._looks: dict[str, _Look] = {}

    def read(self, clock: Callable[[], datetime]) -> Moment:
        """Both clocks at once; again, if this process was stopped between the two."""
        for _ in range(MOST_TRIES):
            before = self._steady()
            moment = Moment(clock(), before)
            if self._steady() - before < AT_ONCE:
                break
        return moment

    @staticmethod
    def time_of(moment: Moment, moved_at: datetime) -> datetime:
        """The rollout's time at this moment: the wall clock's, but never before that of the tick before."""
        return moment.wall if moment.wall >= moved_at else moved_at + CLOCK_STEP

    def committed(self, rollout: str, seq: int, moment: Moment) -> None:
        """The tick `seq` looked at this moment, and what it decided is written down now."""
        self._looks[rollout] = _Look(seq, moment, self._steady())

    def forget(self, rollout: str) -> None:
        """The rollout has ended."""
        self._looks.pop(rollout, None)

    def compare(
        self, rollout: str, seq: int, moment: Moment, *, at: datetime, moved_at: datetime
    ) -> ClockCompared:
        """What the tick `seq` is told of the time since the tick before it, whose time was `moved_at`; `at`
        is its own, which is the wall clock's unless that is behind."""
        went_on = (at - moved_at).total_seconds()
        last = self._looks.get(rollout)
        if last is None or last.seq != seq - 1:
            return ClockCompared(at=at, gap=went_on, is_timed=False)
        passed = moment.steady - last.moment.steady
        jumped = (moment.wall - last.moment.wall).total_seconds() - passed
        gap = moment.steady - last.committed
        return ClockCompared(at=at, jumped=jumped, ahead=went_on - passed, gap=max(0.0, gap))


__all__ = ["CLOCK_STEP", "Moment", "Pace"]
