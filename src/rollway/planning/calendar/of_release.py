"""What a release file says about dates, as a booking that the calendar can be asked about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rollway.facts import Release
from rollway.facts.duration import format_duration
from rollway.facts.fact import Fact
from rollway.facts.model import Group, ThirdParty
from rollway.planning.calendar.in_plan import freeze_line, kept_in_plan, window_line
from rollway.planning.calendar.model import Booking, Calendar, Milestone, PlanCalendar
from rollway.readiness.checks.cutover import REHEARSAL_FACTOR

USUAL_DURATION = timedelta(hours=2)


def booking_of(
    release: Release, calendar: Calendar, duration: timedelta | None = None
) -> tuple[Booking, tuple[str, ...]]:
    """The release as the calendar sees it, and what had to be assumed or could not be matched.

    Where the calendar lists a release of the same name, its line stands for what the release file leaves
    open (team, people, overrides, what it comes after) and for the duration. Sites become regions, groups
    of users become tenants.
    """
    listed = next((one for one in calendar.releases if one.name == release.release.name), None)
    notes: list[str] = []
    own: dict[str, Any] = {
        "name": release.release.name,
        "service": release.release.service or release.release.name,
        "duration": duration or (listed.duration if listed else _duration(release, notes)),
        "windows": tuple(map(window_line, release.agreements.windows)),
        "freezes": tuple(map(freeze_line, release.agreements.freezes)),
        "milestones": tuple(map(_milestone, release.architecture.third_parties)),
        "tenants": tuple(group.name for group in release.stakeholders.groups),
        "zones": tuple(dict.fromkeys(group.timezone for group in release.stakeholders.groups)),
        "regions": _regions(release.stakeholders.groups, calendar, notes),
        "team": _team(release.release.team, calendar, notes),
    }
    if calendar.services and own["service"] not in calendar.services:
        notes.append(
            f"the calendar lists no service '{own['service']}': only what holds for all is looked at"
        )
    if (change := _known(release.release.change)) is not None:
        own["change"] = change
    if (deadline := _known(release.goals.deadline)) is not None:
        own["deadline"] = deadline
    if listed is None:
        return Booking(**own), tuple(notes)
    stated = {key: value for key, value in own.items() if value not in ((), "")}
    kept = {key: getattr(listed, key) for key in ("windows", "freezes", "milestones")}
    joined = {key: (*kept[key], *own[key]) for key in kept}
    return listed.model_copy(update=stated | joined), tuple(notes)


def calendar_of_plan(release: Release, calendar: Calendar) -> tuple[PlanCalendar, tuple[str, ...]]:
    """What of the calendar concerns this release, for its plan, and what could not be matched."""
    # The duration is told nowhere in it, so nothing about it is to be noted either.
    booking, notes = booking_of(release, calendar, USUAL_DURATION)
    own = release.agreements
    return kept_in_plan(calendar, booking, len(own.windows), len(own.freezes)), notes


def _known(fact: Fact[Any]) -> Any:
    return fact.value if fact.state != "unknown" else None


def _duration(release: Release, notes: list[str]) -> timedelta:
    planned: timedelta | None = _known(release.migration.duration)
    if planned:
        taken = planned * REHEARSAL_FACTOR
        told = f"its migration's {format_duration(planned)} and half as much again"
        notes.append(f"it takes {format_duration(taken)}: {told}; --duration says better")
        return taken
    notes.append(
        f"no duration is known: {format_duration(USUAL_DURATION)} are assumed; --duration says better"
    )
    return USUAL_DURATION


def _milestone(party: ThirdParty) -> Milestone:
    return Milestone(
        name=party.name, kind=party.kind, valid_from=party.valid_from, valid_until=party.valid_until
    )


def _regions(groups: tuple[Group, ...], calendar: Calendar, notes: list[str]) -> tuple[str, ...]:
    """The regions in which the groups' sites lie; none, which means all, where a site lies in none."""
    of_site = {site.casefold(): region.name for region in calendar.regions for site in region.sites}
    of_site |= {region.name.casefold(): region.name for region in calendar.regions}
    if not of_site or not groups:
        return ()
    found = {group.name: of_site.get((group.site or group.name).casefold()) for group in groups}
    if lost := [name for name, region in found.items() if region is None]:
        notes.append(
            f"the calendar has no region for {', '.join(lost[:5])}: every region's rules are taken to hold"
        )
        return ()
    return tuple(sorted({region for region in found.values() if region}))


def _team(team: str, calendar: Calendar, notes: list[str]) -> str:
    if team and team not in [one.name for one in calendar.teams]:
        notes.append(f"the calendar has no team '{team}': nobody's presence is looked at for it")
        return ""
    return team
