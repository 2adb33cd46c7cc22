"""What lines of a calendar file must agree on: zones, names, rules, days, and who may override what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from rollway.errors import InputError
from rollway.facts.problems import Where, did_you_mean, shown
from rollway.facts.words import Misfit
from rollway.planning.calendar.model import Booking, Calendar, CalendarFreeze, ChangeWindow, Stretch
from rollway.planning.calendar.recurring import pinned_moment, rule_days
from rollway.planning.windows import ends_next_day, zone_named

Finding = tuple[Where, Misfit]
_SCOPED = ("windows", "freezes", "peaks", "business_hours", "holidays", "milestones", "conflicts", "releases")
_ZONED = ("regions", "windows", "freezes", "peaks", "business_hours", "holidays", "people", "milestones")
_NAMED = (
    *("regions", "windows", "freezes", "peaks", "business_hours", "people", "teams", "milestones"),
    *("conflicts", "releases"),
)
_SHOWN = 12


def calendar_checks(calendar: Calendar, *, scopes: bool = True) -> Iterator[Finding]:
    """Every disagreement inside the calendar, with its path.

    Without `scopes` nobody asks whether the services and regions that lines name are listed.
    """
    yield from _zone(("calendar", "timezone"), calendar.calendar.timezone)
    for list_name in _ZONED:
        for index, entry in enumerate(getattr(calendar, list_name)):
            if entry.timezone:
                yield from _zone((list_name, index, "timezone"), entry.timezone)
    for list_name in _NAMED:
        yield from _twice(list_name, [entry.name for entry in getattr(calendar, list_name)])
    yield from _freeze_names(calendar)
    if scopes:
        yield from _scopes(calendar)
    for index, window in enumerate(calendar.windows):
        yield from _rule(("windows", index), window)
    for list_name in ("freezes", "peaks"):
        for index, freeze in enumerate(getattr(calendar, list_name)):
            yield from _stretch((list_name, index), freeze)
    for index, holidays in enumerate(calendar.holidays):
        yield from _country(("holidays", index), holidays.country, holidays.subdivision, holidays.categories)
    for index, milestone in enumerate(calendar.milestones):
        yield from _order(
            ("milestones", index), milestone.valid_from, milestone.valid_until, "valid_from", "valid_until"
        )
    yield from _people(calendar)
    yield from booking_checks(calendar.releases, calendar)


def booking_checks(bookings: Sequence[Booking], calendar: Calendar) -> Iterator[Finding]:
    """What releases name and nobody knows, pins that are no moment, overrides that nobody may give."""
    people = [person.name for person in calendar.people]
    milestones = [milestone.name for milestone in calendar.milestones]
    teams = [team.name for team in calendar.teams]
    groups = [group.name for group in calendar.conflicts]
    for index, booking in enumerate(bookings):
        where: Where = ("releases", index)
        yield from _unknown((*where, "people"), booking.people, people, "person")
        yield from _unknown((*where, "needs"), booking.needs, milestones, "milestone")
        yield from _unknown((*where, "conflicts"), booking.conflicts, groups, "conflict group")
        if booking.team and booking.team not in teams:
            yield (*where, "team"), _no_such("team", booking.team, teams)
        if not booking.duration:
            yield (*where, "duration"), Misfit("a release that takes no time needs no slot")
        for number, zone in enumerate(booking.zones):
            yield from _zone((*where, "zones", number), zone)
        yield from _order(where, booking.earliest, booking.deadline, "earliest", "deadline")
        yield from _pin(where, booking.pinned, calendar)
        yield from _waves(where, booking, calendar)
        yield from _overrides(where, booking, calendar)
        yield from _own_rules(where, booking)


def _own_rules(where: Where, booking: Booking) -> Iterator[Finding]:
    for number, window in enumerate(booking.windows):
        inside: Where = (*where, "windows", number)
        yield from _zone((*inside, "timezone"), window.timezone) if window.timezone else ()
        yield from _rule(inside, window)
    for number, freeze in enumerate(booking.freezes):
        inside = (*where, "freezes", number)
        yield from _zone((*inside, "timezone"), freeze.timezone) if freeze.timezone else ()
        yield from _stretch(inside, freeze)


def _waves(where: Where, booking: Booking, calendar: Calendar) -> Iterator[Finding]:
    seen: set[str] = set()
    regions = [region.name for region in calendar.regions]
    for number, wave in enumerate(booking.waves):
        inside: Where = (*where, "waves", number)
        if wave.name in seen:
            misfit = Misfit(f"{shown(wave.name)} is the name of two waves", "give each a name of its own")
            yield (*inside, "name"), misfit
        seen.add(wave.name)
        yield from _pin(inside, wave.pinned, calendar)
        if number == 0 and wave.pinned and booking.pinned:
            hint = "leave one of the two out"
            yield (
                (*inside, "pinned"),
                Misfit("a pin of the release is the first wave's, which has its own", hint),
            )
        if wave.duration is not None and not wave.duration:
            yield (*inside, "duration"), Misfit("a wave that takes no time needs no slot")
        for place, zone in enumerate(wave.zones):
            yield from _zone((*inside, "zones", place), zone)
        if regions:
            yield from _unknown((*inside, "regions"), wave.regions, regions, "region")


def _pin(where: Where, pinned: str, calendar: Calendar) -> Iterator[Finding]:
    if pinned:
        try:
            pinned_moment(pinned, zone_named(calendar.calendar.timezone))
        except InputError as error:
            yield (*where, "pinned"), Misfit(error.message, error.hint)


def _overrides(where: Where, booking: Booking, calendar: Calendar) -> Iterator[Finding]:
    freezes = {freeze.name: freeze.override for freeze in (*calendar.freezes, *calendar.peaks)}
    freezes |= {hours.name: hours.override for hours in calendar.business_hours}
    for index, override in enumerate(booking.overrides):
        inside: Where = (*where, "overrides", index)
        if override.freeze not in freezes:
            yield (*inside, "freeze"), _no_such("freeze", override.freeze, list(freezes))
        elif override.by not in freezes[override.freeze]:
            who = ", ".join(freezes[override.freeze]) or "nobody"
            message = f"{shown(override.by)} may not override '{override.freeze}'"
            yield (*inside, "by"), Misfit(message, f"who may: {who}")


# --- scopes ------------------------------------------------------------------------------------------


def _scopes(calendar: Calendar) -> Iterator[Finding]:
    """Names of services and regions that no list knows: a rule for a misspelt one would hold for nothing."""
    regions = [region.name for region in calendar.regions]
    for list_name in _SCOPED:
        for index, entry in enumerate(getattr(calendar, list_name)):
            where: Where = (list_name, index)
            if calendar.services:
                named = getattr(entry, "services", ())
                yield from _unknown((*where, "services"), named, calendar.services, "service")
            if regions:
                yield from _unknown((*where, "regions"), getattr(entry, "regions", ()), regions, "region")
    if calendar.services:
        for index, booking in enumerate(calendar.releases):
            if booking.service not in calendar.services:
                misfit = _no_such("service", booking.service, calendar.services)
                yield ("releases", index, "service"), misfit


# --- days --------------------------------------------------------------------------------------------


def _stretch(where: Where, stretch: Stretch) -> Iterator[Finding]:
    yield from _rule(where, stretch)
    if not stretch.recurs and (stretch.first is None or stretch.last is None):
        kind = "freeze" if isinstance(stretch, CalendarFreeze) else "absence"
        hint = "give first and last, or days or a rule by which it recurs"
        yield where, Misfit(f"this {kind} has no days", hint)
    if not stretch.recurs and stretch.lasts_days > 1:
        yield (
            (*where, "lasts_days"),
            Misfit("only what recurs lasts so many days", "give the last day as last"),
        )
    same_day = not stretch.recurs and stretch.first and stretch.first == stretch.last
    if same_day and ends_next_day(stretch.begins, stretch.ends):
        yield (*where, "ends"), Misfit("this ends before it begins", "give the next day as its last")


def _rule(where: Where, entry: ChangeWindow | Stretch) -> Iterator[Finding]:
    yield from _order(where, entry.first, entry.last, "first", "last")
    if entry.rule:
        begin = entry.first or date(2026, 1, 1)
        try:
            rule_days(entry.rule, entry.first, begin, begin)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            yield (
                (*where, "rule"),
                Misfit(f"this rule cannot be read: {error}", "such as FREQ=MONTHLY;BYDAY=3SA"),
            )


def _order(where: Where, first: date | None, last: date | None, one: str, other: str) -> Iterator[Finding]:
    if first and last and last < first:
        yield (*where, other), Misfit(f"{other} {last} is before {one} {first}")


def _people(calendar: Calendar) -> Iterator[Finding]:
    known = [person.name for person in calendar.people]
    for index, person in enumerate(calendar.people):
        if person.country:
            yield from _country(("people", index), person.country, person.subdivision)
        for number, absence in enumerate(person.absences):
            where: Where = ("people", index, "absences", number)
            if absence.timezone:
                yield from _zone((*where, "timezone"), absence.timezone)
            yield from _stretch(where, absence)
    for index, team in enumerate(calendar.teams):
        yield from _unknown(("teams", index, "people"), team.people, known, "person")
        if team.at_least > len(team.people):
            message = f"{team.at_least} of {len(team.people)} people can never be there"
            yield ("teams", index, "at_least"), Misfit(message)
        for number, hours in enumerate(team.hours):
            yield from _zone(("teams", index, "hours", number, "timezone"), hours.timezone)


def _country(
    where: Where, country: str, subdivision: str, categories: tuple[str, ...] = ()
) -> Iterator[Finding]:
    import holidays

    countries = holidays.list_supported_countries()
    if country not in countries:
        message = f"{shown(country)} is no country whose holidays are known"
        yield (*where, "country"), Misfit(message, "write its two letters, such as CH or GB")
        return
    kinds = sorted(holidays.country_holidays(country).supported_categories)
    for index, kind in enumerate(categories):
        if kind not in kinds:
            misfit = Misfit(f"{country} has no {shown(kind)} holidays", f"known: {', '.join(kinds)}")
            yield (*where, "categories", index), misfit
    if subdivision and subdivision not in countries[country]:
        known = countries[country]
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        hint = did_you_mean(subdivision, known) or f"known: {', '.join(known[:_SHOWN])}{more}"
        yield (*where, "subdivision"), Misfit(f"{country} has no subdivision {shown(subdivision)}", hint)


def _zone(where: Where, name: str) -> Iterator[Finding]:
    try:
        zone_named(name)
    except InputError as error:
        yield where, Misfit(error.message, error.hint)


def _twice(list_name: str, names: list[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (list_name, index, "name"), Misfit(f"{shown(name)} is named twice under {list_name}")
        seen.add(name)


def _freeze_names(calendar: Calendar) -> Iterator[Finding]:
    """An override names a freeze, so no two lists of them may share a name."""
    seen: dict[str, str] = {}
    for list_name in ("freezes", "peaks", "business_hours"):
        for index, freeze in enumerate(getattr(calendar, list_name)):
            other = seen.setdefault(freeze.name, list_name)
            if other != list_name:
                message = f"{shown(freeze.name)} is a name under {other} already"
                yield (list_name, index, "name"), Misfit(message, "overrides could not tell them apart")


def _unknown(where: Where, names: Sequence[str], known: Sequence[str], kind: str) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name not in known:
            yield (*where, index), _no_such(kind, name, known)


def _no_such(kind: str, name: str, known: Sequence[str]) -> Misfit:
    near = did_you_mean(name, known) or f"known here: {', '.join(known) or 'none'}"
    return Misfit(f"there is no {kind} {shown(name)}", near)
