"""What the calendar's rules speak in: openings, blocks, and the moments at which a release may begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollway.planning.windows import Span, zone_named

ALWAYS = "always open"
Interval = tuple[datetime, datetime]
"""Moments (UTC) from the first to the last, both included."""
_SHOWN_NAMES = 3
LAST_YEAR = 9000
"""What ends after this year has no end."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One stretch in which a release may begin; `until` is when it must have ended (None: whenever)."""

    span: Span
    until: datetime | None
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch that stands against a release, by which rule. `overrun`: only a beginning is refused.

    Where `zone` is given, its words end in when it ends, by the clocks of that zone.
    """

    rule: str
    span: Span
    told: str
    overrun: bool = False
    zone: str = ""

    @property
    def words(self) -> str:
        """`freeze 'year end' (the books are closed) until Wed 6 Jan 2027 00:00 CET`."""
        return f"{self.told} until {told_end(self.span, self.zone)}" if self.zone else self.told


def starts(opening: Opening, against: Sequence[Block], duration: timedelta) -> list[Interval]:
    """The moments at which a release of that (elapsed) length may begin in an opening, in order."""
    last = opening.span.end - timedelta.resolution
    if opening.until is not None:
        last = min(last, opening.until - duration)
    free = [(opening.span.start, last)] if last >= opening.span.start else []
    for block in against:
        before, after = refused_between(block, duration)
        if before >= last or after <= opening.span.start:
            continue
        parts = [((low, min(high, before)), (max(low, after), high)) for low, high in free]
        free = [(low, high) for pair in parts for low, high in pair if low <= high]
        if not free:
            break
    return free


def refused_between(block: Block, duration: timedelta) -> Interval:
    """A release may not begin strictly between these two moments; at either of them it may."""
    length = timedelta.resolution if block.overrun else max(duration, timedelta.resolution)
    # What holds since ever has nothing before it.
    before = block.span.start if block.span.start.year == 1 else block.span.start - length
    return before, block.span.end


def has(scope: tuple[str, ...], name: str) -> bool:
    """Does a scope hold a name? One that names nothing holds all."""
    return not scope or name in scope


def overlap(scope: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Does a scope concern a release? A release that names nothing goes to all."""
    return not scope or not names or bool(set(scope) & set(names))


def joined_names(names: Iterable[str]) -> str:
    """`night, weekend`; the rest is counted."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _SHOWN_NAMES} more" if len(distinct) > _SHOWN_NAMES else ""
    return ", ".join(distinct[:_SHOWN_NAMES]) + more


def told_day(moment: datetime) -> str:
    """`Mon 4 Jan 2027`."""
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def told_moment(moment: datetime) -> str:
    """`Mon 4 Jan 2027 06:00`."""
    return f"{told_day(moment)} {moment:%H:%M}"


def told_end(span: Span, zone_name: str) -> str:
    """`Wed 6 Jan 2027 00:00 CET`, or that nobody has said when."""
    if span.end.year > LAST_YEAR:
        return "further notice"
    end = span.end.astimezone(zone_named(zone_name))
    return f"{told_moment(end)} {end:%Z}"


def told_span(span: Span, zone_name: str) -> str:
    """`Sat 28 Nov 2026 22:00 to Sun 04:00 Europe/Zurich`; the offsets too, where they change in it."""
    zone = zone_named(zone_name)
    begin, end = span.start.astimezone(zone), span.end.astimezone(zone)
    days = (end.date() - begin.date()).days
    if end.year > LAST_YEAR:
        return f"{told_moment(begin)} until further notice {zone_name}"
    if days == 0:
        close = f"-{end:%H:%M}" if span.end > span.start else ""
    elif days == 1:
        close = "-24:00" if (end.hour, end.minute) == (0, 0) else f" to {end:%a %H:%M}"
    else:
        close = f" to {told_moment(end)}"
    offset = "" if begin.utcoffset() == end.utcoffset() else f" ({begin:%Z} to {end:%Z})"
    return f"{told_moment(begin)}{close} {zone_name}{offset}"
