"""What takes a slot: each wave of each release, and the moments at which the calendar lets it begin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollway.planning.calendar.model import Booking, Calendar, ChangeWindow
from rollway.planning.calendar.recurring import DAY, Horizon, window_spans
from rollway.planning.calendar.rules import ALWAYS, Block, Interval, Opening, blocks, openings, starts
from rollway.planning.calendar.waves import parts_of
from rollway.planning.windows import Span

WINDOWS = "change windows"
"""The rule that a release begins and ends in a window, as reasons name it."""
_GENERAL = ("name", "team", "people", "needs", "milestones", "earliest", "deadline", "pinned", "trained")


@dataclass(frozen=True, slots=True)
class Job:
    """One wave of a release, or one without waves as a whole (`wave` is ""), as a booking of its own."""

    release: str
    wave: str
    number: int
    bake: timedelta
    booking: Booking

    @property
    def key(self) -> tuple[str, str]:
        return self.release, self.wave

    @property
    def title(self) -> str:
        return f"{self.release}, {self.wave}" if self.wave else self.release


def jobs_of(booking: Booking) -> tuple[Job, ...]:
    """The slots that a release takes, in the order of its waves."""
    return tuple(
        Job(booking.name, part.wave, number, part.bake, part.booking)
        for number, part in enumerate(parts_of(booking))
    )


class Moments:
    """When each job may begin in a stretch of time. It remembers what holds for many of them alike."""

    def __init__(self, calendar: Calendar, within: Span) -> None:
        self.calendar, self.within = calendar, within
        self._own_calendar = calendar.model_copy(
            update={"freezes": (), "peaks": (), "business_hours": (), "holidays": ()}
        )
        self._openings: dict[str, list[Opening]] = {}
        self._general: dict[str, list[Block]] = {}
        self._free: dict[str, list[Interval]] = {}
        self._hours: dict[str, list[Span]] = {}

    def of(self, booking: Booking) -> list[Interval]:
        """When the booking may begin, by every rule that looks at it alone, in order."""
        key = self._key(booking, _GENERAL)
        if key not in self._free:
            against = self._general_blocks(booking)
            self._free[key] = self._cut(self._opened(booking), against, booking.duration)
        own = blocks(self._own_calendar, _without_freezes(booking), self._horizon(booking))
        if not own:
            return self._free[key]
        free = [_opening(low, high) for low, high in self._free[key]]
        return [found for opening in free for found in starts(opening, own, booking.duration)]

    def by_rules(self, booking: Booking, kept: Collection[str]) -> list[Interval]:
        """When the booking could begin if only these rules held (`WINDOWS`, or the rule of a block)."""
        against = [block for block in self.blocks_of(booking) if block.rule in kept]
        opened = self._opened(booking) if WINDOWS in kept else [_always(self.within)]
        return self._cut(opened, against, booking.duration)

    def blocks_of(self, booking: Booking) -> list[Block]:
        """All that stands against the booking, near the stretch of time."""
        return blocks(self.calendar, booking, self._horizon(booking))

    def has_windows(self, booking: Booking) -> bool:
        return any(opening.name != ALWAYS for opening in self._opened(booking)) or not self._opened(booking)

    def outside_hours(self, booking: Booking, free: Sequence[Interval]) -> list[Interval]:
        """The starts at which the booking would not lie wholly in its team's hours."""
        inside = [(span.start, span.end - booking.duration) for span in self._team_hours(booking.team)]
        return _lacking(free, [(low, high) for low, high in inside if low <= high])

    def has_hours(self, team: str) -> bool:
        return any(one.name == team and one.hours for one in self.calendar.teams)

    def _horizon(self, booking: Booking) -> Horizon:
        return Horizon(self.within.start - DAY, self.within.end + booking.duration + 2 * DAY)

    def _opened(self, booking: Booking) -> list[Opening]:
        key = self._key(booking, (*_GENERAL, "duration"))
        if key not in self._openings:
            horizon = Horizon(self.within.start - DAY, self.within.end + DAY)
            self._openings[key] = openings(self.calendar, booking, horizon)
        return self._openings[key]

    def _general_blocks(self, booking: Booking) -> list[Block]:
        key = self._key(booking, (*_GENERAL, "duration"))
        if key not in self._general:
            plain = {"team": "", "people": (), "needs": (), "milestones": (), "service": booking.service}
            dates = {"earliest": None, "deadline": None, "pinned": "", "trained": None}
            others = self.calendar.model_copy(update={"milestones": (), "teams": (), "people": ()})
            stripped = booking.model_copy(update={**plain, **dates})
            self._general[key] = blocks(others, stripped, self._horizon(booking))
        return self._general[key]

    def _cut(self, opened: Iterable[Opening], against: Sequence[Block], length: timedelta) -> list[Interval]:
        """The starts inside the stretch at which the job ends inside it, too."""
        last = self.within.end - length
        found: list[Interval] = []
        for opening in opened:
            if opening.span.end <= self.within.start or opening.span.start > last:
                continue
            near = [
                block
                for block in against
                if block.span.end > opening.span.start and block.span.start < opening.span.end + length
            ]
            free = starts(opening, near, length)
            cut = ((max(low, self.within.start), min(high, last)) for low, high in free)
            found += [(low, high) for low, high in cut if low <= high]
        return found

    def _team_hours(self, name: str) -> list[Span]:
        if name not in self._hours:
            horizon = Horizon(self.within.start - DAY, self.within.end + DAY)
            windows = [window for team in self.calendar.teams if team.name == name for window in team.hours]
            spans = []
            for window in windows:
                named = {field: getattr(window, field) for field in type(window).model_fields}
                spans += window_spans(self.calendar, ChangeWindow(**named), horizon)
            self._hours[name] = _joined(spans)
        return self._hours[name]

    @staticmethod
    def _key(booking: Booking, left_out: tuple[str, ...]) -> str:
        names = (
            "service",
            "regions",
            "tenants",
            "zones",
            "change",
            "overrides",
            "windows",
            "freezes",
            "duration",
        )
        return repr([getattr(booking, name) for name in names if name not in left_out])


def _without_freezes(booking: Booking) -> Booking:
    return booking.model_copy(update={"freezes": ()}) if booking.freezes else booking


def _opening(low: datetime, high: datetime) -> Opening:
    return Opening(Span(low, high + timedelta.resolution), None, "", "UTC")


def _always(within: Span) -> Opening:
    return Opening(within, None, ALWAYS, "UTC")


def _joined(spans: Iterable[Span]) -> list[Span]:
    result: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def _lacking(free: Sequence[Interval], inside: Sequence[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for low, high in free:
        begin = low
        for start, end in inside:
            if end < begin or start > high:
                continue
            if start > begin:
                found.append((begin, start - timedelta.resolution))
            begin = end + timedelta.resolution
        if begin <= high:
            found.append((begin, high))
    return found
