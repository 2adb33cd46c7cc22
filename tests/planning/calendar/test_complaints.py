"""What users of other release calendars complain about, each as a promise that is kept here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from planning.calendar.made import EVERY_DAY, at, booking, calendar, first_start, freeze, read, search, window
from rollway.facts.problems import ReleaseFileError
from rollway.planning import window_state
from rollway.planning.calendar.ics_in import Wish, read_ics
from rollway.planning.calendar.recurring import clock_notes
from rollway.planning.calendar.slots import calendar_state, next_slots

LONG_NIGHT, SHORT_NIGHT = "2026-10-24T12:00Z", "2027-03-27T12:00Z"


def is_open(one: object, moment: str, **values: object) -> bool:
    return calendar_state(one, booking(**values), at(moment)).is_open  # type: ignore[arg-type]


# --- recurring freezes --------------------------------------------------------------------------------


def test_01_a_weekly_freeze_holds_on_the_local_day_that_was_written() -> None:
    """Complaint: shown in local time and kept in UTC, a weekly freeze holds on the wrong day."""
    friday = calendar("Pacific/Auckland", freezes=[freeze(days=["fri"], begins="00:00", ends="24:00")])
    # Friday 4 December in Auckland is Thursday noon to Friday noon in UTC (13 h ahead).
    assert is_open(friday, "2026-12-03T10:59Z")
    assert not is_open(friday, "2026-12-03T11:00Z")
    assert not is_open(friday, "2026-12-04T10:59Z")
    assert is_open(friday, "2026-12-04T11:00Z")


def test_02_a_freeze_in_the_future_blocks_nothing_now() -> None:
    """Complaint: a one-off freeze of next month stops the deployments of today."""
    later = calendar(freezes=[freeze(first="2026-12-20", last="2027-01-03")])
    assert is_open(later, "2026-11-23T12:00Z")
    assert first_start(later, "2026-11-23T12:00Z") == "2026-11-23T12:00Z"


def test_03_a_recurring_freeze_keeps_to_its_time_of_day() -> None:
    """Complaint: a freeze from nine to five on Mondays holds for the whole Monday."""
    office = calendar("UTC", freezes=[freeze(days=["mon"], begins="09:00", ends="17:00")])
    assert [is_open(office, f"2026-11-23T{clock}Z") for clock in ("08:59", "09:00", "16:59", "17:00")] == [
        True,
        False,
        False,
        True,
    ]


def test_04_an_override_frees_a_release_to_a_frozen_and_a_free_region_together() -> None:
    """Complaint: a deployment to one frozen and one free environment cannot be let through."""
    one = calendar(
        freezes=[freeze("audit", regions=["us"], override=["cfo"], first="2026-11-20", last="2026-12-31")]
    )
    both = {"regions": ["eu", "us"]}
    assert first_start(one, "2026-11-23T12:00Z", **both) == "2026-12-31T23:00Z"
    word = {"freeze": "audit", "by": "cfo", "reason": "tax law"}
    slot = search(one, "2026-11-23T12:00Z", **both, overrides=[word]).slots[0]
    assert slot.start == at("2026-11-23T12:00Z")
    assert "freeze 'audit' is overridden by cfo: tax law" in slot.notes


def test_05_a_freeze_holds_for_its_tenants_and_regions_only() -> None:
    """Complaint: Thanksgiving has to stop the American tenants and nobody else."""
    one = calendar(
        "Europe/Zurich",
        regions=[{"name": "us", "timezone": "America/New_York"}, {"name": "eu", "timezone": "Europe/Zurich"}],
        freezes=[freeze(first="2026-11-26", last="2026-11-26", regions=["us"], tenants=["macy", "sears"])],
    )
    noon = "2026-11-26T12:00Z"
    assert not is_open(one, noon, tenants=["macy"], regions=["us"])
    assert is_open(one, noon, tenants=["migros"], regions=["us"])
    assert is_open(one, noon, tenants=["macy"], regions=["eu"])
    assert not is_open(one, noon), "a release that names nobody goes to all"
    # The one region that is named lends its clocks: midnight in New York, not in Zurich.
    assert is_open(one, "2026-11-26T04:59Z")
    assert not is_open(one, "2026-11-26T05:00Z")


def test_06_customers_business_hours_hold_by_their_own_clocks_with_a_word_for_each_occurrence() -> None:
    """Complaint: one freeze per place by its customers' hours, and a record of each that is let through."""
    one = calendar(
        regions=[{"name": "us", "timezone": "America/New_York"}, {"name": "jp", "timezone": "Asia/Tokyo"}],
        business_hours=[
            {
                "name": "open",
                "opens": "09:00",
                "closes": "17:00",
                "regions": ["us", "jp"],
                "override": ["coo"],
            }
        ],
    )
    assert not is_open(one, "2026-11-24T15:00Z", regions=["us"])
    assert is_open(one, "2026-11-24T15:00Z", regions=["jp"])
    assert not is_open(one, "2026-11-24T01:00Z", regions=["jp"])
    once = {"freeze": "open", "by": "coo", "reason": "hot", "on": "2026-11-24"}
    assert is_open(one, "2026-11-24T15:00Z", regions=["us"], overrides=[once])
    assert not is_open(one, "2026-11-25T15:00Z", regions=["us"], overrides=[once])


