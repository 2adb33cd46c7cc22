"""The calendar file: when an organisation may change what, who is there, and which releases want a slot.

Times of day are wall-clock times in a named zone; durations are elapsed time. An empty list of services,
regions or tenants means all of them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_serializer, model_validator

from rollway.facts.model import ClockTime, Duration, Section, Slug, Weekday, Window

Change = Literal["new_increment", "replacement", "fix", "emergency"]
AtLeastOne = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


class Heading(Section):
    """Whose calendar it is, and the time zone of every line that names none."""

    name: Slug
    title: str = ""
    timezone: str


class Region(Section):
    """A part of the world: its clocks, and what release files call the sites that lie in it."""

    name: Name
    timezone: str
    sites: tuple[str, ...] = ()


class ChangeWindow(Window):
    """When changes may happen: on its weekdays and, where there is a rule, on the rule's days only.

    `rule` is a recurrence as iCalendar writes it, such as `FREQ=MONTHLY;BYDAY=3SA`; `first` and `last`
    bound the days on which it opens. With `overrun` a change may end after the window has closed.
    """

    name: Name = "its own window"
    timezone: str = ""
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    rule: str = ""
    first: date | None = None
    last: date | None = None
    overrun: bool = False


class Stretch(Section):
    """Time that is taken, once or again and again.

    Without `days` and `rule` it lasts from `begins` on the first day to `ends` on the last. With one of
    them it recurs between these days, each time for `lasts_days` days; where it lasts one and `ends` is
    not later than `begins`, it ends on the next morning.
    """

    first: date | None = None
    last: date | None = None
    begins: ClockTime = "00:00"
    ends: ClockTime = "24:00"
    timezone: str = ""
    days: tuple[Weekday, ...] = ()
    rule: str = ""
    lasts_days: Annotated[int, Field(ge=1, le=366)] = 1

    @property
    def recurs(self) -> bool:
        return bool(self.days or self.rule)


class CalendarFreeze(Stretch):
    """When changes may not happen, and for whom.

    `overrun`: a change that began before may run into it. `exempt` kinds of change are not held up; people
    under `override` may let a single release through.
    """

    name: Name = "its own freeze"
    reason: str = ""
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    overrun: bool = False
    exempt: tuple[Change, ...] = ()
    override: tuple[str, ...] = ()


class BusinessHours(Window):
    """When customers work, by their own clocks: a freeze that recurs.

    The clocks are those of `timezone`, else of each region it names, else of the release's sites, else of
    the calendar.
    """

    name: Name
    days: tuple[Weekday, ...] = Field(default=("mon", "tue", "wed", "thu", "fri"), min_length=1)
    timezone: str = ""
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    overrun: bool = False
    exempt: tuple[Change, ...] = ()
    override: tuple[str, ...] = ()


class Holidays(Section):
    """The holidays of a country, or of a part of it; `eve` keeps the day before free as well.

    `categories` are public, and where the country has them optional, bank, school and others.
    """

    country: str
    subdivision: str = ""
    categories: tuple[str, ...] = Field(default=("public",), min_length=1)
    timezone: str = ""
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    eve: bool = False
    overrun: bool = False


class Absence(Stretch):
    """When somebody is not there: days, hours of days, or again and again."""

    reason: str = ""


class Person(Section):
    """Somebody whose absence can hold a release up; away on the public holidays of the country, if given."""

    name: Name
    timezone: str = ""
    country: str = ""
    subdivision: str = ""
    absences: tuple[Absence, ...] = ()


class Team(Section):
    """Who carries releases out: at most so many at once and in a night, with nights of rest between.

    Where fewer than `at_least` of its people are there, none of its releases goes out. `hours` are when it
    works anyway: outside of them a release costs what `weights` say.
    """

    name: Name
    people: tuple[str, ...] = ()
    at_least: int = Field(default=0, ge=0)
    per_night: AtLeastOne | None = None
    at_once: AtLeastOne | None = 1
    rest_nights: int = Field(default=0, ge=0)
    hours: tuple[Window, ...] = ()


class Capacity(Section):
    """How many releases the whole organisation carries in a night, and at once.

    A night with more than `crowded_above` of them is possible and costs what `weights` say.
    """

    per_night: AtLeastOne | None = None
    at_once: AtLeastOne | None = None
    crowded_above: AtLeastOne | None = None


class Weights(Section):
    """What weighs how much when a whole quarter is placed, in points.

    A day of delay costs a release's priority (1 to 9). `out_of_hours` is for each hour begun of a release
    that does not lie in its team's hours, `crowded` for each release too many in a night.
    """

    out_of_hours: Annotated[int, Field(ge=0, le=1000)] = 1
    crowded: Annotated[int, Field(ge=0, le=1000)] = 5


class Milestone(Section):
    """A third party's date or a licence: releases that need it go out between its days, both included."""

    name: Name
    kind: Literal["supplier", "licence", "integration"] = "supplier"
    valid_from: date | None = None
    valid_until: date | None = None
    timezone: str = ""
    services: tuple[str, ...] = ()


