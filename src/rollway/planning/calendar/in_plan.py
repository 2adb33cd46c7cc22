"""What of a calendar belongs into a plan, and what plan and calendar together say at a moment.

The same rules answer while one plans (`next_slots`) and before each stage of a rollout (`plan_state`). What
was computed is kept for as long as it stays true, so a rollout that waits for weeks costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollway.facts.model import Freeze, Window
from rollway.planning.calendar.model import (
    Booking,
    Calendar,
    CalendarFreeze,
    ChangeWindow,
    Heading,
    Person,
    PlanCalendar,
    Region,
    Team,
)
from rollway.planning.calendar.obstacles import PIN, concerns, pinned_start
from rollway.planning.calendar.openings import regions_of
from rollway.planning.calendar.recurring import DAY
from rollway.planning.calendar.slots import Spell, calendar_spell
from rollway.planning.calendar.terms import Block, has, overlap, told_moment
from rollway.planning.windows import Span, WindowState, window_state, zone_named

if TYPE_CHECKING:
    from datetime import datetime

    from rollway.planning.model import Plan

_KEPT = (
    *("name", "service", "regions", "tenants", "zones", "team", "people", "change", "earliest", "needs"),
    *("pinned", "overrides", "windows", "freezes", "milestones", "trained", "training_lead"),
)
"""What of a booking has a say while its rollout runs."""

_REMEMBERED = 10_000
_Asked = tuple[PlanCalendar, tuple[Window, ...], tuple[Freeze, ...]]
_spells: dict[_Asked, Spell] = {}


def plan_state(plan: Plan, at: datetime) -> WindowState:
    """May a stage of this plan be entered at an aware moment, and if not, when next?

    The plan's own windows and freezes and its calendar in one answer; closed wins.
    """
    if plan.calendar is None:
        return window_state(plan.windows, plan.freezes, at)
    asked = (plan.calendar, plan.windows, plan.freezes)
    known = _spells.get(asked)
    if known is None or not known.span.has(at):
        known = _spell(*asked, at)
        if len(_spells) >= _REMEMBERED:
            _spells.clear()
        _spells[asked] = known
    return known.state


def future_state(plan: Plan, at: datetime) -> WindowState:
    """The same for a moment that is not now; nothing of it is kept."""
    if plan.calendar is None:
        return window_state(plan.windows, plan.freezes, at)
    return _spell(plan.calendar, plan.windows, plan.freezes, at).state


def plan_lines(plan: Plan) -> Calendar:
    """The plan's windows and freezes and those of its calendar, as one calendar of this release."""
    zone = plan.windows[0].timezone if plan.windows else "UTC"
    kept = plan.calendar
    held = Calendar(calendar=Heading(name="own", timezone=zone)) if kept is None else kept.calendar
    windows = () if kept is None else kept.booking.windows
    freezes = () if kept is None else kept.booking.freezes
    own = [window_line(window).model_copy(update={"name": plan.name}) for window in plan.windows]
    return held.model_copy(
        update={
            "windows": (*held.windows, *windows, *own),
            "freezes": (*held.freezes, *freezes, *map(freeze_line, plan.freezes)),
        }
    )


def _spell(kept: PlanCalendar, windows: Sequence[Window], freezes: Sequence[Freeze], at: datetime) -> Spell:
    own, calendar = kept.booking, kept.calendar
    booking = own.model_copy(
        update={
            "windows": (*own.windows, *map(window_line, windows)),
            "freezes": (*own.freezes, *map(freeze_line, freezes)),
            "pinned": "",
        }
    )
    return calendar_spell(calendar, booking, at, _not_before_its_pin(calendar, own))


def _not_before_its_pin(calendar: Calendar, booking: Booking) -> list[Block]:
    """A pin says when the release begins; its later stages may be entered later."""
    pinned = pinned_start(calendar, booking)
    if pinned is None:
        return []
    zone = zone_named(calendar.calendar.timezone)
    words = f"pinned to {told_moment(pinned.astimezone(zone))} {zone.key}"
    return [Block(PIN, Span(pinned - 3650 * DAY, pinned), words)]


# --- what of a calendar belongs into the plan ----------------------------------------------------------