# --- the nights in which the clocks change ------------------------------------------------------------


def test_07_the_repeated_hour_triggers_nothing_twice() -> None:
    """Complaint: in the hour that comes twice a schedule fires again and again."""
    one = calendar("Europe/Berlin", windows=[window("02:00", "03:00")])
    now, found = at("2026-10-24T12:00Z"), []
    for _ in range(3):
        slot = next_slots(one, booking(duration="30m"), now).slots[0]
        found.append(slot.start)
        now = slot.end + timedelta(hours=12)
    assert [start.day for start in found] == [25, 26, 27]
    within = next_slots(one, booking(duration="30m"), at("2026-10-25T00:10Z"), 3).slots
    assert len({slot.start.astimezone(ZoneInfo("Europe/Berlin")).date() for slot in within}) == 3


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_09_a_window_needs_no_editing_twice_a_year(zone: str) -> None:
    """Complaint: windows in UTC have to be moved by hand each spring and autumn."""
    one = calendar(zone, windows=[window("22:00", "04:00")])
    for month in range(1, 13):
        noon = datetime(2026, month, 10, 12, tzinfo=ZoneInfo(zone))
        start = next_slots(one, booking(), noon).slots[0].start
        assert start.astimezone(ZoneInfo(zone)).isoformat()[:16] == f"2026-{month:02d}-10T22:00"


def test_10_planning_and_carrying_out_are_of_one_opinion() -> None:
    """Complaint: the page and the command line disagree whether a window is open."""
    zone, nights = "Europe/Berlin", window("02:15", "05:00", days=["sat", "sun"])
    frozen = {"first": "2026-10-31", "last": "2026-11-01"}
    one = calendar(zone, windows=[nights], freezes=[freeze(**frozen)])
    release = booking(
        windows=[{**nights, "timezone": zone}], freezes=[{"name": "f", **frozen, "timezone": zone}]
    )
    from rollway.facts.model import Freeze, Window

    del nights["name"]
    windows = (Window.model_validate({**nights, "timezone": zone}),)
    freezes = (Freeze.model_validate({**frozen, "timezone": zone}),)
    for minute in range(0, 9 * 24 * 60, 35):
        moment = at("2026-10-24T00:00Z") + timedelta(minutes=minute)
        executed = window_state(windows, freezes, moment)
        for planned in (
            calendar_state(one, booking(), moment),
            calendar_state(calendar(zone), release, moment),
        ):
            assert (planned.is_open, planned.next_open) == (executed.is_open, executed.next_open), moment


def test_11_a_freeze_blocks_nothing_outside_its_time() -> None:
    """Complaint: a deny window goes on denying after it has ended."""
    one = calendar("UTC", freezes=[freeze(days=EVERY_DAY, begins="22:00", ends="02:00")])
    open_minutes = [
        minute
        for minute in range(0, 24 * 60, 10)
        if calendar_state(one, booking(), at("2026-11-24T00:00Z") + timedelta(minutes=minute)).is_open
    ]
    assert (open_minutes[0], open_minutes[-1], len(open_minutes)) == (120, 22 * 60 - 10, 20 * 6)


def test_12_what_began_in_the_window_may_finish_where_the_calendar_says_so() -> None:
    """Complaint: a change that began in its window is cut off when the window closes."""
    strict = calendar("UTC", windows=[window("22:00", "23:00")])
    lenient = calendar("UTC", windows=[window("22:00", "23:00", overrun=True)])
    assert not search(strict, "2026-11-24T12:00Z", duration="90m").slots
    slot = search(lenient, "2026-11-24T12:00Z", duration="90m").slots[0]
    assert slot.start == at("2026-11-24T22:00Z")
    assert any("may end 30m after the window has closed" in note for note in slot.notes)
    # The same for a freeze: it does not throw out what began before.
    freezes = [freeze(first="2026-11-25", last="2026-11-30", overrun=True)]
    slot = search(calendar("UTC", windows=[window()], freezes=freezes), "2026-11-24T23:00Z").slots[0]
    assert slot.start == at("2026-11-24T23:00Z")
    assert any("runs into freeze 'freeze'" in note for note in slot.notes)


