"""How many requests come when: an even flow, or one that follows the hours of the day or of the week."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollway.facts.model import WEEKDAYS, Release, Window
from rollway.facts.traffic import requests_by_hour
from rollway.planning.windows import zone_named

HOUR_SECONDS = 3600.0
DAY_HOURS = 24
MONDAY_IN_WINTER = datetime(2026, 1, 5)  # noqa: DTZ001 - a wall-clock time, whose zone is put to it later
"""Windows and figures by hour may be in different time zones; their distance is that of this day."""
MOST_PERIODS = 1e6


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests per second to both versions together: `hours`, repeated for ever, from `entered_at` on.

    Times are seconds since the first stage with users was entered; `entered_at` is how far into the hours
    that is.
    """

    hours: tuple[float, ...]
    entered_at: float = 0.0

    @property
    def per_second(self) -> float:
        """On average over the day or the week."""
        return sum(self.hours) / len(self.hours)

    def between(self, start: float, end: float) -> float:
        """Requests from `start` to `end` (seconds), expected."""
        return self._until(self.entered_at + end) - self._until(self.entered_at + start)

    def until(self, start: float, requests: float) -> float:
        """Seconds from `start` on in which so many requests come; infinite where they never do."""
        if requests <= 0:
            return 0.0
        by_period = self.per_second * self._period
        if by_period <= 0 or not math.isfinite(requests) or requests / by_period > MOST_PERIODS:
            return math.inf
        whole = math.floor(requests / by_period)
        left, at = requests - whole * by_period, (self.entered_at + start) % self._period
        passed = 0.0
        while left > 0:
            index = int(at // HOUR_SECONDS) % len(self.hours)
            rest = HOUR_SECONDS - at % HOUR_SECONDS
            come = self.hours[index] * rest
            if come >= left and self.hours[index] > 0:
                return whole * self._period + passed + left / self.hours[index]
            left, passed, at = left - come, passed + rest, (at + rest) % self._period
            if passed > 2 * self._period:
                break
        return whole * self._period + passed

    def times(self, part: float) -> Flow:
        """This part of it."""
        return self if part == 1 else Flow(tuple(each * part for each in self.hours), self.entered_at)

    @property
    def _period(self) -> float:
        return len(self.hours) * HOUR_SECONDS

    def _until(self, moment: float) -> float:
        whole, at = divmod(moment, self._period)
        index, rest = divmod(at, HOUR_SECONDS)
        count = min(int(index), len(self.hours) - 1)
        before = sum(self.hours[:count]) * HOUR_SECONDS + self.hours[count] * rest
        return whole * self.per_second * self._period + before


def flow_of(release: Release) -> Flow | None:
    """The release's traffic, entered at the quietest moment that the change windows allow; None where it
    is not known or nil.

    The figures by hour are taken as they are where no number per second is stated, and else scaled to it.
    """
    hours = requests_by_hour(release.architecture)
    flow = Flow(hours)
    if sum(hours) <= 0 or len(hours) == 1:
        return flow if sum(hours) > 0 else None
    moments = sorted(set(_openings(release, len(hours))))
    quietest = min(moments, key=lambda at: (flow.between(at, at + HOUR_SECONDS), at))
    return Flow(hours, quietest)


def hours_zone(release: Release) -> str:
    """Whose hours the figures by hour are: as stated, else those of the first window."""
    windows = release.agreements.windows
    return release.architecture.requests_timezone or (windows[0].timezone if windows else "UTC")


def _openings(release: Release, hours: int) -> Iterator[float]:
    """When a window opens, in seconds from the beginning of the figures by hour; every hour if none is."""
    if not release.agreements.windows:
        yield from (hour * HOUR_SECONDS for hour in range(hours))
    for window in release.agreements.windows:
        for day in window.days:
            yield _opening(window, day_number=WEEKDAYS.index(day), zone=hours_zone(release)) % (
                hours * HOUR_SECONDS
            )


def _opening(window: Window, *, day_number: int, zone: str) -> float:
    clock, minute = (int(part) for part in window.opens.split(":"))
    wall = MONDAY_IN_WINTER + timedelta(days=day_number, hours=clock, minutes=minute)
    there = wall.replace(tzinfo=zone_named(window.timezone)).astimezone(zone_named(zone))
    return (there.replace(tzinfo=None) - MONDAY_IN_WINTER).total_seconds()
