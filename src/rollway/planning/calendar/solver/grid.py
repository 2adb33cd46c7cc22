"""The grid on which releases begin: whole steps in UTC, and the nights that they fall into."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rollway.planning.calendar.recurring import DAY
from rollway.planning.windows import instant

COARSEST = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)
_NOON = time(12)
Steps = tuple[tuple[int, int], ...]
"""Stretches of steps, from the first to the last of each, both included, in order."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments counted in whole steps from `origin` (UTC)."""

    origin: datetime
    step: timedelta

    @property
    def steps_per_day(self) -> int:
        return DAY // self.step

    def moment(self, step: int) -> datetime:
        return self.origin + step * self.step

    def at_or_after(self, moment: datetime) -> int:
        return -((self.origin - moment) // self.step)

    def at_or_before(self, moment: datetime) -> int:
        return (moment - self.origin) // self.step

    def length(self, duration: timedelta) -> int:
        """How many steps a duration takes up, a step begun counting as whole."""
        return -(-duration // self.step)


def fitting_step(origin: datetime, moments: Iterable[datetime], durations: Iterable[timedelta]) -> timedelta:
    """The coarsest step of at most half an hour on which every moment and every duration lies.

    Then no plan off the grid is earlier than the best one on it: what begins as early as it can begins
    where a window opens, a rule ends, or another release (with its bake or gap) ends. Fractions of a
    minute are taken for a whole one.
    """
    minutes = COARSEST // _MINUTE
    for length in {moment - origin for moment in moments} | set(durations):
        minutes = math.gcd(minutes, -(-length // _MINUTE))
    return minutes * _MINUTE


def night_of(moment: datetime, zone: ZoneInfo) -> date:
    """The night a moment belongs to: from noon to noon on the clocks of the zone, by its first day."""
    return (moment.astimezone(zone).replace(tzinfo=None) - timedelta(hours=12)).date()


def nights(grid: Grid, zone: ZoneInfo, first: int, last: int) -> tuple[tuple[date, int, int], ...]:
    """Each night that holds a step from `first` to `last`: its day, its first step and its last one."""
    found: list[tuple[date, int, int]] = []
    day, begin = night_of(grid.moment(first), zone), first
    while begin <= last:
        noon = instant(datetime.combine(day + DAY, _NOON), zone, last=False)
        after = grid.at_or_after(noon)
        found.append((day, begin, after - 1))
        day, begin = day + DAY, after
    return tuple(found)


# --- stretches ---------------------------------------------------------------------------------------


def merged(steps: Iterable[tuple[int, int]]) -> Steps:
    """The same steps with as few stretches as possible, in order."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(steps):
        if low > high:
            continue
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], high))
        else:
            result.append((low, high))
    return tuple(result)


def common(ones: Steps, others: Steps) -> Steps:
    """The steps that lie in both."""
    found, one, other = list[tuple[int, int]](), 0, 0
    while one < len(ones) and other < len(others):
        low, high = max(ones[one][0], others[other][0]), min(ones[one][1], others[other][1])
        if low <= high:
            found.append((low, high))
        if ones[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return tuple(found)


def lacking(ones: Steps, others: Steps) -> Steps:
    """The steps of the first that do not lie in the second."""
    found = list[tuple[int, int]]()
    for low, high in ones:
        begin = low
        for start, end in others:
            if end < begin or start > high:
                continue
            if start > begin:
                found.append((begin, start - 1))
            begin = end + 1
        if begin <= high:
            found.append((begin, high))
    return tuple(found)


def first_from(steps: Steps, begin: int) -> int | None:
    """The first step that is not before `begin`."""
    for low, high in steps:
        if high >= begin:
            return max(low, begin)
    return None
