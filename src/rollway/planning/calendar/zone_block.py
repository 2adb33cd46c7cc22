"""VTIMEZONE: the changes of a zone's clocks between two moments, each written out.

Rules of recurrence would be shorter, and readers disagree about them; dates leave nothing to disagree on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rollway.planning.windows import Span, zone_named

_STEP = timedelta(hours=12)


def zone_lines(name: str, within: Span) -> Iterator[str]:
    """The lines of a VTIMEZONE component, right for every moment of a span."""
    zone = zone_named(name)
    yield from ("BEGIN:VTIMEZONE", f"TZID:{name}")
    yield from _observance(zone, within.start, None)
    for moment in changes(zone, within):
        yield from _observance(zone, moment, moment - timedelta(seconds=1))
    yield "END:VTIMEZONE"


def changes(zone: ZoneInfo, within: Span) -> Iterator[datetime]:
    """The moments (UTC, to the second) of a span at which the clocks are put to another offset."""
    moment = within.start
    while moment < within.end:
        ahead = moment + _STEP
        if _offset(zone, moment) != _offset(zone, ahead):
            low, high = 0, int(_STEP.total_seconds())
            while high - low > 1:
                middle = (low + high) // 2
                is_before = _offset(zone, moment + timedelta(seconds=middle)) == _offset(zone, moment)
                low, high = (middle, high) if is_before else (low, middle)
            yield moment + timedelta(seconds=high)
        moment = ahead


def _observance(zone: ZoneInfo, moment: datetime, before: datetime | None) -> Iterator[str]:
    """One stretch with one offset. Its beginning is told by the clocks as they were before it."""
    local = moment.astimezone(zone)
    offset, former = _offset(zone, moment), _offset(zone, before or moment)
    kind = "DAYLIGHT" if local.dst() else "STANDARD"
    begins = (moment + former).replace(tzinfo=None)
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{begins:%Y%m%dT%H%M%S}"
    yield f"TZNAME:{local:%Z}"
    yield f"TZOFFSETFROM:{_written(former)}"
    yield f"TZOFFSETTO:{_written(offset)}"
    yield f"END:{kind}"


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).replace(tzinfo=UTC) - moment


def _written(offset: timedelta) -> str:
    sign = "-" if offset < timedelta(0) else "+"
    minutes, seconds = divmod(round(abs(offset).total_seconds()), 60)
    return f"{sign}{minutes // 60:02d}{minutes % 60:02d}" + (f"{seconds:02d}" if seconds else "")
