"""iCalendar: freezes as whole days, with time zones, recurrences and exceptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.facts.importers import Given, Imported, Options, import_given

from .conftest import FIRST, LAST

Read = Callable[..., Imported]


def calendar(*events: str, zone: str = "") -> str:
    """A calendar of events called "freeze", given by their lines."""
    wrapped = [
        f"BEGIN:VEVENT\nUID:{at}\nSUMMARY:freeze\n{lines}\nEND:VEVENT" for at, lines in enumerate(events)
    ]
    told = f"X-WR-TIMEZONE:{zone}\n" if zone else ""
    return "BEGIN:VCALENDAR\nVERSION:2.0\n" + told + "\n".join(wrapped) + "\nEND:VCALENDAR\n"


def days(read: Imported) -> list[tuple[str, str]]:
    return [(row["first"], row["last"]) for row in read.rows.get("agreements.freezes", ())]


def test_a_change_calendar_as_outlook_writes_it(sample: Read) -> None:
    """All-day and timed events, Windows time zones, a monthly rule with an exception and a moved date."""
    read = sample("freezes.ics")
    assert [tuple(row.values()) for row in read.rows["agreements.freezes"]] == [
        ("2026-11-28", "2026-11-30", "Europe/Zurich", "Change freeze: sale"),
        ("2026-11-30", "2026-12-02", "Europe/Berlin", "Closing of the books: no changes"),
        ("2026-12-18", "2027-01-04", "Europe/Zurich", "Year-end freeze"),
        ("2027-02-01", "2027-02-02", "Europe/Berlin", "Closing of the books, one day later: no changes"),
        ("2027-02-28", "2027-03-02", "Europe/Berlin", "Closing of the books: no changes"),
    ]
    assert read.notes == ("3 events with times of day widened to whole days",)


def test_what_is_no_freeze_is_told(sample: Read) -> None:
    """Windows, meetings, cancelled and broken events, a person's days, and rules that recur each second."""
    assert {one.why: one.places for one in sample("freezes.ics").skipped} == {
        "change windows, which belong under agreements.windows": ("'Change window'",),
        "appointments of some hours": ("'Sprint review'",),
        "cancelled": ("'Freeze for the move'",),
        "its dates cannot be read": ("'Freeze some day'",),
        "one person's days": ("'Ana: vacation'",),
        "it recurs more often than daily": ("'Freeze of the second'",),
    }


def test_holidays_recur_within_the_days_asked_for(sample: Read) -> None:
    """Yearly, by weekday, with a count that has run out in time."""
    assert days(sample("holidays.ics")) == [
        ("2026-11-26", "2026-11-26"),
        ("2026-12-25", "2026-12-26"),
        ("2027-01-01", "2027-01-01"),
        ("2027-11-25", "2027-11-25"),
        ("2027-12-25", "2027-12-26"),
    ]
    assert days(sample("holidays.ics", last=date(2026, 12, 1))) == [("2026-11-26", "2026-11-26")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261110", [("2026-11-10", "2026-11-10")]),
        ("DTSTART;VALUE=DATE:20261110\nDTEND;VALUE=DATE:20261110", [("2026-11-10", "2026-11-10")]),
        ("DTSTART;VALUE=DATE:20261110\nDURATION:P2D", [("2026-11-10", "2026-11-11")]),
        # Midnight ends the day before it; the freeze is not in force on the 12th.
        ("DTSTART:20261110T000000\nDTEND:20261112T000000", [("2026-11-10", "2026-11-11")]),
        ("DTSTART:20261110T180000\nDTEND:20261112T000001", [("2026-11-10", "2026-11-12")]),
        # Five in the morning in Tokyo is still the evening before in UTC; its own days count.
        ("DTSTART;TZID=Asia/Tokyo:20261110T050000\nDURATION:PT2H", [("2026-11-10", "2026-11-10")]),
        # Over the change to winter time: a length is elapsed time of the clock on the wall.
        ("DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:P9D", [("2026-10-24", "2026-11-02")]),
        ("DTSTART;VALUE=DATE:20251110", []),
        ("DTSTART;VALUE=DATE:20261030\nDTEND;VALUE=DATE:20261102", [("2026-10-30", "2026-11-01")]),
        # Days in a row for one reason are one freeze.
        ("DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=DAILY;COUNT=4", [("2026-11-10", "2026-11-13")]),
        (
            "DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20261111",
            [("2026-11-10", "2026-11-10"), ("2026-11-12", "2026-11-13")],
        ),
        (
            "DTSTART;VALUE=DATE:20261110\nRDATE;VALUE=DATE:20261201,20261203",
            [("2026-11-10", "2026-11-10"), ("2026-12-01", "2026-12-01"), ("2026-12-03", "2026-12-03")],
        ),
        (
            "DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=WEEKLY;UNTIL=20261124",
            [("2026-11-10", "2026-11-10"), ("2026-11-17", "2026-11-17"), ("2026-11-24", "2026-11-24")],
        ),
    ],
)
def test_days(imported: Read, lines: str, expected: list[tuple[str, str]]) -> None:
    """Which whole days an event takes, both included."""
    assert days(imported(calendar(lines))) == expected


