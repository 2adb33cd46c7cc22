"""Other people's iCalendar files as lines of a calendar: what is taken, what is left out, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from planning.calendar.made import at, calendar, read
from rollway.errors import InputError
from rollway.planning.calendar.entries import entries
from rollway.planning.calendar.feed import export_feed
from rollway.planning.calendar.ics_in import Read, Wanted, Wish, fragment, read_ics
from rollway.planning.calendar.recurring import Horizon

FIRST, LAST = date(2026, 11, 1), date(2027, 12, 31)


def given(*events: str, head: str = "") -> bytes:
    inside = "\n".join(f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n{head}{inside}\nEND:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def wish(wanted: Wanted = "freezes", zone: str = "Europe/Zurich", person: str = "") -> Wish:
    return Wish(wanted, FIRST, LAST, zone, person)


def rows(*events: str, **wished: Any) -> list[dict[str, Any]]:
    return list(read_ics(given(*events), "x.ics", wish(**wished)).rows)


def skipped(result: Read) -> list[str]:
    return [f"{one.count} {one.why}" for one in result.skipped]


HOLIDAY = "UID:h\nSUMMARY:Foundation day\nDTSTART;VALUE=DATE:20261207\nDTEND;VALUE=DATE:20261209"
TIMED = (
    "UID:t\nSUMMARY:Deployment freeze\nDTSTART;TZID=America/New_York:20261210T180000\n"
    "DTEND;TZID=America/New_York:20261211T060000"
)
AWAY = "UID:a\nSUMMARY:Ana out of office\nDTSTART;VALUE=DATE:20261214\nDTEND;VALUE=DATE:20261219"


def test_whole_days_and_times_are_kept() -> None:
    """An all-day event by the calendar's clocks, a timed one by its own."""
    assert rows(HOLIDAY, TIMED) == [
        {"name": "Foundation day", "first": "2026-12-07", "last": "2026-12-08", "timezone": "Europe/Zurich"},
        {
            "name": "Deployment freeze",
            "first": "2026-12-10",
            "last": "2026-12-11",
            "begins": "18:00",
            "ends": "06:00",
            "timezone": "America/New_York",
        },
    ]


@pytest.mark.parametrize("free", ["TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"])
def test_a_company_holiday_that_is_marked_as_free_is_one(free: str) -> None:
    """Calendars of holidays mark all of their days as free, so that nobody's time is blocked."""
    assert len(rows(f"{HOLIDAY}\n{free}")) == 1


@pytest.mark.parametrize("free", ["TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"])
def test_a_free_day_of_a_person_is_no_absence(free: str) -> None:
    """A birthday in somebody's calendar takes nobody away; an out of office does, free or not."""
    birthday = f"UID:b\nSUMMARY:Birthday\nDTSTART;VALUE=DATE:20261207\n{free}"
    result = read_ics(given(birthday, f"{AWAY}\n{free}"), "x.ics", wish("absences", person="ana"))
    assert [row["first"] for row in result.rows] == ["2026-12-14"]
    assert skipped(result) == ["1 marked as free"]


def test_absences_are_a_persons() -> None:
    """All-day events and what Outlook marks as away; no meetings, no working elsewhere."""
    away = (
        "UID:o\nSUMMARY:Dentist\nDTSTART;TZID=Europe/Zurich:20261208T130000\n"
        "DTEND;TZID=Europe/Zurich:20261208T170000\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"
    )
    meeting = "UID:m\nSUMMARY:Stand-up\nDTSTART:20261208T080000Z\nDTEND:20261208T081500Z"
    home = f"{HOLIDAY}\nX-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"
    result = read_ics(given(AWAY, away, meeting, home), "x.ics", wish("absences", person="ana"))
    assert [(row["first"], row.get("begins")) for row in result.rows] == [
        ("2026-12-08", "13:00"),
        ("2026-12-14", None),
    ]
    assert skipped(result) == ["1 an appointment, not an absence", "1 working elsewhere"]
    text = fragment(result, wish("absences", person="ana"))
    base = "calendar: {name: x, timezone: Europe/Zurich}\npeople: [{name: ana}]\n"
    assert len(read(base, text).people[0].absences) == 2


