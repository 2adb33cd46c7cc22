"""Change windows and freezes: may a change happen at this moment, and if not, when next?

The rules, all of them, for release files and for calendars, while one plans and while a rollout runs:
- A window's days are the days on which it opens. It closes on the next day when its closing time is not
  later than its opening time, so 22:00-06:00 crosses midnight and 08:00-08:00 lasts until next morning.
- A freeze is made of whole local days, the first and the last included, unless a calendar gives it times
  of day. Freezes win over windows.
- Where no window is agreed, it is always open but for the freezes.
- A wall time that the clocks skip means the first moment after the gap. A wall time that comes twice
  means the first one for a beginning and the last one for an end. So a window of 22:00-06:00 lasts
  nine hours in the night that has an hour more, and 02:15-02:45 does not open at all when it is skipped.
- Durations are elapsed time: two hours are 120 minutes in every night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rollway.errors import InputError
from rollway.facts.model import WEEKDAYS, Freeze, Window

HORIZON = timedelta(days=365)
_SEARCHED_DAYS = (8, 40, HORIZON.days + 2)
_FIRST_YEAR, _LAST_YEAR = 3, 9997
_SINCE_EVER, _FOR_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""Beyond these years a date of a freeze means for ever; datetime has no room for a time zone there."""


@dataclass(frozen=True, slots=True)
class WindowState:
    """Whether a change may happen at the moment asked about, and why.

    `next_open` is the next moment (UTC) at which it may; None while it is open, and None where nothing
    opens within a year.
    """

    is_open: bool
    reason: str
    next_open: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (not included), UTC."""

    start: datetime
    end: datetime

    def has(self, at: datetime) -> bool:
        return self.start <= at < self.end


def window_state(windows: Sequence[Window], freezes: Sequence[Freeze], at: datetime) -> WindowState:
    """What windows and freezes say at an aware moment. Raises InputError for an unknown time zone."""
    if at.tzinfo is None:
        raise InputError("the moment has no time zone", hint="give a time with its offset")
    at = at.astimezone(UTC)
    frozen = sorted(((_freeze_span(freeze), freeze) for freeze in freezes), key=lambda pair: pair[0].start)
    holding = next((pair for pair in frozen if pair[0].has(at)), None)
    spans = [span for span, _ in frozen]
    if holding is not None:
        return _closed(_frozen_words(*holding), windows, spans, at)
    if not windows:
        return WindowState(True, "no change windows are agreed: always open")
    for window in windows:
        if any(span.has(at) for span in _occurrences(window, at, days=1)):
            return WindowState(True, f"the change window {describe_window(window)} is open")
    return _closed("no change window is open", windows, spans, at)


def describe_window(window: Window) -> str:
    """`mon-fri 22:00-06:00 Europe/Berlin (note)`."""
    note = f" ({window.note})" if window.note else ""
    return f"{_day_words(window)} {window.opens}-{window.closes} {window.timezone}{note}"


def describe_freeze(freeze: Freeze) -> str:
    """`2026-12-20 to 2027-01-03 Europe/Berlin (reason)`."""
    reason = f" ({freeze.reason})" if freeze.reason else ""
    return f"{freeze.first} to {freeze.last} {freeze.timezone}{reason}"


# --- closed: since when, until when ----------------------------------------------------------------


def _closed(why: str, windows: Sequence[Window], frozen: list[Span], at: datetime) -> WindowState:
    next_open = _next_open(windows, frozen, at)
    if next_open is None:
        return WindowState(False, f"{why}; nothing opens within a year")
    zone = zone_named(windows[0].timezone) if windows else UTC
    local = next_open.astimezone(zone)
    return WindowState(False, f"{why}; next opens {local:%a %Y-%m-%d %H:%M %Z}", next_open)


def _next_open(windows: Sequence[Window], frozen: list[Span], at: datetime) -> datetime | None:
    """The first moment from `at` on that lies in a window and in no freeze."""
    if not windows:
        return _first_free(Span(at, at + HORIZON), frozen)
    for days in _SEARCHED_DAYS:
        starts = [
            start
            for window in windows
            for span in _occurrences(window, at, days)
            if span.end > at and (start := _first_free(Span(max(span.start, at), span.end), frozen))
        ]
        # Two days of margin: the occurrences of one calendar day begin at most 26 hours apart.
        if starts and min(starts) <= at + timedelta(days=min(days - 2, HORIZON.days)):
            return min(starts)
    return None


def _first_free(span: Span, frozen: list[Span]) -> datetime | None:
    """The first moment of the span outside every freeze; `frozen` is sorted by its start."""
    start = span.start
    for freeze in frozen:
        if freeze.has(start):
            start = freeze.end
    return start if start < span.end else None


def _occurrences(window: Window, at: datetime, days: int) -> Iterator[Span]:
    """The window's occurrences that open from two local days before `at` to `days` days after it."""
    zone = zone_named(window.timezone)
    today = at.astimezone(zone).date()
    for offset in range(-2, days + 1):
        day = today + timedelta(days=offset)
        if WEEKDAYS[day.weekday()] in window.days:
            yield occurrence(window, zone, day)


