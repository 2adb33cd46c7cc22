"""What is allowed in a calendar file and yet surely not meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.neighbours import neighbour_blocks
from rollway.planning.calendar.obstacles import PIN, pinned_start
from rollway.planning.calendar.reasons import minimal_blocks
from rollway.planning.calendar.recurring import Horizon, clock_notes, occurrences, window_spans
from rollway.planning.calendar.rules import Block, Opening, blocks, openings, starts
from rollway.planning.calendar.slots import LOOKED_AHEAD
from rollway.planning.calendar.waves import Part, parts_of, title_of, wave_slots
from rollway.planning.windows import Span, zone_named


def calendar_warnings(calendar: Calendar, now: datetime) -> Iterator[str]:
    """Windows that never open, rules that never hold, pins that break a rule, releases without a slot."""
    horizon = Horizon(now, now + LOOKED_AHEAD)
    for window in calendar.windows:
        if not window_spans(calendar, window, horizon):
            yield f"window '{window.name}' does not open within {LOOKED_AHEAD.days} days"
    for freeze in (*calendar.freezes, *calendar.peaks):
        zone = zone_named(calendar.zone_of(freeze.timezone, freeze.regions))
        if freeze.recurs and not occurrences(freeze, zone, horizon):
            yield f"freeze '{freeze.name}' does not hold within {LOOKED_AHEAD.days} days"
    for booking in calendar.releases:
        yield from _release(calendar, booking, now)


def clock_changes(calendar: Calendar, now: datetime) -> list[str]:
    """Each edge of a window or freeze in the next 400 days that the clocks skip or repeat."""
    freezes = (*calendar.freezes, *calendar.peaks)
    return clock_notes(calendar, calendar.windows, freezes, Horizon(now, now + LOOKED_AHEAD))


def _release(calendar: Calendar, booking: Booking, now: datetime) -> Iterator[str]:
    also = neighbour_blocks(calendar, calendar.releases, booking, now)
    parts = parts_of(booking)
    if not any(part.booking.pinned for part in parts):
        part, search = wave_slots(calendar, booking, now, also=also)[-1]
        if not search.slots:
            why = f": {'; '.join(search.refusals[-1].reasons)}" if search.refusals else ""
            yield f"release '{title_of(booking, part)}' has no slot within {LOOKED_AHEAD.days} days{why}"
    ended: tuple[datetime, Part] | None = None
    for part in parts:
        begins = pinned_start(calendar, part.booking)
        if begins is None:
            continue
        title = f"release '{title_of(booking, part)}'"
        if ended is not None and begins < ended[0]:
            yield f"{title} is pinned to a time before wave '{ended[1].wave}' has ended and was watched"
        ended = begins + part.booking.duration + part.bake, part
        yield from _pinned(calendar, part.booking, title, begins, also, now)


def _pinned(
    calendar: Calendar, booking: Booking, title: str, begins: datetime, also: Sequence[Block], now: datetime
) -> Iterator[str]:
    if begins + booking.duration <= now:
        return
    horizon = Horizon(begins, begins + booking.duration)
    around = [one for one in openings(calendar, booking, horizon) if one.span.has(begins)]
    if not around:
        yield f"{title} is pinned to a time at which no change window is open"
        return
    pinned = Opening(
        Span(begins, begins + begins.resolution), around[0].until, around[0].name, around[0].zone
    )
    against = [block for block in (*blocks(calendar, booking, horizon), *also) if block.rule != PIN]
    if not starts(pinned, (), booking.duration):
        yield f"{title} is pinned to a time after which its window closes too early"
    elif not starts(pinned, against, booking.duration):
        why = "; ".join(block.words for block in minimal_blocks(pinned, against, booking.duration))
        yield f"{title} is pinned against a rule: {why}"
