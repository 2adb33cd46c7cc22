"""A release that goes out in waves: each wave as a booking of its own, and when they follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.recurring import DAY
from rollway.planning.calendar.rules import Block, told_moment
from rollway.planning.calendar.slots import LOOKED_AHEAD, Search, next_slots
from rollway.planning.windows import Span, zone_named


@dataclass(frozen=True, slots=True)
class Part:
    """One wave of a release, or one without waves as a whole (`wave` is "").

    `bake` is how long it is watched before the next one may begin.
    """

    wave: str
    bake: timedelta
    booking: Booking


def parts_of(booking: Booking) -> tuple[Part, ...]:
    """The slots that a release takes, in the order of its waves; a pin of the release is the first one's."""
    if not booking.waves:
        return (Part("", timedelta(0), booking),)
    found = []
    for number, wave in enumerate(booking.waves):
        own = {name: getattr(wave, name) for name in wave.model_fields_set - {"name", "bake"}}
        pinned = wave.pinned or (booking.pinned if number == 0 else "")
        part = booking.model_copy(update={**own, "pinned": pinned, "waves": ()})
        if part.duration is None:
            part = part.model_copy(update={"duration": booking.duration})
        found.append(Part(wave.name, wave.bake, part))
    return tuple(found)


def title_of(booking: Booking, part: Part) -> str:
    """`shop, pilot`; a release without waves by its name alone."""
    return f"{booking.name}, {part.wave}" if part.wave else booking.name


def wave_slots(
    calendar: Calendar,
    booking: Booking,
    now: datetime,
    count: int = 1,
    ahead: timedelta = LOOKED_AHEAD,
    also: Sequence[Block] = (),
) -> tuple[tuple[Part, Search], ...]:
    """The earliest slots of each wave; it follows the first slot of the one before, and its bake.

    What comes after a wave without a slot is not looked for. `also` is what else stands against each of them.
    Raises InputError for a naive `now`.
    """
    found: list[tuple[Part, Search]] = []
    follows: list[Block] = []
    for part in parts_of(booking):
        search = next_slots(calendar, part.booking, now, count, ahead, [*also, *follows])
        found.append((part, search))
        if not search.slots:
            break
        follows = [_following(calendar, part, search.slots[0].end)]
    return tuple(found)


def _following(calendar: Calendar, before: Part, end: datetime) -> Block:
    free = end + before.bake
    local = told_moment(free.astimezone(zone_named(calendar.calendar.timezone)))
    told = f"it follows wave '{before.wave}', which is watched until {local}"
    words = told if before.bake else f"it follows wave '{before.wave}', which ends on {local}"
    return Block(f"after wave '{before.wave}'", Span(end - 3650 * DAY, free), words)