def test_what_is_no_freeze_is_left_out_with_a_reason() -> None:
    """Cancelled, somebody's absence, an appointment, a change window, the past."""
    past = "UID:p\nSUMMARY:Freeze\nDTSTART;VALUE=DATE:20250101"
    cancelled = f"{HOLIDAY}\nSTATUS:CANCELLED"
    meeting = "UID:m\nSUMMARY:Review\nDTSTART:20261208T080000Z\nDTEND:20261208T090000Z"
    opened = "UID:w\nSUMMARY:Maintenance window\nDTSTART;VALUE=DATE:20261212"
    broken = "UID:k\nSUMMARY:Freeze\nDTSTART:yesterday"
    result = read_ics(given(past, cancelled, AWAY, meeting, opened, broken), "x.ics", wish())
    assert result.rows == ()
    assert sorted(skipped(result)) == [
        "1 a window, a milestone or a release, not a freeze",
        "1 an appointment of some hours",
        "1 cancelled",
        "1 its dates cannot be read",
        "1 not between 2026-11-01 and 2027-12-31",
        "1 one person's absence: read it with --person",
    ]


def test_a_rule_stays_a_rule() -> None:
    """The last Friday of each month is one line, not thirteen."""
    monthly = (
        "UID:r\nSUMMARY:Invoice freeze\nDTSTART;TZID=Europe/Zurich:20261127T200000\n"
        "DTEND;TZID=Europe/Zurich:20261128T040000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270430T180000Z"
    )
    assert rows(monthly) == [
        {
            "name": "Invoice freeze",
            "first": "2026-11-27",
            "begins": "20:00",
            "ends": "04:00",
            "timezone": "Europe/Zurich",
            "rule": "FREQ=MONTHLY;BYDAY=-1FR",
            "last": "2027-04-30",
        }
    ]


def test_a_series_with_exceptions_is_written_out() -> None:
    """One is left out, one is moved to another day; names tell the rest apart."""
    series = "UID:s\nSUMMARY:Freeze\nDTSTART;VALUE=DATE:20261204\nRRULE:FREQ=WEEKLY;COUNT=4\n"
    series += "EXDATE;VALUE=DATE:20261211"
    moved = "UID:s\nSUMMARY:Freeze\nRECURRENCE-ID;VALUE=DATE:20261218\nDTSTART;VALUE=DATE:20261217"
    found = rows(series, moved)
    assert [row["first"] for row in found] == ["2026-12-04", "2026-12-17", "2026-12-25"]
    assert [row["name"] for row in found] == ["Freeze", "Freeze 2026-12-17", "Freeze 2026-12-25"]


def test_times_in_utc_stay_in_utc_and_unknown_zones_are_told() -> None:
    """UTC has no summer time; of a zone that nobody knows the moment is kept."""
    utc = "UID:u\nSUMMARY:Freeze\nDTSTART:20261207T120000Z\nDTEND:20261207T180000Z"
    assert rows(utc)[0] == {
        "name": "Freeze",
        "first": "2026-12-07",
        "last": "2026-12-07",
        "begins": "12:00",
        "ends": "18:00",
        "timezone": "UTC",
    }
    windows = utc.replace("DTSTART:", "DTSTART;TZID=W. Europe Standard Time:").replace("0000Z", "0000")
    windows = windows.replace("DTEND:", "DTEND;TZID=W. Europe Standard Time:")
    assert rows(windows)[0]["timezone"] == "Europe/Berlin"


def test_what_is_exported_is_read_again() -> None:
    """The freezes of one organisation, taken over by another, hold at the same moments."""
    one = calendar(
        "America/New_York",
        windows=[{"name": "w", "opens": "22:00", "closes": "23:00"}],
        freezes=[{"name": "audit", "first": "2026-11-30", "last": "2026-12-04", "begins": "18:00"}],
    )
    horizon = Horizon(at("2026-11-01T04:00Z"), at("2027-01-01T05:00Z"))
    from rollway.planning.windows import Span

    within = Span(horizon.start, horizon.end)
    data = export_feed(
        "x", "America/New_York", "", entries(one, horizon), within, at("2026-11-23T00:00Z")
    ).data
    result = read_ics(data, "x.ics", wish())
    taken = read("calendar: {name: y, timezone: Asia/Tokyo}\n", fragment(result, wish()))
    assert [entry.span for entry in entries(taken, horizon)] == [
        entry.span for entry in entries(one, horizon) if entry.kind == "freeze"
    ]


@pytest.mark.parametrize("data", [b"", b"hello", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00"])
def test_what_is_no_calendar_is_refused(data: bytes) -> None:
    """One sentence with the file's name, never a traceback."""
    with pytest.raises(InputError, match=r"^x\.ics: this"):
        read_ics(data, "x.ics", wish())
