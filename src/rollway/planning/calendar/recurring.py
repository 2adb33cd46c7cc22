"""When windows and freezes occur: whole local days first, then moments by the wall clock of their zone.

A wall time that the clocks skip means the first moment after the gap. One that comes twice means the first
for a beginning and the last for an end. `clock_notes` tells each time that this rule was needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from rollway.errors import InputError
from rollway.facts.model import WEEKDAYS, Weekday
from rollway.planning.calendar.model import Calendar, CalendarFreeze, ChangeWindow, Stretch
from rollway.planning.windows import (
    Span,
    ends_next_day,
    instant,
    local_span,
    occurrence,
    wall_time,
    zone_named,
)

DAY = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)
"""Days before and after these stand for ever; no clock notes are taken of them."""
_RUN_UP = 14 * DAY
"""How long before the days asked for a rule is set going, so that its first week and month are whole."""
_ANCHORED = re.compile(r"(COUNT|INTERVAL)=")
_DAYS_BY_ITSELF = re.compile(r"FREQ=DAILY|(BYDAY|BYMONTHDAY|BYYEARDAY|BYWEEKNO)=")
_KNOWN_KEY = re.compile("FREQ|INTERVAL|COUNT|UNTIL|BY(DAY|MONTHDAY|MONTH|SETPOS|WEEKNO|YEARDAY)|WKST")
_EARLIEST, _LATEST = 1970, 2999
WallKind = Literal["plain", "skipped", "twice"]


@dataclass(frozen=True, slots=True)
class Horizon:
    """The stretch of time that is looked at, UTC: `start` included, `end` not."""

    start: datetime
    end: datetime

    def days(self, zone: ZoneInfo, *, before: int = 2) -> tuple[date, date]:
        """The local days that touch it, and some before for what began earlier."""
        first = self.start.astimezone(zone).date() - before * DAY
        return first, self.end.astimezone(zone).date() + DAY

    def touches(self, span: Span) -> bool:
        return span.start < self.end and span.end > self.start


@lru_cache(maxsize=2_000)
def rule_days(rule: str, first: date | None, begin: date, end: date) -> tuple[date, ...]:
    """The days between `begin` and `end` (both included) that a rule names. Raises ValueError.

    The rule counts from `first`; time of day has no part in it, so no change of the clocks touches it.
    """
    from dateutil.rrule import rrulestr

    text = _rule_text(rule, first)
    counted_from = begin - _RUN_UP
    if first is not None and (_ANCHORED.search(text) or not _DAYS_BY_ITSELF.search(text)):
        counted_from = first
    series = rrulestr(text, dtstart=datetime.combine(counted_from, time()))
    since = max(begin, first or begin)
    found = series.between(datetime.combine(since, time()), datetime.combine(end, time()), inc=True)
    return tuple(moment.date() for moment in found)


def _rule_text(rule: str, first: date | None) -> str:
    text = rule.strip().upper().removeprefix("RRULE:").strip(";")
    keys = [part.partition("=")[0] for part in text.split(";")]
    if odd := [key for key in keys if not _KNOWN_KEY.fullmatch(key)]:
        raise ValueError(f"'{odd[0]}' is no part of a rule of days")
    if not re.search(r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;|$)", text):
        raise ValueError("a rule of days has FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if first is None and _ANCHORED.search(text):
        raise ValueError("COUNT and INTERVAL count from a day: give 'first'")
    if first is None and not _DAYS_BY_ITSELF.search(text):
        raise ValueError("it does not say on which days: add BYDAY or BYMONTHDAY, or give 'first'")
    if re.search(r"UNTIL=(?!\d{8}(;|$))", text):
        raise ValueError("UNTIL is a day here, such as UNTIL=20271231")
    return text


# --- windows and freezes -----------------------------------------------------------------------------


def window_days(window: ChangeWindow, zone: ZoneInfo, horizon: Horizon) -> list[date]:
    """The local days on which a window opens."""
    return _days(window.rule, window.days, window.first, window.last, horizon.days(zone))


def window_spans(calendar: Calendar, window: ChangeWindow, horizon: Horizon) -> list[Span]:
    """Each time the window is open in the horizon, in order; elapsed lengths follow the clocks."""
    zone = zone_named(calendar.zone_of(window.timezone, window.regions))
    spans = [occurrence(window, zone, day) for day in window_days(window, zone, horizon)]
    return [span for span in spans if span.start < span.end and horizon.touches(span)]


def stretch_spans(stretch: Stretch, zone: ZoneInfo, horizon: Horizon) -> list[Span]:
    """Each time a freeze or an absence holds in the horizon, in order."""
    return [span for _, span in occurrences(stretch, zone, horizon)]


def occurrences(stretch: Stretch, zone: ZoneInfo, horizon: Horizon) -> list[tuple[date, Span]]:
    """The local day on which each occurrence begins, and from when to when it holds."""
    found = [
        (first, local_span(first, stretch.begins, last, stretch.ends, zone))
        for first, last in _stretch_days(stretch, zone, horizon)
    ]
    return [(day, span) for day, span in found if span.start < span.end and horizon.touches(span)]


def day_span(first: date, last: date, zone: ZoneInfo) -> Span:
    """From the first moment of one local day to the end of another."""
    return local_span(first, "00:00", last, "24:00", zone)


def _stretch_days(stretch: Stretch, zone: ZoneInfo, horizon: Horizon) -> Iterator[tuple[date, date]]:
    if not stretch.recurs:
        yield stretch.first or date.min, stretch.last or date.max
        return
    lasts = stretch.lasts_days - 1
    if not lasts and ends_next_day(stretch.begins, stretch.ends):
        lasts = 1  # 22:00 to 06:00 ends on the next morning, as it does for a window
    within = horizon.days(zone, before=stretch.lasts_days + 2)
    for day in _days(stretch.rule, stretch.days, stretch.first, stretch.last, within):
        yield day, day + lasts * DAY


def _days(
    rule: str, weekdays: tuple[Weekday, ...], first: date | None, last: date | None, within: tuple[date, date]
) -> list[date]:
    begin, end = max(within[0], first or within[0]), min(within[1], last or within[1])
    if begin > end:
        return []
    days = rule_days(rule, first, begin, end) if rule else _each(begin, end)
    wanted = {WEEKDAYS.index(day) for day in weekdays} or set(range(7))
    return [day for day in days if day.weekday() in wanted]


@lru_cache(maxsize=200)
def _each(begin: date, end: date) -> tuple[date, ...]:
    return tuple(begin + offset * DAY for offset in range((end - begin).days + 1))


# --- public holidays ---------------------------------------------------------------------------------


def public_holidays(
    country: str,
    subdivision: str,
    first: date,
    last: date,
    *,
    categories: tuple[str, ...] = ("public",),
    eve: bool = False,
) -> list[tuple[date, str]]:
    """The holidays between two days (both included), with the days before them if `eve`."""
    named = dict(_holidays_of_years(country, subdivision, categories, first.year, (last + DAY).year))
    if eve:
        named = {day - DAY: f"the eve of {name}" for day, name in named.items()} | named
    return sorted((day, name) for day, name in named.items() if first <= day <= last)


@lru_cache(maxsize=200)
def _holidays_of_years(
    country: str, subdivision: str, categories: tuple[str, ...], first: int, last: int
) -> tuple[tuple[date, str], ...]:
    import holidays

    found = holidays.country_holidays(
        country, subdiv=subdivision or None, years=range(first, last + 1), categories=categories
    )
    return tuple(found.items())


# --- wall times that are no plain moments --------------------------------------------------------------


def wall_kind(wall: datetime, zone: ZoneInfo) -> WallKind:
    """Does a wall time come once, never or twice in its zone?"""
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return "plain" if early == late else "twice" if early < late else "skipped"


def pinned_moment(text: str, zone: ZoneInfo) -> datetime:
    """`2026-11-28 22:00` by the wall clock of a zone, or a time with its offset, as UTC. Raises InputError.

    A person who pins a time means one moment, so here nothing is resolved: skipped and doubled times are
    refused.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it as 2026-11-28 22:00"
        raise InputError(f"'{text}' is not a moment", hint=hint) from None
    if not _EARLIEST <= moment.year <= _LATEST:
        raise InputError(f"{text} is no time to plan for", hint=f"give a year from {_EARLIEST} to {_LATEST}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    kind = wall_kind(moment, zone)
    if kind == "skipped":
        after = instant(moment, zone, last=False).astimezone(zone)
        hint = f"the clocks jump over it; the first moment after that is {after:%H:%M}"
        raise InputError(f"{text} does not exist in {zone.key}", hint=hint)
    if kind == "twice":
        both = [moment.replace(tzinfo=zone, fold=fold).isoformat(timespec="minutes") for fold in (0, 1)]
        raise InputError(f"{text} comes twice in {zone.key}", hint=f"write {both[0]} or {both[1]}")
    return moment.replace(tzinfo=zone).astimezone(UTC)


def clock_notes(
    calendar: Calendar, windows: Sequence[ChangeWindow], freezes: Sequence[CalendarFreeze], horizon: Horizon
) -> list[str]:
    """Every edge of these in the horizon that the clocks skip or repeat, and what it was taken for."""
    notes: list[str] = []
    for window in windows:
        zone = zone_named(calendar.zone_of(window.timezone, window.regions))
        for day in window_days(window, zone, horizon):
            if horizon.touches(occurrence(window, zone, day)):
                closing = day + DAY if ends_next_day(window.opens, window.closes) else day
                edges = (day, window.opens), (closing, window.closes)
                notes += _edges(f"window '{window.name}'", zone, *edges)
    for freeze in freezes:
        zone = zone_named(calendar.zone_of(freeze.timezone, freeze.regions))
        for first, last in _stretch_days(freeze, zone, horizon):
            span = local_span(first, freeze.begins, last, freeze.ends, zone)
            if horizon.touches(span) and first > FIRST_DAY and last < LAST_DAY:
                notes += _edges(f"freeze '{freeze.name}'", zone, (first, freeze.begins), (last, freeze.ends))
    return notes


def _edges(name: str, zone: ZoneInfo, beginning: tuple[date, str], end: tuple[date, str]) -> Iterator[str]:
    for (day, clock), last in ((beginning, False), (end, True)):
        wall = wall_time(day, clock)
        if (kind := wall_kind(wall, zone)) != "plain":
            taken = instant(wall, zone, last=last).astimezone(zone)
            told = "does not exist" if kind == "skipped" else "comes twice"
            yield (
                f"{name}: {wall:%a} {day.day} {wall:%b %Y %H:%M} {told} in {zone.key}; "
                f"taken as {taken:%H:%M %Z}"
            )
