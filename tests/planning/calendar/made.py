"""Calendars, bookings and moments for the tests, written as people write them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rollway.facts.problems import SourceText
from rollway.planning.calendar.load import parse_calendar
from rollway.planning.calendar.model import Booking, Calendar
from rollway.planning.calendar.slots import Search, next_slots

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def at(text: str) -> datetime:
    """A moment with its offset, such as `2026-10-24T22:00Z`."""
    return datetime.fromisoformat(text)


def calendar(timezone: str = "Europe/Zurich", **lists: Any) -> Calendar:
    """A calendar of plain values."""
    return Calendar.model_validate({"calendar": {"name": "test", "timezone": timezone}, **lists})


def read(text: str, *more: str) -> Calendar:
    """The calendar in one text or several, checked."""
    sources = [SourceText(f"{name}.yaml", one) for name, one in zip("abcdef", (text, *more), strict=False)]
    return parse_calendar(*sources)


def booking(**values: Any) -> Booking:
    """A release of two hours, if nothing else is said."""
    return Booking.model_validate({"name": "r", "service": "shop", **values})


def window(opens: str = "22:00", closes: str = "04:00", **values: Any) -> dict[str, Any]:
    """A change window of every day."""
    return {"name": "night", "opens": opens, "closes": closes, **values}


def freeze(name: str = "freeze", **values: Any) -> dict[str, Any]:
    return {"name": name, **values}


def search(one: Calendar, now: str, count: int = 1, **values: Any) -> Search:
    """The next slots of a release from a moment on."""
    return next_slots(one, booking(**values), at(now), count)


def first_start(one: Calendar, now: str, **values: Any) -> str:
    """The start of the next slot as `2026-10-24T22:00Z`; "" where there is none."""
    slots = search(one, now, **values).slots
    return f"{slots[0].start:%Y-%m-%dT%H:%MZ}" if slots else ""
