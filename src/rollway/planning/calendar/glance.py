"""A calendar on a terminal: months at a glance, and below them what holds when."""

from __future__ import annotations

import calendar as plain_calendar
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from rollway.planning.calendar.entries import Kind, Occurrence, days_of
from rollway.planning.calendar.terms import told_day, told_span
from rollway.planning.windows import zone_named

MARKS: dict[Kind, str] = {
    "window": "w",
    "freeze": "f",
    "peak season": "p",
    "holiday": "h",
    "absence": "a",
    "milestone": "m",
    "release": "R",
}
LEGEND = (
    "w window  f freeze  p peak season (F, P: for everything)  h holiday  a somebody away  m milestone"
    "  R release"
)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WIDTH = 10


def month_lines(found: Sequence[Occurrence], first: date, last: date, zone: str) -> Iterator[str]:
    """Each month from the first day to the last as a sheet, with a letter for each kind of entry of a day."""
    marks = _marks(found, zone, (first, last))
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        yield f"{date(year, month, 1):%B %Y}, days of {zone}"
        yield "".join(f"{name:<{_WIDTH}}" for name in _WEEKDAYS).rstrip()
        for week in plain_calendar.Calendar().monthdatescalendar(year, month):
            shown = [day if day.month == month and first <= day <= last else None for day in week]
            if any(shown):
                yield "".join(f"{_cell(day, marks) if day else '':<{_WIDTH}}" for day in shown).rstrip()
        yield ""
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def entry_lines(found: Sequence[Occurrence]) -> Iterator[str]:
    """One line for each entry; what recurs within the days has one line for all of its occurrences."""
    groups: dict[tuple[Kind, str, str], list[Occurrence]] = {}
    for one in found:
        groups.setdefault((one.kind, one.name, one.zone), []).append(one)
    for (kind, name, _), group in groups.items():
        head = group[0]
        when = _when(group)
        told = "; ".join(part for part in (head.note, f"for {head.scope}" if head.scope else "") if part)
        yield f"{kind:<15}{name}: {when}{f' ({told})' if told else ''}"


def _when(group: Sequence[Occurrence]) -> str:
    head, tail = group[0], group[-1]
    if head.days is not None:
        days = ", ".join(f"{one.days[0]:%a %d %b %Y}" for one in group[:3] if one.days)
        return days + (f" and {len(group) - 3} more" if len(group) > 3 else "")
    told = told_span(head.span, head.zone)
    if len(group) == 1:
        return told
    until = told_day(tail.span.start.astimezone(zone_named(tail.zone)))
    return f"{told}, {len(group)} times, last on {until}"


def _marks(found: Iterable[Occurrence], zone: str, within: tuple[date, date]) -> dict[date, str]:
    marks: dict[date, set[str]] = {}
    for one in found:
        if one.kind in MARKS:
            letter = MARKS[one.kind]
            is_for_all = one.kind in ("freeze", "peak season") and not one.scope
            for day in days_of(one, zone, within):
                marks.setdefault(day, set()).add(letter.upper() if is_for_all else letter)
    order = "".join(MARKS.values())
    return {
        day: "".join(sorted(letters, key=lambda letter: (order.find(letter.lower()), letter)))
        for day, letters in marks.items()
    }


def _cell(day: date, marks: dict[date, str]) -> str:
    return f"{day.day:>2} {marks.get(day, '')}"