def kept_in_plan(
    calendar: Calendar, booking: Booking, own_windows: int = 0, own_freezes: int = 0
) -> PlanCalendar:
    """What has a say in the release's dates while it runs; asked about it, it answers as the whole does.

    The last `own_windows` and `own_freezes` of the booking stand in the plan itself and are left out here.
    """
    stays = {name: getattr(booking, name) for name in _KEPT}
    stays["windows"] = booking.windows[: len(booking.windows) - own_windows]
    stays["freezes"] = booking.freezes[: len(booking.freezes) - own_freezes]
    held = _concerning(calendar, booking)
    freezes = (*held.freezes, *held.peaks)
    names = {one.name for one in freezes} | {hours.name for hours in held.business_hours}
    dated = (one for one in booking.milestones if one.valid_from or one.valid_until)
    stays["milestones"] = tuple(dated)
    stays["overrides"] = tuple(one for one in booking.overrides if one.freeze in names)
    return PlanCalendar(calendar=held, booking=Booking(**stays))


def _concerning(calendar: Calendar, booking: Booking) -> Calendar:
    where = regions_of(calendar, booking)
    teams = [team for team in calendar.teams if team.name == booking.team]
    wanted = {*booking.people, *(name for team in teams for name in team.people)}
    return Calendar(
        calendar=calendar.calendar,
        regions=_regions(calendar, where),
        windows=tuple(
            window
            for window in calendar.windows
            if has(window.services, booking.service) and any(has(window.regions, one) for one in where)
        ),
        freezes=tuple(freeze for freeze in calendar.freezes if concerns(freeze, booking)),
        peaks=tuple(peak for peak in calendar.peaks if concerns(peak, booking)),
        business_hours=tuple(hours for hours in calendar.business_hours if concerns(hours, booking)),
        holidays=tuple(
            agreed
            for agreed in calendar.holidays
            if has(agreed.services, booking.service) and overlap(agreed.regions, booking.regions)
        ),
        people=tuple(_without_reasons(person) for person in calendar.people if person.name in wanted),
        teams=tuple(Team(name=team.name, people=team.people, at_least=team.at_least) for team in teams),
        milestones=tuple(
            milestone
            for milestone in calendar.milestones
            if milestone.name in booking.needs or booking.service in milestone.services
        ),
    )


def _regions(calendar: Calendar, where: tuple[str, ...]) -> tuple[Region, ...]:
    """The regions and their clocks, with those of the release that only a window of others names."""
    zone = calendar.calendar.timezone
    listed = {region.name: region.timezone for region in calendar.regions}
    clocks = {name: zone for name in where if name} | listed
    return tuple(Region(name=name, timezone=clock) for name, clock in clocks.items())


def _without_reasons(person: Person) -> Person:
    """Why somebody is away is nobody's business who reads the plan."""
    quiet = tuple(absence.model_copy(update={"reason": ""}) for absence in person.absences)
    return person.model_copy(update={"absences": quiet})


def window_line(window: Window) -> ChangeWindow:
    """A release file's window as a line of a calendar."""
    return ChangeWindow(**{key: getattr(window, key) for key in Window.model_fields})


def freeze_line(freeze: Freeze) -> CalendarFreeze:
    """A release file's freeze as a line of a calendar."""
    name = freeze.reason or "its own freeze"
    return CalendarFreeze(name=name, first=freeze.first, last=freeze.last, timezone=freeze.timezone)


def calendar_words(kept: PlanCalendar) -> str:
    """`calendar 'harbour' holds: 2 windows, 1 freeze, holidays of CH-BS`."""
    lines = kept.calendar
    counts: tuple[tuple[str, Sequence[object]], ...] = (
        ("window", lines.windows),
        ("freeze", lines.freezes),
        ("peak season", lines.peaks),
        ("set of business hours", lines.business_hours),
        ("set of holidays", lines.holidays),
        ("person", lines.people),
        ("date of a third party", lines.milestones),
    )
    many = {"person": "people", "set of business hours": "sets of business hours"}
    many |= {"set of holidays": "sets of holidays", "date of a third party": "dates of third parties"}
    told = [
        f"{len(rows)} {word if len(rows) == 1 else many.get(word, word + 's')}"
        for word, rows in counts
        if rows
    ]
    return f"calendar '{lines.calendar.name}' holds while it runs: {', '.join(told) or 'nothing of it'}"
