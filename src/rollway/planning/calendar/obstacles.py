"""What stands against a release when: freezes, customers' hours, holidays, absences, dates of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from rollway.planning.calendar.model import (
    Booking,
    BusinessHours,
    Calendar,
    CalendarFreeze,
    Holidays,
    Milestone,
    Person,
)
from rollway.planning.calendar.recurring import (
    DAY,
    Horizon,
    day_span,
    occurrences,
    pinned_moment,
    public_holidays,
    stretch_spans,
)
from rollway.planning.calendar.terms import Block, has, overlap, told_day, told_moment
from rollway.planning.windows import Span, zone_named

PIN = "pin"
_LONG = 3650 * DAY
_Kind = tuple[str, CalendarFreeze, str]
"""What a freeze is called, the freeze, and its time zone."""


def blocks(calendar: Calendar, booking: Booking, horizon: Horizon) -> list[Block]:
    """Everything that stands against the release in the horizon, by its beginning."""
    found = [
        *_freezes(calendar, booking, horizon),
        *_holidays(calendar, booking, horizon),
        *_absences(calendar, booking, horizon),
        *_milestones(calendar, booking, horizon),
        *_own_dates(calendar, booking, horizon),
    ]
    return sorted(found, key=lambda block: (block.span.start, block.rule, block.told))


def pinned_start(calendar: Calendar, booking: Booking) -> datetime | None:
    """The start that a person fixed, UTC."""
    return pinned_moment(booking.pinned, zone_named(calendar.calendar.timezone)) if booking.pinned else None


def freezes_for(calendar: Calendar, booking: Booking) -> list[_Kind]:
    """Every freeze that concerns the release, whether or not somebody has overridden it."""
    return [kind for kind in _all_freezes(calendar, booking) if concerns(kind[1], booking)]


def business_freezes(
    calendar: Calendar, hours: BusinessHours, zones: tuple[str, ...]
) -> Iterator[tuple[CalendarFreeze, str]]:
    """Customers' hours as freezes that recur: one for each clock they are read from."""
    scoped = [(calendar.zone_of("", (region,)), (region,)) for region in hours.regions]
    elsewhere = [(zone, ()) for zone in zones or (calendar.calendar.timezone,)]
    clocks = [(hours.timezone, hours.regions)] if hours.timezone else scoped or elsewhere
    for zone, regions in dict.fromkeys(clocks):
        yield (
            CalendarFreeze(
                name=hours.name,
                reason=hours.note,
                begins=hours.opens,
                ends=hours.closes,
                days=hours.days,
                services=hours.services,
                regions=regions,
                overrun=hours.overrun,
                exempt=hours.exempt,
                override=hours.override,
            ),
            zone,
        )


def _all_freezes(calendar: Calendar, booking: Booking) -> Iterator[_Kind]:
    named = (
        ("freeze", calendar.freezes),
        ("peak season", calendar.peaks),
        ("the release's freeze", booking.freezes),
    )
    for kind, freezes in named:
        for freeze in freezes:
            yield kind, freeze, calendar.zone_of(freeze.timezone, freeze.regions)
    for hours in calendar.business_hours:
        for freeze, zone in business_freezes(calendar, hours, booking.zones):
            yield "business hours", freeze, zone


def concerns(freeze: CalendarFreeze | BusinessHours, booking: Booking) -> bool:
    """Has a freeze, a peak season or a line of customers' hours a say in the release's dates?"""
    return (
        booking.change not in freeze.exempt
        and has(freeze.services, booking.service)
        and overlap(freeze.regions, booking.regions)
        and overlap(getattr(freeze, "tenants", ()), booking.tenants)
    )


