"""The earliest slots for one release, and why each earlier window was no use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rollway.errors import InputError
from rollway.facts.duration import format_duration
from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.openings import regions_without_windows
from rollway.planning.calendar.reasons import minimal_blocks, minimal_reasons
from rollway.planning.calendar.recurring import DAY, Horizon
from rollway.planning.calendar.remarks import slot_notes
from rollway.planning.calendar.rules import Block, Opening, blocks, openings, starts, told_day
from rollway.planning.calendar.terms import ALWAYS, told_span
from rollway.planning.windows import Span, WindowState, local_span, zone_named

__all__ = [
    "LOOKED_AHEAD",
    "Refusal",
    "Search",
    "Slot",
    "Spell",
    "calendar_spell",
    "calendar_state",
    "minimal_reasons",
    "next_slots",
]

LOOKED_AHEAD = 400 * DAY
_FIRST_LOOK = 40 * DAY
_SHORT = "length of the window"


@dataclass(frozen=True, slots=True)
class Slot:
    """From when to when (UTC) a release can go out, in which window, and what is odd about it.

    `zone` is the window's time zone, `zones` are those of the sites besides.
    """

    start: datetime
    end: datetime
    window: str
    zone: str
    notes: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`Sat 28 Nov 2026 22:00-00:00 Europe/Zurich (21:00 UTC)`."""
        utc = "" if self.zone == "UTC" else f" ({self.start:%H:%M} UTC)"
        return f"{told_span(Span(self.start, self.end), self.zone)}{utc}"

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The same by the clocks of the other sites, where they show another time."""
        slot = Span(self.start, self.end)
        known = {told_span(slot, self.zone).removesuffix(self.zone)}
        told = {told_span(slot, zone).removesuffix(zone): told_span(slot, zone) for zone in self.zones}
        return tuple(words for clock, words in told.items() if clock not in known)

    def to_json(self) -> dict[str, Any]:
        local = [
            {
                "timezone": zone,
                "start": self.start.astimezone(zone_named(zone)).isoformat(),
                "end": self.end.astimezone(zone_named(zone)).isoformat(),
            }
            for zone in (self.zone, *self.zones)
        ]
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "local": local,
            "window": self.window,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Windows that follow one another and were of no use for the same reasons."""

    first: Span
    last: Span
    count: int
    zone: str
    rules: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """`Mon 24 Nov 2026 22:00-04:00 Europe/Zurich: freeze 'year end' until Mon 4 Jan 2027 00:00 CET`."""
        zone = zone_named(self.zone)
        told = told_span(self.first, self.zone)
        if self.count > 1:
            first, last = (told_day(span.start.astimezone(zone)) for span in (self.first, self.last))
            told = f"{first} to {last} {self.zone}, {self.count} windows"
        return f"{told}: {'; '.join(self.reasons)}"

    def to_json(self) -> dict[str, Any]:
        return {
            "first_window": [self.first.start.isoformat(), self.first.end.isoformat()],
            "last_window": [self.last.start.isoformat(), self.last.end.isoformat()],
            "windows": self.count,
            "timezone": self.zone,
            "rules": list(self.rules),
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for a release, and what was passed over on the way, in the order of time."""

    slots: tuple[Slot, ...]
    refusals: tuple[Refusal, ...]
    looked_until: datetime


@dataclass(frozen=True, slots=True)
class Spell:
    """What holds at every moment of a span."""

    state: WindowState
    span: Span


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of an opening; those of one stretch (of one local day, if it is long) share one slot."""

    part: Opening
    stretch: tuple[int, date | None]


@dataclass(frozen=True, slots=True)
class _Refused:
    opening: _Piece
    because: tuple[Block, ...]
    words: str = ""

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(sorted({block.rule for block in self.because}))


def next_slots(
    calendar: Calendar,
    booking: Booking,
    now: datetime,
    count: int = 1,
    ahead: timedelta = LOOKED_AHEAD,
    also: Sequence[Block] = (),
) -> Search:
    """The earliest slots from `now` on, at most one in each window and local day.

    `also` is what else stands against it, such as other releases. Raises InputError for a naive `now`.
    """
    if now.tzinfo is None:
        raise InputError("the moment has no time zone", hint="give a time with its offset")
    if ahead > _FIRST_LOOK:
        near = _search(calendar, booking, now, count, _FIRST_LOOK, also)
        if len(near.slots) == count:
            return near
    return _search(calendar, booking, now, count, ahead, also)


def calendar_state(
    calendar: Calendar, booking: Booking, at: datetime, also: Sequence[Block] = ()
) -> WindowState:
    """May the release go on at this very moment, and if not, when next? By the same rules as `next_slots`.

    It asks about the moment alone, as `window_state` does: whether all of the release still fits is
    another question.
    """
    return calendar_spell(calendar, booking, at, also).state


def calendar_spell(calendar: Calendar, booking: Booking, at: datetime, also: Sequence[Block] = ()) -> Spell:
    """What `calendar_state` says, and for how long it says so, a day at most."""
    moment = booking.model_copy(update={"duration": timedelta(0)})
    around = Horizon(at, at + _FIRST_LOOK)
    near = [*blocks(calendar, booking, around), *also]
    state = _state(calendar, moment, at, near, also)
    spans = [block.span for block in near] + [one.span for one in openings(calendar, booking, around)]
    edges = [edge for span in spans for edge in (span.start, span.end) if edge > at]
    return Spell(state, Span(at, min([at + DAY, *edges])))


def _state(
    calendar: Calendar, moment: Booking, at: datetime, near: Sequence[Block], also: Sequence[Block]
) -> WindowState:
    slots = next_slots(calendar, moment, at, also=also).slots
    if slots and slots[0].start == at:
        agreed = f"the change window {slots[0].window} is open"
        return WindowState(True, "no change windows are agreed: always open" if _always(slots[0]) else agreed)
    held = [block for block in near if block.span.has(at)]
    why = max(held, key=lambda block: block.span.end).words if held else "no change window is open"
    if not slots:
        return WindowState(False, f"{why}; nothing opens within {LOOKED_AHEAD.days} days")
    opens = told_span(Span(slots[0].start, slots[0].start), slots[0].zone)
    return WindowState(False, f"{why}; next opens {opens}", slots[0].start)


def _always(slot: Slot) -> bool:
    return slot.window == ALWAYS


def _search(
    calendar: Calendar,
    booking: Booking,
    now: datetime,
    count: int,
    ahead: timedelta,
    also: Sequence[Block],
) -> Search:
    """One pass. Windows are looked at for longer than slots are, so that none is cut off at the end."""
    limit = now + ahead
    horizon = Horizon(now, limit + booking.duration + 2 * DAY)
    against = blocks(calendar, booking, horizon)
    if also:
        against = sorted([*against, *also], key=lambda block: (block.span.start, block.rule))
    unruled = regions_without_windows(calendar, booking)
    slots: list[Slot] = []
    taken: tuple[int, date | None] = (0, None)
    refused: list[_Refused] = []
    pieces = _pieces(openings(calendar, booking, horizon), Span(now, limit))
    for opening, near in _with_near(pieces, against, booking.duration):
        if slots and opening.stretch == taken:
            continue
        if len(slots) == count:
            break
        begins = starts(opening.part, near, booking.duration)
        if not begins:
            refused.append(_refused(opening, near, booking.duration))
            continue
        notes = slot_notes(calendar, booking, opening.part, begins[0][0], near, unruled)
        slots.append(_slot(booking, opening.part, begins[0][0], notes))
        taken = opening.stretch
        refused = [one for one in refused if one.opening.stretch != taken]
    return Search(tuple(slots), tuple(_merged(refused, slots)), limit)


def _slot(booking: Booking, opening: Opening, start: datetime, notes: tuple[str, ...]) -> Slot:
    zones = tuple(zone for zone in dict.fromkeys(booking.zones) if zone != opening.zone)
    return Slot(start, start + booking.duration, opening.name, opening.zone, notes, zones)


def _pieces(found: Sequence[Opening], within: Span) -> Iterator[_Piece]:
    """The openings inside a span; what is open for more than a day is parted at its local midnights."""
    number, reached, began = 0, None, within.start
    for opening in found:
        if opening.span.start != reached:
            number, began = number + 1, opening.span.start
        reached = opening.span.end
        start, end = max(opening.span.start, within.start), min(opening.span.end, within.end)
        zone = zone_named(opening.zone)
        is_long = (opening.until or opening.span.end) - began > DAY
        while start < end:
            day = start.astimezone(zone).date() if is_long else None
            stop = min(end, local_span(day, "00:00", day, "24:00", zone).end) if day else end
            part = Opening(Span(start, stop), opening.until, opening.name, opening.zone)
            yield _Piece(part, (number, day))
            start = stop


def _with_near(
    pieces: Iterator[_Piece], against: Sequence[Block], duration: timedelta
) -> Iterator[tuple[_Piece, list[Block]]]:
    """Each opening with the blocks that may touch a release in it; both are in the order of time."""
    near: list[Block] = []
    reached = 0
    for piece in pieces:
        span = piece.part.span
        while reached < len(against) and against[reached].span.start < span.end + duration:
            near.append(against[reached])
            reached += 1
        near = [block for block in near if block.span.end > span.start]
        yield piece, near


def _refused(piece: _Piece, near: Sequence[Block], duration: timedelta) -> _Refused:
    """A minimal set of blocks, or the words for a window that is too short by itself."""
    opening = piece.part
    if not starts(opening, (), duration):
        left = format_duration((opening.until or opening.span.end) - opening.span.start)
        told = f"the window has {left} left, the release takes {format_duration(duration)}"
        return _Refused(piece, (), told)
    return _Refused(piece, minimal_blocks(opening, near, duration))


def _merged(refused: Sequence[_Refused], slots: Sequence[Slot]) -> Iterator[Refusal]:
    """One refusal for windows that follow each other, with no slot between, for the same reasons."""
    group: list[_Refused] = []
    for one in refused:
        if group and not _belongs(group[-1], one, slots):
            yield _refusal(group)
            group = []
        group.append(one)
    if group:
        yield _refusal(group)


def _belongs(before: _Refused, one: _Refused, slots: Sequence[Slot]) -> bool:
    same = before.rules == one.rules and before.words == one.words
    between = any(before.opening.part.span.start < slot.start < one.opening.part.span.start for slot in slots)
    return same and before.opening.part.zone == one.opening.part.zone and not between


def _refusal(group: list[_Refused]) -> Refusal:
    first, last = group[0].opening.part, group[-1].opening.part
    latest: dict[str, Block] = {}
    for block in sorted((b for one in group for b in one.because), key=lambda block: block.span.end):
        latest[block.rule] = block
    words = tuple(latest[rule].words for rule in sorted(latest)) or (group[0].words,)
    rules = tuple(sorted(latest)) or (_SHORT,)
    return Refusal(first.span, last.span, len(group), first.zone, rules, words)
