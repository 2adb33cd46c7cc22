"""What holds when, as a list of entries in the order of time: for people to look at, and for iCalendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from rollway.planning.calendar.model import Calendar, CalendarFreeze, Stretch
from rollway.planning.calendar.obstacles import business_freezes, holidays_of, pinned_start
from rollway.planning.calendar.recurring import (
    DAY,
    Horizon,
    day_span,
    occurrences,
    public_holidays,
    window_days,
)
from rollway.planning.calendar.terms import LAST_YEAR
from rollway.planning.calendar.waves import parts_of, title_of
from rollway.planning.windows import Span, occurrence, zone_named

Kind = Literal[
    "window", "freeze", "peak season", "business hours", "holiday", "absence", "milestone", "release"
]
KINDS: tuple[Kind, ...] = (
    *("window", "freeze", "peak season", "business hours"),
    *("holiday", "absence", "milestone", "release"),
)


_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
"""What reaches beyond these has no beginning or no end, and is shown as if it had."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One entry of a calendar: from when to when (UTC), in which zone, and whom it concerns.

    `key` stays the same while its line of the file stays: the day of a recurring one, else "". `days` are
    its first and last local day where it is made of whole days and means the same day everywhere.
    """

    kind: Kind
    name: str
    span: Span
    zone: str
    key: str = ""
    note: str = ""
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    days: tuple[date, date] | None = None

    @property
    def scope(self) -> str:
        """Whom it concerns: `shop, tracking; us`; "" for everybody."""
        return "; ".join(", ".join(names) for names in (self.services, self.regions, self.tenants) if names)

    def concerns(self, service: str, region: str) -> bool:
        """Has it a say for a service and a region? An empty word asks about all."""
        wanted = ((service, self.services), (region, self.regions))
        return all(not word or not names or word in names for word, names in wanted)


def entries(calendar: Calendar, horizon: Horizon) -> list[Occurrence]:
    """Everything the calendar says about the horizon, by beginning, kind and name."""
    found = [
        *_windows(calendar, horizon),
        *_freezes(calendar, horizon),
        *_holidays(calendar, horizon),
        *_absences(calendar, horizon),
        *_milestones(calendar, horizon),
        *_releases(calendar, horizon),
    ]
    return sorted(found, key=lambda one: (one.span.start, KINDS.index(one.kind), one.name, one.zone, one.key))


def _windows(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for window in calendar.windows:
        zone = zone_named(calendar.zone_of(window.timezone, window.regions))
        for day in window_days(window, zone, horizon):
            span = occurrence(window, zone, day)
            if span.start < span.end and horizon.touches(span):
                note = "; ".join(filter(None, (window.note, "may overrun" if window.overrun else "")))
                scope = window.services, window.regions
                yield Occurrence("window", window.name, span, zone.key, day.isoformat(), note, *scope)


def _freezes(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for freeze in calendar.freezes:
        yield from _of_freeze(
            calendar, "freeze", freeze, calendar.zone_of(freeze.timezone, freeze.regions), horizon
        )
    for peak in calendar.peaks:
        yield from _of_freeze(
            calendar, "peak season", peak, calendar.zone_of(peak.timezone, peak.regions), horizon
        )
    for hours in calendar.business_hours:
        for freeze, zone in business_freezes(calendar, hours, ()):
            yield from _of_freeze(calendar, "business hours", freeze, zone, horizon)


def _of_freeze(
    calendar: Calendar, kind: Kind, freeze: CalendarFreeze, zone: str, horizon: Horizon
) -> Iterator[Occurrence]:
    told = [freeze.reason]
    told += [f"not for {' or '.join(freeze.exempt)}"] if freeze.exempt else []
    told += [f"may be overridden by {' or '.join(freeze.override)}"] if freeze.override else []
    scope = freeze.services, freeze.regions, freeze.tenants
    for day, span in occurrences(freeze, zone_named(zone), horizon):
        shown = Span(max(span.start, _FIRST), min(span.end, _LAST))
        key = _key(freeze, day) + (f" {zone}" if kind == "business hours" else "")
        yield Occurrence(kind, freeze.name, shown, zone, key, "; ".join(filter(None, told)), *scope)


def _key(stretch: Stretch, day: date) -> str:
    return day.isoformat() if stretch.recurs else ""


def _holidays(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for agreed in calendar.holidays:
        zone = zone_named(calendar.zone_of(agreed.timezone, agreed.regions))
        place = "-".join(part for part in (agreed.country, agreed.subdivision) if part)
        for day, name in holidays_of(agreed, horizon, zone):
            span = day_span(day, day, zone)
            if horizon.touches(span):
                key, scope = f"{day} {place}", (agreed.services, agreed.regions)
                told = f"{name} ({place})"
                yield Occurrence("holiday", told, span, zone.key, key, "", *scope, days=(day, day))


def _absences(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for person in calendar.people:
        own = calendar.zone_of(person.timezone)
        for number, absence in enumerate(person.absences):
            zone = absence.timezone or own
            for day, span in occurrences(absence, zone_named(zone), horizon):
                key = day.isoformat() if absence.recurs or absence.first else str(number)
                yield Occurrence("absence", f"{person.name} is away", span, zone, key)
        if person.country:
            zone = own
            for day, name in public_holidays(
                person.country, person.subdivision, *horizon.days(zone_named(zone))
            ):
                span = day_span(day, day, zone_named(zone))
                if horizon.touches(span):
                    key = f"{day} holiday"
                    yield Occurrence(
                        "absence", f"{person.name} is away", span, zone, key, name, days=(day, day)
                    )


def _milestones(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for milestone in calendar.milestones:
        zone = calendar.zone_of(milestone.timezone)
        edges = (("begins", milestone.valid_from), ("ends", milestone.valid_until))
        for edge, day in edges:
            if day is None or not horizon.touches(span := day_span(day, day, zone_named(zone))):
                continue
            told = f"{milestone.kind} '{milestone.name}' {edge}"
            yield Occurrence("milestone", told, span, zone, edge, "", milestone.services, days=(day, day))


def _releases(calendar: Calendar, horizon: Horizon) -> Iterator[Occurrence]:
    for booking in calendar.releases:
        for part in parts_of(booking):
            one = part.booking
            begins: datetime | None = pinned_start(calendar, one)
            if begins is not None and horizon.touches(span := Span(begins, begins + one.duration)):
                scope = (one.service,), one.regions, one.tenants
                zone = calendar.calendar.timezone
                yield Occurrence("release", title_of(booking, part), span, zone, part.wave, "", *scope)


def days_of(one: Occurrence, zone_name: str, within: tuple[date, date]) -> Iterator[date]:
    """The days of a stretch on which it holds, by the clocks of a zone; of a window the one it opens on."""
    if one.days is not None:
        first = last = one.days[0]
    elif one.kind in ("window", "release"):
        first = last = one.span.start.astimezone(zone_named(zone_name)).date()
    else:
        first, last = Horizon(one.span.start, one.span.end - one.span.end.resolution).days(
            zone_named(zone_name), before=0
        )
        last -= DAY
    first, last = max(first, within[0]), min(last, within[1])
    yield from (first + number * DAY for number in range((last - first).days + 1))