class ConflictGroup(Section):
    """What shares something: never two of its releases at once.

    A release belongs to it by its service, by one of its environments, or by naming the group itself.
    """

    name: Name
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    reason: str = ""


class Override(Section):
    """A person's word that one freeze does not hold for one release; `on` is the day on which it begins.

    Without `on` no occurrence of the freeze holds.
    """

    freeze: str
    by: str
    reason: Name
    on: date | None = None


class Wave(Section):
    """A part of a release that goes out in a slot of its own, after the wave before it.

    What it leaves out it takes from its release. `bake` is how long it is watched before the next wave may
    begin. `trained` is the last day of its users' training.
    """

    name: Name
    regions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    duration: Duration | None = None
    bake: Duration = timedelta(0)
    trained: date | None = None
    pinned: str = ""


class Booking(Section):
    """A release that wants a slot.

    `priority` 1 to 9, nine the most important. `after` names releases that must have ended `gap` before.
    `deadline` is the last local day on which it may still end. `pinned` is a start that a person fixed.
    Its own `windows`, `freezes` and `milestones` hold besides the calendar's; `zones` are the clocks of the
    sites that get it. `conflicts` names conflict groups, `environments` what it takes for itself. With
    `waves` each of them takes a slot; a pin of the release is the first wave's. `trained` is the last day of
    its users' training, after which it waits for `training_lead`.
    """

    name: Name
    service: Name
    regions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    team: str = ""
    people: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    change: Change = "new_increment"
    duration: Duration = timedelta(hours=2)
    priority: int = Field(default=5, ge=1, le=9)
    earliest: date | None = None
    deadline: date | None = None
    after: tuple[str, ...] = ()
    gap: Duration = timedelta(0)
    needs: tuple[str, ...] = ()
    pinned: str = ""
    overrides: tuple[Override, ...] = ()
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[CalendarFreeze, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    waves: tuple[Wave, ...] = ()
    trained: date | None = None
    training_lead: Duration = timedelta(0)


class Calendar(Section):
    """An organisation's calendar. `peaks` are freezes that are called peak seasons.

    Where `services` or `regions` are listed, no other name of one is let through.
    """

    calendar: Heading
    services: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[CalendarFreeze, ...] = ()
    peaks: tuple[CalendarFreeze, ...] = ()
    business_hours: tuple[BusinessHours, ...] = ()
    holidays: tuple[Holidays, ...] = ()
    people: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    capacity: Capacity = Capacity()
    weights: Weights = Weights()
    milestones: tuple[Milestone, ...] = ()
    conflicts: tuple[ConflictGroup, ...] = ()
    releases: tuple[Booking, ...] = ()

    def zone_of(self, own: str, regions: tuple[str, ...] = ()) -> str:
        """The time zone of a line: its own, that of the one region it names, or the calendar's."""
        if own or len(regions) != 1:
            return own or self.calendar.timezone
        listed = (region.timezone for region in self.regions if region.name == regions[0])
        return next(listed, self.calendar.timezone)


class ReleaseList(Section):
    """A file of nothing but releases that want a slot."""

    releases: tuple[Booking, ...] = Field(min_length=1)


class PlanCalendar(Section):
    """What a calendar says to one release, as a plan carries it: its lines, and the release as they see it.

    `calendar` holds nothing of other releases, `booking` neither the plan's own windows and freezes nor what
    matters only before a rollout is planned (such as the deadline). What holds its default is left out of the
    content, so that a later key of the calendar leaves the hashes of older plans as they are.
    """

    calendar: Calendar
    booking: Booking

    @model_serializer(mode="plain")
    def _said(self) -> dict[str, Any]:
        return {
            name: getattr(self, name).model_dump(mode="json", exclude_defaults=True)
            for name in ("calendar", "booking")
        }

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        """What would only fail while the rollout runs, fails when the plan is made or read."""
        from rollway.planning.calendar.checks import calendar_checks

        whole = self.calendar.model_copy(update={"releases": (self.booking,)})
        for where, misfit in calendar_checks(whole, scopes=False):
            at = ".".join(map(str, where))
            raise ValueError(f"{at}: {misfit.message}")
        return self
