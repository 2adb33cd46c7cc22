"""When change windows let a release begin, in all of its regions at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from rollway.planning.calendar.model import Booking, Calendar, ChangeWindow
from rollway.planning.calendar.recurring import DAY, Horizon, day_span, window_spans
from rollway.planning.calendar.terms import ALWAYS, Opening, has, joined_names
from rollway.planning.windows import Span, zone_named

_Found = tuple[Span, bool, str, str]
"""When a window is open, whether a change may end after it, the window's name, its time zone."""


def openings(calendar: Calendar, booking: Booking, horizon: Horizon) -> list[Opening]:
    """When windows let the release begin, apart from each other and in order.

    It needs a window of every one of its regions at once, and one of its own where it has any; windows
    that touch are one. Where nothing is agreed for it, every day is open.
    """
    joint: list[Opening] | None = None
    for agreed in _agreements(calendar, booking):
        found = _pieces([one for window in agreed for one in _found(calendar, window, horizon)])
        joint = found if joint is None else _common(joint, found)
    if joint is not None:
        return joint
    zone = zone_named(calendar.calendar.timezone)
    first, last = horizon.days(zone, before=0)
    days = (first + number * DAY for number in range((last - first).days + 1))
    return [Opening(day_span(day, day, zone), None, ALWAYS, zone.key) for day in days]


def regions_without_windows(calendar: Calendar, booking: Booking) -> tuple[str, ...]:
    """The release's regions in which no change window is agreed for its service; "" where it has none."""
    return tuple(region for region in regions_of(calendar, booking) if not _of(calendar, booking, region))


def regions_of(calendar: Calendar, booking: Booking) -> tuple[str, ...]:
    """The release's regions; one that names none goes to all that the calendar names, and "" is nowhere."""
    if booking.regions:
        return booking.regions
    listed = {region.name for region in calendar.regions}
    named = {region for window in calendar.windows for region in window.regions}
    return tuple(sorted(listed | named)) or ("",)


def windows_for(calendar: Calendar, booking: Booking) -> tuple[ChangeWindow, ...]:
    """Every change window that has a say in the release's dates."""
    agreed = (window for some in _agreements(calendar, booking) for window in some)
    return tuple({window.name: window for window in agreed}.values())


def _agreements(calendar: Calendar, booking: Booking) -> list[tuple[ChangeWindow, ...]]:
    """Each set of windows of which one must be open; the same set is asked once."""
    sets = [_of(calendar, booking, region) for region in regions_of(calendar, booking)]
    return list(dict.fromkeys(agreed for agreed in (*sets, booking.windows) if agreed))


def _of(calendar: Calendar, booking: Booking, region: str) -> tuple[ChangeWindow, ...]:
    return tuple(
        window
        for window in calendar.windows
        if has(window.services, booking.service) and has(window.regions, region)
    )


def _found(calendar: Calendar, window: ChangeWindow, horizon: Horizon) -> Iterator[_Found]:
    zone = calendar.zone_of(window.timezone, window.regions)
    for span in window_spans(calendar, window, horizon):
        yield span, window.overrun, window.name, zone


def _pieces(found: list[_Found]) -> list[Opening]:
    """Windows that touch or overlap as one stretch, cut where it begins or ends to allow an overrun."""
    result: list[Opening] = []
    chain: list[_Found] = []
    reached: datetime | None = None
    for one in sorted(found, key=lambda one: (one[0].start, one[0].end, one[2])):
        if reached is not None and one[0].start > reached:
            result += _cut(chain)
            chain, reached = [], None
        chain.append(one)
        reached = one[0].end if reached is None else max(reached, one[0].end)
    return result + _cut(chain)


def _cut(chain: Sequence[_Found]) -> list[Opening]:
    """One stretch as openings. Only who begins inside a window with an overrun may end after the stretch."""
    if not chain:
        return []
    whole = Span(chain[0][0].start, max(span.end for span, *_ in chain))
    name, zone = joined_names(name for _, _, name, _ in chain), chain[0][3]
    overrun = [span for span, may_overrun, *_ in chain if may_overrun]
    edges = {whole.start, whole.end, *(edge for span in overrun for edge in (span.start, span.end))}
    result: list[Opening] = []
    for start, end in pairwise(sorted(edges)):
        until = None if any(span.has(start) for span in overrun) else whole.end
        begins = result.pop().span.start if result and result[-1].until == until else start
        result.append(Opening(Span(begins, end), until, name, zone))
    return result


def _common(ones: Sequence[Opening], others: Sequence[Opening]) -> list[Opening]:
    """Where openings of both kinds overlap; each keeps its word on when the release must have ended."""
    found, one, other = list[Opening](), 0, 0
    while one < len(ones) and other < len(others):
        left, right = ones[one], others[other]
        start, end = max(left.span.start, right.span.start), min(left.span.end, right.span.end)
        if start < end:
            ends = [until for until in (left.until, right.until) if until is not None]
            name = joined_names([left.name, right.name])
            found.append(Opening(Span(start, end), min(ends, default=None), name, left.zone))
        if left.span.end <= right.span.end:
            one += 1
        else:
            other += 1
    return found
