"""What other releases leave of the calendar: those that come before, and those that take the same things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.recurring import DAY
from rollway.planning.calendar.rules import Block, conflict_keys, pinned_start, told_moment
from rollway.planning.calendar.waves import parts_of, title_of, wave_slots
from rollway.planning.windows import Span, zone_named


def neighbour_blocks(
    calendar: Calendar, bookings: Sequence[Booking], booking: Booking, now: datetime
) -> list[Block]:
    """What the other releases hold against this one: pins that take the same, and the ends of its `after`.

    A release that comes before and has no pin is taken at its own earliest slots, and has ended when the last
    of its waves has. Names that are not among
    `bookings`, and circles, are the business of `load.joined`.
    """
    others = [other for other in bookings if other.name != booking.name]
    known: dict[str, datetime | None] = {}
    return [
        *_conflicts(calendar, others, booking),
        *_before(calendar, others, booking, now, known),
    ]


def _conflicts(calendar: Calendar, others: Sequence[Booking], booking: Booking) -> list[Block]:
    mine = conflict_keys(calendar, booking)
    found = []
    for other in others:
        shared = [key for key in conflict_keys(calendar, other) if key in mine]
        for part in parts_of(other) if shared else ():
            begins = pinned_start(calendar, part.booking)
            if begins is not None:
                span = Span(begins, begins + part.booking.duration)
                told = f"'{title_of(other, part)}' takes {', '.join(shared)}"
                found.append(Block(f"release '{other.name}'", span, told, zone=calendar.calendar.timezone))
    return found


def _before(
    calendar: Calendar,
    others: Sequence[Booking],
    booking: Booking,
    now: datetime,
    known: dict[str, datetime | None],
) -> list[Block]:
    named = {other.name: other for other in others}
    zone = zone_named(calendar.calendar.timezone)
    found = []
    for name in booking.after:
        if name not in named:
            continue
        if name not in known:
            also = _before(calendar, others, named[name], now, known)
            also += _conflicts(calendar, [one for one in others if one.name != name], named[name])
            *_, (last, search) = wave_slots(calendar, named[name], now, also=also)
            is_whole = bool(search.slots) and last == parts_of(named[name])[-1]
            known[name] = search.slots[0].end if is_whole else None
        end = known[name]
        free = now + 3650 * DAY if end is None else end + booking.gap
        told = f"which ends on {told_moment((end or free).astimezone(zone))}" if end else "which has no slot"
        words = f"it comes after '{name}', {told}"
        found.append(Block(f"after '{name}'", Span(min(now, free) - DAY, free), words))
    return found
