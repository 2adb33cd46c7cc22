"""What is odd about a slot: a late start, clocks that change, an overrun, an override, no agreed window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rollway.facts.duration import format_duration
from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.obstacles import PIN, blocks
from rollway.planning.calendar.openings import windows_for
from rollway.planning.calendar.reasons import minimal_blocks
from rollway.planning.calendar.recurring import DAY, Horizon, clock_notes
from rollway.planning.calendar.terms import ALWAYS, Block, Opening, refused_between
from rollway.planning.windows import Span, zone_named


def slot_notes(
    calendar: Calendar,
    booking: Booking,
    opening: Opening,
    start: datetime,
    near: Sequence[Block],
    unruled: Sequence[str],
) -> tuple[str, ...]:
    """Notes on a slot that begins at `start` in an opening; `unruled` are regions without any window."""
    slot = Span(start, start + booking.duration)
    return tuple(
        dict.fromkeys(
            (
                *_late(opening, start, near, booking.duration),
                *_clocks(calendar, booking, opening, slot),
                *_overruns(opening, slot, near),
                *_overridden(calendar, booking, slot),
                *_unruled(booking, unruled),
            )
        )
    )


def _late(opening: Opening, start: datetime, near: Sequence[Block], duration: timedelta) -> Iterator[str]:
    if start > opening.span.start:
        held = Opening(Span(opening.span.start, start), None, opening.name, opening.zone)
        words = dict.fromkeys(block.words for block in minimal_blocks(held, near, duration))
        yield f"not earlier: {'; '.join(words)}"


def _clocks(calendar: Calendar, booking: Booking, opening: Opening, slot: Span) -> Iterator[str]:
    for zone_name in dict.fromkeys((opening.zone, *booking.zones)):
        zone = zone_named(zone_name)
        whole = Span(opening.span.start, max(slot.end, opening.span.end))
        begin, end = whole.start.astimezone(zone), whole.end.astimezone(zone)
        if begin.utcoffset() != end.utcoffset():
            elapsed = format_duration(whole.end - whole.start)
            by_the_clock = format_duration(end.replace(tzinfo=None) - begin.replace(tzinfo=None))
            yield (
                f"the clocks change in {zone_name}: the window lasts {elapsed}, {by_the_clock} by the clock"
            )
    if opening.name != ALWAYS:
        horizon = Horizon(opening.span.start, opening.span.end)
        yield from clock_notes(calendar, windows_for(calendar, booking), (), horizon)


def _overruns(opening: Opening, slot: Span, near: Sequence[Block]) -> Iterator[str]:
    if opening.name != ALWAYS and opening.until is None and slot.end > opening.span.end:
        over = format_duration(slot.end - opening.span.end)
        yield f"may end {over} after the window has closed, which allows a change that began to finish"
    for block in near:
        if block.overrun and block.rule != PIN and slot.start < block.span.start < slot.end:
            yield f"runs into {block.words}, which allows a change that began to finish"


def _overridden(calendar: Calendar, booking: Booking, slot: Span) -> Iterator[str]:
    if not booking.overrides:
        return
    around = Horizon(slot.start - DAY, slot.end + DAY)
    plain = booking.model_copy(update={"overrides": ()})
    lifted = set(blocks(calendar, plain, around)) - set(blocks(calendar, booking, around))
    for block in sorted(lifted, key=lambda block: block.span.start):
        before, after = refused_between(block, booking.duration)
        for override in booking.overrides:
            if before < slot.start < after and block.rule.endswith(f"'{override.freeze}'"):
                yield f"{block.rule} is overridden by {override.by}: {override.reason}"


def _unruled(booking: Booking, unruled: Sequence[str]) -> Iterator[str]:
    if booking.windows:
        return
    for region in unruled:
        where = f" in {region}" if region else ""
        yield f"no change window is agreed for {booking.service}{where}: always open there"