@pytest.mark.parametrize(("day", "utc"), [("2026-03-02", 8), ("2026-06-01", 7), ("2026-12-07", 8)])
def test_13_business_hours_follow_the_clocks(day: str, utc: int) -> None:
    """Complaint: a check of business hours is an hour off for half of the year."""
    one = calendar("Europe/Berlin", business_hours=[{"name": "open", "opens": "09:00", "closes": "18:00"}])
    assert is_open(one, f"{day}T{utc - 1:02d}:59Z")
    assert not is_open(one, f"{day}T{utc:02d}:00Z")
    assert is_open(one, f"{day}T{utc + 9:02d}:00Z")


def test_14_every_window_has_a_zone_of_its_own() -> None:
    """Complaint: schedules can be written in UTC only."""
    one = calendar(
        windows=[
            window("22:00", "23:00", timezone="America/New_York"),
            window("22:00", "23:00", timezone="Asia/Tokyo"),
        ]
    )
    starts = [slot.start for slot in search(one, "2026-12-01T04:30Z", 2, duration="30m").slots]
    assert starts == [at("2026-12-01T13:00Z"), at("2026-12-02T03:00Z")]


def test_15_no_zone_is_ever_silently_utc() -> None:
    """Complaint: a forgotten time zone is UTC, and nobody is told."""
    with pytest.raises(ReleaseFileError, match=r"a\.yaml:1:1: calendar\.timezone: is missing"):
        read("calendar: {name: x}\nwindows:\n  - {name: night, opens: '22:00', closes: '04:00'}\n")
    one = calendar("Asia/Tokyo", windows=[window("22:00", "23:00")])
    assert first_start(one, "2026-12-01T00:00Z", duration="30m") == "2026-12-01T13:00Z"


@pytest.mark.parametrize(
    ("now", "opens", "closes", "elapsed"),
    [
        (LONG_NIGHT, "22:00", "06:00", 9),
        (SHORT_NIGHT, "22:00", "06:00", 7),
        (LONG_NIGHT, "02:30", "06:00", 4.5),
        (SHORT_NIGHT, "02:30", "06:00", 3),
    ],
)
def test_16_a_recurring_window_works_in_the_nights_of_the_change(
    now: str, opens: str, closes: str, elapsed: float
) -> None:
    """Complaint: a recurring window fails on the day on which the clocks change."""
    one = calendar(windows=[window(opens, closes)])
    longest = f"{int(elapsed * 60)}m"
    slot = search(one, now, duration=longest).slots[0]
    assert slot.end - slot.start == timedelta(hours=elapsed)
    assert slot.start - at(now) < timedelta(hours=14)
    assert any("the clocks change in Europe/Zurich" in note for note in slot.notes) or opens == "02:30"
    too_long = search(one, now, duration=f"{int(elapsed * 60) + 1}m")
    assert not too_long.slots or too_long.slots[0].start - at(now) > timedelta(hours=24)


def test_16_a_wall_time_that_is_resolved_is_told() -> None:
    """A skipped or doubled time is taken for a moment by the stated rule, and the slot says so."""
    one = calendar(windows=[window("02:30", "05:00")])
    skipped = search(one, SHORT_NIGHT).slots[0]
    assert skipped.start == at("2027-03-28T01:00Z")
    assert "window 'night': Sun 28 Mar 2027 02:30 does not exist in Europe/Zurich; taken as 03:00 CEST" in (
        skipped.notes
    )
    doubled = search(one, LONG_NIGHT).slots[0]
    assert doubled.start == at("2026-10-25T00:30Z")
    assert any("02:30 comes twice in Europe/Zurich; taken as 02:30 CEST" in note for note in doubled.notes)


# --- when it is asked, and what is answered -----------------------------------------------------------


def test_17_a_freeze_is_asked_about_at_the_moment_of_the_change() -> None:
    """Complaint: the freeze was looked at when the pipeline began, and the promotion went out in it."""
    one = calendar("UTC", freezes=[freeze("audit", first="2026-11-25", last="2026-11-26")])
    assert is_open(one, "2026-11-24T23:00Z")
    later = calendar_state(one, booking(), at("2026-11-25T01:00Z"))
    assert not later.is_open
    assert later.next_open == at("2026-11-27T00:00Z")
    # Nor is a release planned that would still be under way when the freeze begins.
    assert first_start(one, "2026-11-24T23:00Z", duration="2h") == "2026-11-27T00:00Z"