def test_times_in_utc_are_days_of_the_calendars_zone(imported: Read) -> None:
    """Eleven in the evening of the 9th in UTC is the 10th in Zurich."""
    text = calendar("DTSTART:20261109T230000Z\nDURATION:P1D", zone="Europe/Zurich")
    assert days(imported(text)) == [("2026-11-10", "2026-11-10")]
    assert days(imported(text, timezone="UTC")) == [("2026-11-09", "2026-11-10")]


TOKYO = "DTSTART;TZID=Asia/Tokyo:20261110T080000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;UNTIL="


def test_a_series_that_ends_in_utc_keeps_its_last_day(imported: Read) -> None:
    """Eleven in the evening of the 23rd in UTC is eight in the morning of the 24th in Tokyo."""
    read = imported(calendar(TOKYO + "20261123T230000Z"))
    assert [first for first, _ in days(read)] == ["2026-11-10", "2026-11-17", "2026-11-24"]
    a_second_less = imported(calendar(TOKYO + "20261123T225959Z"))
    assert [first for first, _ in days(a_second_less)] == ["2026-11-10", "2026-11-17"]


def test_exceptions_in_utc_are_days_of_the_series(imported: Read) -> None:
    """An exception that stands in UTC takes the day out that it is in Tokyo."""
    read = imported(calendar(TOKYO + "20261123T230000Z\nEXDATE:20261116T230000Z"))
    assert [first for first, _ in days(read)] == ["2026-11-10", "2026-11-24"]


def test_a_moved_day_told_in_utc_is_not_there_twice(imported: Read) -> None:
    """The event that stands for one day of the series names that day in UTC, and its own in another zone."""
    moved = "RECURRENCE-ID:20261116T230000Z\nDTSTART;TZID=Europe/Berlin:20261119T080000\nDURATION:P1D"
    text = calendar(TOKYO + "20261123T230000Z", moved).replace("UID:1", "UID:0")
    firsts = sorted(first for first, _ in days(imported(text)))
    assert firsts == ["2026-11-10", "2026-11-19", "2026-11-24"]


def test_an_unknown_time_zone_is_told(refused: Callable[..., str]) -> None:
    """One that a person names; a calendar's own nonsense is read as UTC."""
    assert "there is no such time zone; such as Europe/Zurich" in refused(
        calendar("DTSTART;VALUE=DATE:20261110"), timezone="Mars"
    )


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=DAILY;INTERVAL=0", "it recurs more often than daily"),
        ("DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=NEVER", "a date or rule of it cannot be read"),
        ("DTSTART;VALUE=DATE:20261110\nEXDATE:banana", "a date or rule of it cannot be read"),
        ("DTSTART;VALUE=DATE:20261110\nDTEND;VALUE=DATE:20261101", "it ends before it begins"),
        ("DTSTART;VALUE=DATE:20261110\nDTEND:20261112T100000Z", "its dates cannot be read"),
        ("DESCRIPTION:no date", "its dates cannot be read"),
        (
            "DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY",
            "it has more than one rule of recurrence",
        ),
    ],
)
def test_a_broken_event_spoils_nothing(imported: Read, lines: str, why: str) -> None:
    """It is left out with its reason; the events beside it are read."""
    read = imported(calendar(lines, "DTSTART;VALUE=DATE:20261201"))
    assert days(read) == [("2026-12-01", "2026-12-01")]
    assert [one.why for one in read.skipped] == [why]


def test_what_is_no_calendar_is_refused(refused: Callable[..., str]) -> None:
    """Cut off in the middle, or lines that are none."""
    assert "was it cut off?" in refused("BEGIN:VCALENDAR\nBEGIN:VEVENT\n")
    assert "this is not iCalendar" in refused("BEGIN:VCALENDAR\nfoo bar\nEND:VCALENDAR\n")


def test_a_calendar_that_never_ends_is_refused_in_seconds(refused: Callable[..., str]) -> None:
    """Two hundred weekly series are no calendar of freezes."""
    begun = time.process_time()
    series = [
        f"COMMENT:{at}\nDTSTART;VALUE=DATE:202001{1 + at % 28:02d}\nRRULE:FREQ=WEEKLY" for at in range(200)
    ]
    text = calendar(*series)
    for at in range(200):
        text = text.replace("SUMMARY:freeze", f"SUMMARY:closing {at}", 1)
    assert "recurs too often" in refused(text)
    assert time.process_time() - begun < 10


@settings(max_examples=60, deadline=None)
@given(
    st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    st.integers(1, 40),
    st.sampled_from(
        ["", "RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=MONTHLY;BYDAY=-1FR\n", "RRULE:FREQ=DAILY;INTERVAL=9\n"]
    ),
)
def test_every_freeze_lies_in_the_days_asked_for(start: date, length: int, rule: str) -> None:
    """Each has its last day not before its first, touches the horizon, and none touches the next."""
    lines = f"DTSTART;VALUE=DATE:{start:%Y%m%d}\nDURATION:P{length}D\n{rule}".strip()
    read = import_given(Given("x.ics", calendar(lines).encode()), Options(first=FIRST, last=LAST))[1]
    found = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in days(read)]
    assert all(first <= last and last >= FIRST and first <= LAST for first, last in found)
    assert all((after[0] - before[1]).days > 1 for before, after in pairwise(found))