def _freezes(calendar: Calendar, booking: Booking, horizon: Horizon) -> Iterator[Block]:
    for kind, freeze, zone_name in freezes_for(calendar, booking):
        lifted = {override.on for override in booking.overrides if override.freeze == freeze.name}
        if None in lifted:
            continue
        zone = zone_named(zone_name)
        rule = f"{kind} '{freeze.name}'"
        told = f"{rule} ({freeze.reason})" if freeze.reason else rule
        held = [span for day, span in occurrences(freeze, zone, horizon) if day not in lifted]
        for span in _joined(held):
            yield Block(rule, span, told, freeze.overrun, zone_name)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Occurrences that touch, as one."""
    result: list[Span] = []
    for span in spans:
        if result and span.start <= result[-1].end:
            before = result.pop()
            result.append(Span(before.start, max(before.end, span.end)))
        else:
            result.append(span)
    return result


def _holidays(calendar: Calendar, booking: Booking, horizon: Horizon) -> Iterator[Block]:
    for agreed in calendar.holidays:
        if has(agreed.services, booking.service) and overlap(agreed.regions, booking.regions):
            zone = zone_named(calendar.zone_of(agreed.timezone, agreed.regions))
            place = "-".join(part for part in (agreed.country, agreed.subdivision) if part)
            for day, name in holidays_of(agreed, horizon, zone):
                words = f"{name} ({place}) on {told_day(_noon(day))}"
                yield Block(f"holidays of {place}", day_span(day, day, zone), words, agreed.overrun)


def holidays_of(agreed: Holidays, horizon: Horizon, zone: ZoneInfo) -> list[tuple[date, str]]:
    """The days of a line of holidays that touch the horizon, and their names."""
    days = horizon.days(zone)
    kinds = agreed.categories
    return public_holidays(agreed.country, agreed.subdivision, *days, categories=kinds, eve=agreed.eve)


def _absences(calendar: Calendar, booking: Booking, horizon: Horizon) -> Iterator[Block]:
    people = {person.name: person for person in calendar.people}
    for name in dict.fromkeys(booking.people):
        if name in people:
            zone_name = calendar.zone_of(people[name].timezone)
            for span, reason in away(calendar, people[name], horizon):
                told = f"{name} is away ({reason})" if reason else f"{name} is away"
                yield Block(f"absence of {name}", span, told, zone=zone_name)
    for team in calendar.teams:
        if team.name == booking.team and team.at_least:
            gone = [away(calendar, people[name], horizon) for name in team.people if name in people]
            yield from _too_few(f"team {team.name}", gone, team.at_least)


def away(calendar: Calendar, person: Person, horizon: Horizon) -> list[tuple[Span, str]]:
    """When somebody is not there in the horizon, and why."""
    zone = zone_named(calendar.zone_of(person.timezone))
    found = [
        (span, absence.reason)
        for absence in person.absences
        for span in stretch_spans(
            absence, zone_named(absence.timezone) if absence.timezone else zone, horizon
        )
    ]
    if person.country:
        days = public_holidays(person.country, person.subdivision, *horizon.days(zone))
        found += [(day_span(day, day, zone), name) for day, name in days]
    return sorted(found, key=lambda one: (one[0].start, one[0].end, one[1]))


def _too_few(rule: str, gone: list[list[tuple[Span, str]]], at_least: int) -> Iterator[Block]:
    """The stretches in which fewer than `at_least` of the people are there."""
    edges = sorted({edge for one in gone for span, _ in one for edge in (span.start, span.end)})
    for start, end in pairwise(edges):
        there = sum(not any(span.has(start) for span, _ in one) for one in gone)
        if there < at_least:
            yield Block(rule, Span(start, end), f"{rule} has {there} people there and needs {at_least}")


def _milestones(calendar: Calendar, booking: Booking, horizon: Horizon) -> Iterator[Block]:
    named = [
        milestone
        for milestone in calendar.milestones
        if milestone.name in booking.needs or booking.service in milestone.services
    ]
    for milestone in (*named, *booking.milestones):
        yield from _outside(calendar, milestone, horizon)


def _outside(calendar: Calendar, milestone: Milestone, horizon: Horizon) -> Iterator[Block]:
    zone = zone_named(calendar.zone_of(milestone.timezone))
    rule = f"{milestone.kind} '{milestone.name}'"
    if milestone.valid_from:
        begins = day_span(milestone.valid_from, milestone.valid_from, zone).start
        words = f"{rule} begins on {told_day(_noon(milestone.valid_from))}"
        yield Block(rule, _until_then(begins, horizon), words)
    if milestone.valid_until:
        ends = day_span(milestone.valid_until, milestone.valid_until, zone).end
        words = f"{rule} ends on {told_day(_noon(milestone.valid_until))}"
        yield Block(rule, _from_then_on(ends, horizon), words)


def _own_dates(calendar: Calendar, booking: Booking, horizon: Horizon) -> Iterator[Block]:
    zone = zone_named(calendar.calendar.timezone)
    if booking.earliest:
        begins = day_span(booking.earliest, booking.earliest, zone).start
        words = f"not before {told_day(_noon(booking.earliest))}"
        yield Block("earliest day", _until_then(begins, horizon), words)
    if booking.deadline:
        ends = day_span(booking.deadline, booking.deadline, zone).end
        words = f"past the deadline {told_day(_noon(booking.deadline))}"
        yield Block("deadline", _from_then_on(ends, horizon), words)
    if booking.trained:
        ready = day_span(booking.trained, booking.trained, zone).end + booking.training_lead
        words = f"training and its lead end on {told_moment(ready.astimezone(zone))}"
        yield Block("training", _until_then(ready, horizon), words)
    pinned = pinned_start(calendar, booking)
    if pinned is not None:
        words = f"pinned to {told_moment(pinned.astimezone(zone))} {zone.key}"
        yield Block(PIN, _until_then(pinned, horizon), words, overrun=True)
        yield Block(PIN, _from_then_on(pinned + pinned.resolution, horizon), words, overrun=True)


def _until_then(ends: datetime, horizon: Horizon) -> Span:
    """From before the horizon to a moment."""
    return Span(min(horizon.start - DAY, ends), ends)


def _from_then_on(begins: datetime, horizon: Horizon) -> Span:
    """From a moment to long after the horizon."""
    return Span(begins, max(horizon.end + _LONG, begins))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