def test_18_what_is_held_up_is_told_why_and_until_when() -> None:
    """Complaint: a frozen job vanishes without a message."""
    freezes = [freeze("year end", reason="books", first="2026-12-18", last="2027-01-05")]
    one = calendar(windows=[window(days=["fri"])], freezes=freezes)
    found = search(one, "2026-12-14T12:00Z")
    assert [refusal.words for refusal in found.refusals] == [
        "Fri 18 Dec 2026 to Fri 1 Jan 2027 Europe/Zurich, 3 windows: "
        "freeze 'year end' (books) until Wed 6 Jan 2027 00:00 CET"
    ]
    assert found.slots[0].words == "Fri 8 Jan 2027 22:00-24:00 Europe/Zurich (21:00 UTC)"
    held = calendar_state(one, booking(), at("2026-12-20T12:00Z"))
    assert held.reason == (
        "freeze 'year end' (books) until Wed 6 Jan 2027 00:00 CET; "
        "next opens Fri 8 Jan 2027 22:00 Europe/Zurich"
    )


# --- recurrence in iCalendar files --------------------------------------------------------------------

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
SUMMARY:Change freeze
{lines}
END:VEVENT
END:VCALENDAR
"""


def imported(*lines: str, zone: str = "UTC") -> list[tuple[str, str]]:
    """The occurrences of an imported freeze in autumn 2026, UTC."""
    data = EVENT.format(lines="\n".join(lines)).replace("\n", "\r\n").encode()
    wish = Wish("freezes", datetime(2026, 1, 1).date(), datetime(2027, 12, 31).date(), zone)  # noqa: DTZ001
    rows = read_ics(data, "x.ics", wish).rows
    one = calendar(zone, freezes=list(rows))
    from rollway.planning.calendar.entries import entries
    from rollway.planning.calendar.recurring import Horizon

    found = entries(one, Horizon(at("2026-09-01T00:00Z"), at("2027-01-01T00:00Z")))
    return [(f"{entry.span.start:%m-%dT%H:%M}", f"{entry.span.end:%m-%dT%H:%M}") for entry in found]


def test_38_an_end_in_utc_ends_a_series_in_local_time() -> None:
    """Complaint: UNTIL is in UTC and the start is not, and the last occurrence is lost or one too many."""
    tokyo = imported(
        "DTSTART;TZID=Asia/Tokyo:20261029T080000",
        "DTEND;TZID=Asia/Tokyo:20261029T100000",
        "RRULE:FREQ=DAILY;UNTIL=20261030T230000Z",  # 31 October 08:00 in Tokyo, included
    )
    assert [start for start, _ in tokyo] == ["10-28T23:00", "10-29T23:00", "10-30T23:00"]
    new_york = imported(
        "DTSTART;TZID=America/New_York:20261029T220000",
        "DTEND;TZID=America/New_York:20261029T230000",
        "RRULE:FREQ=DAILY;UNTIL=20261031T015959Z",  # a second before 22:00 on the 30th
    )
    assert [start for start, _ in new_york] == ["10-30T02:00"]


def test_38_a_series_keeps_its_wall_clock_when_the_clocks_change() -> None:
    """Complaint: after the change of the clocks every occurrence is an hour off."""
    weekly = imported(
        "DTSTART;TZID=Europe/Berlin:20261017T220000",
        "DTEND;TZID=Europe/Berlin:20261018T060000",
        "RRULE:FREQ=WEEKLY;COUNT=3",
    )
    assert weekly == [
        ("10-17T20:00", "10-18T04:00"),
        ("10-24T20:00", "10-25T05:00"),  # nine hours in the long night
        ("10-31T21:00", "11-01T05:00"),
    ]


def test_38_an_exception_in_utc_takes_out_the_local_occurrence() -> None:
    """Complaint: EXDATE in UTC does not match a start in local time, and the occurrence stays."""
    found = imported(
        "DTSTART;TZID=Europe/Berlin:20261019T080000",
        "DTEND;TZID=Europe/Berlin:20261019T090000",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "EXDATE:20261026T070000Z",
    )
    assert [start for start, _ in found] == ["10-19T06:00", "11-02T07:00"]


def test_the_changes_of_the_clocks_are_told_for_freezes_too() -> None:
    """A freeze whose edge is skipped says what it was taken for."""
    from rollway.planning.calendar.recurring import Horizon

    one = calendar(freezes=[freeze(days=["sun"], begins="02:30", ends="12:00")])
    horizon = Horizon(datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))
    assert clock_notes(one, (), one.freezes, horizon) == [
        "freeze 'freeze': Sun 28 Mar 2027 02:30 does not exist in Europe/Zurich; taken as 03:00 CEST"
    ]