def occurrence(window: Window, zone: ZoneInfo, day: date) -> Span:
    """The window as it opens on a local day, whether or not that day is one of its days."""
    closing = day + timedelta(days=1) if ends_next_day(window.opens, window.closes) else day
    return local_span(day, window.opens, closing, window.closes, zone)


def ends_next_day(begins: str, ends: str) -> bool:
    """Does what begins and ends at these times of day (`HH:MM`) end on the day after?"""
    return ends <= begins


def local_span(first: date, begins: str, last: date, ends: str, zone: ZoneInfo) -> Span:
    """From a time of day (`HH:MM`) on one local day to one on another, by the rules above."""
    return Span(
        _moment(first, begins, zone, last=False) if first.year >= _FIRST_YEAR else _SINCE_EVER,
        _moment(last, ends, zone, last=True) if last.year <= _LAST_YEAR else _FOR_EVER,
    )


def _moment(day: date, clock: str, zone: ZoneInfo, *, last: bool) -> datetime:
    midnight = _steady_midnight(zone, day)
    if midnight is not None:
        return midnight + _since_midnight(clock)
    return instant(wall_time(day, clock), zone, last=last)


def _freeze_span(freeze: Freeze) -> Span:
    return local_span(freeze.first, "00:00", freeze.last, "24:00", zone_named(freeze.timezone))


# --- wall time to moments ----------------------------------------------------------------------------


def wall_time(day: date, clock: str) -> datetime:
    """A local day and `HH:MM` as a naive wall time; 24:00 is the next day's midnight."""
    return datetime.combine(day, time()) + _since_midnight(clock)


@lru_cache(maxsize=2_000)
def _since_midnight(clock: str) -> timedelta:
    hours, minutes = clock.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def instant(wall: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """The moment (UTC) of a wall time: skipped ones move to the end of the gap, `last` picks among two."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if last else early
    # In a gap the first reading uses the offset before it and so lies after the change, the second before.
    return _end_of_gap(late, early, zone)


@lru_cache(maxsize=20_000)
def _steady_midnight(zone: ZoneInfo, day: date) -> datetime | None:
    """The beginning (UTC) of a day on which, and on whose neighbours, the clocks do not change; else None.

    A calendar asks for thousands of moments, and nearly all of them lie on such days.
    """
    noon = datetime.combine(day, time(12))
    offsets = {
        (noon + timedelta(hours=hours)).replace(tzinfo=zone).utcoffset() for hours in range(-36, 37, 4)
    }
    offset = offsets.pop()
    if offsets or offset is None:
        return None
    return datetime.combine(day, time(), tzinfo=UTC) - offset


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the clocks jump, by bisection between two moments around it."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, round((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        moment = before + timedelta(seconds=middle)
        low, high = (middle, high) if moment.astimezone(zone).utcoffset() == old else (low, middle)
    return before + timedelta(seconds=high)


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises InputError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "use a name of the IANA list, such as Europe/Berlin or UTC"
        raise InputError(f"there is no time zone '{name}'", hint=hint) from error


def _day_words(window: Window) -> str:
    indexes = sorted({WEEKDAYS.index(day) for day in window.days})
    if len(indexes) == len(WEEKDAYS):
        return "daily"
    if len(indexes) > 2 and indexes[-1] - indexes[0] == len(indexes) - 1:
        return f"{WEEKDAYS[indexes[0]]}-{WEEKDAYS[indexes[-1]]}"
    return ",".join(WEEKDAYS[index] for index in indexes)


def _frozen_words(span: Span, freeze: Freeze) -> str:
    reason = f": {freeze.reason}" if freeze.reason else ""
    return f"a freeze holds to the end of {freeze.last} ({freeze.timezone}){reason}"
