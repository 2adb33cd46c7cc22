"""The earliest slots: how they are told, what is passed over, and how long the search takes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest

from planning.calendar.made import EVERY_DAY, at, booking, calendar, freeze, read, search, window
from rollway.errors import InputError
from rollway.facts import parse_release
from rollway.planning.calendar.neighbours import neighbour_blocks
from rollway.planning.calendar.of_release import booking_of
from rollway.planning.calendar.slots import calendar_state, next_slots
from rollway.planning.calendar.warnings import calendar_warnings, clock_changes

EXAMPLE = Path(__file__).parents[3] / "examples" / "calendar" / "harbour.yaml"


def test_there_is_one_slot_in_a_window() -> None:
    """Three slots are three nights, not three minutes."""
    found = search(calendar("UTC", windows=[window()]), "2026-11-23T12:00Z", 3).slots
    assert [slot.start.day for slot in found] == [23, 24, 25]


def test_windows_that_overlap_have_one_slot_together() -> None:
    """Also where one of them allows an overrun and the other does not."""
    strict = {**window("21:00", "01:00"), "name": "strict"}
    one = calendar("UTC", windows=[window("20:00", "23:00", overrun=True), strict])
    found = search(one, "2026-11-23T12:00Z", 3, duration="1h").slots
    assert [slot.start for slot in found] == [at(f"2026-11-{day}T20:00Z") for day in (23, 24, 25)]


def test_there_is_one_slot_in_a_day_that_is_always_open() -> None:
    """Where nothing is agreed, or a window never closes, days are told apart."""
    for windows in ([], [window("00:00", "24:00")]):
        found = search(calendar("UTC", windows=windows), "2026-11-23T12:00Z", 3).slots
        assert [slot.start for slot in found] == [
            at("2026-11-23T12:00Z"),
            at("2026-11-24T00:00Z"),
            at("2026-11-25T00:00Z"),
        ]


def test_a_window_that_is_open_already_begins_now() -> None:
    """The rest of tonight counts, if it is long enough; if not, that is said."""
    one = calendar("UTC", windows=[window()])
    assert search(one, "2026-11-24T01:30Z", duration="2h").slots[0].start == at("2026-11-24T01:30Z")
    found = search(one, "2026-11-24T03:00Z", duration="2h")
    assert found.slots[0].start == at("2026-11-24T22:00Z")
    assert found.refusals[0].reasons == ("the window has 1h left, the release takes 2h",)


def test_a_refusal_names_only_what_is_needed() -> None:
    """Where one freeze covers the window, a second one that only touches it is not blamed."""
    one = calendar(
        "UTC",
        windows=[window(days=["mon"])],
        freezes=[
            freeze("long", first="2026-11-20", last="2026-12-10"),
            freeze("short", days=["mon"], begins="22:00", ends="23:00"),
        ],
    )
    refused = search(one, "2026-11-23T12:00Z").refusals
    assert [(refusal.rules, refusal.count) for refusal in refused] == [(("freeze 'long'",), 3)]


def test_refusals_in_a_row_for_other_reasons_stay_apart() -> None:
    """Each reason has its windows."""
    one = calendar(
        "UTC",
        windows=[window(days=EVERY_DAY)],
        freezes=[
            freeze("one", first="2026-11-23", last="2026-11-25"),
            freeze("two", first="2026-11-26", last="2026-11-28"),
        ],
    )
    told = [(refusal.rules, refusal.count) for refusal in search(one, "2026-11-23T12:00Z").refusals]
    assert told == [(("freeze 'one'",), 2), (("freeze 'one'", "freeze 'two'"), 1), (("freeze 'two'",), 2)]


def test_a_start_later_than_the_opening_is_explained() -> None:
    """The window opens in a freeze and outlasts it."""
    one = calendar(
        "UTC", windows=[window()], freezes=[freeze("batch", days=EVERY_DAY, begins="21:00", ends="23:30")]
    )
    slot = search(one, "2026-11-23T12:00Z").slots[0]
    assert slot.start == at("2026-11-23T23:30Z")
    assert slot.notes == ("not earlier: freeze 'batch' until Mon 23 Nov 2026 23:30 UTC",)


def test_a_slot_is_told_in_local_time_in_utc_and_on_the_clocks_of_the_sites() -> None:
    """A site whose clocks show the same is not told twice."""
    one = calendar("Europe/Zurich", windows=[window()])
    slot = search(one, "2026-11-23T12:00Z", zones=["Europe/Berlin", "Asia/Singapore"]).slots[0]
    assert slot.words == "Mon 23 Nov 2026 22:00-24:00 Europe/Zurich (21:00 UTC)"
    assert slot.elsewhere == ("Tue 24 Nov 2026 05:00-07:00 Asia/Singapore",)
    assert [line["timezone"] for line in slot.to_json()["local"]] == [
        "Europe/Zurich",
        "Europe/Berlin",
        "Asia/Singapore",
    ]


def test_a_moment_without_a_zone_is_refused() -> None:
    """Which noon?"""
    with pytest.raises(InputError, match="no time zone"):
        next_slots(calendar(), booking(), datetime(2026, 11, 23, 12))  # noqa: DTZ001


def test_the_state_says_why_and_when() -> None:
    """Outside of windows, inside a freeze, and never."""
    one = calendar("UTC", windows=[window(days=["mon"])])
    closed = calendar_state(one, booking(), at("2026-11-24T12:00Z"))
    assert closed.reason == "no change window is open; next opens Mon 30 Nov 2026 22:00 UTC"
    opened = calendar_state(one, booking(), at("2026-11-23T23:00Z"))
    assert (opened.is_open, opened.reason) == (True, "the change window night is open")
    for_ever = calendar("UTC", freezes=[freeze(first="2026-01-01", last="9999-12-31")])
    never = calendar_state(for_ever, booking(), at("2026-11-24T12:00Z"))
    assert (never.next_open, never.reason) == (
        None,
        "freeze 'freeze' until further notice; nothing opens within 400 days",
    )


# --- other releases -----------------------------------------------------------------------------------


def test_a_release_comes_after_those_it_depends_on_and_beside_no_pin_that_takes_the_same() -> None:
    """The earliest slot of what comes first, its gap, and what others have pinned."""
    one = calendar(
        "UTC",
        windows=[window("20:00", "24:00")],
        conflicts=[{"name": "core", "services": ["a", "b"]}],
        releases=[
            {"name": "first", "service": "x", "earliest": "2026-11-25", "duration": "2h"},
            {"name": "pinned", "service": "a", "pinned": "2026-11-26 20:00", "duration": "3h"},
            {"name": "last", "service": "b", "after": ["first"], "gap": "4h", "duration": "2h"},
        ],
    )
    now, last = at("2026-11-23T12:00Z"), one.releases[2]
    found = next_slots(one, last, now, also=neighbour_blocks(one, one.releases, last, now))
    assert found.slots[0].start == at("2026-11-27T20:00Z")
    told = [reason for refusal in found.refusals for reason in refusal.reasons]
    assert any("it comes after 'first', which ends on Wed 25 Nov 2026 22:00" in words for words in told)
    assert any(
        "'pinned' takes conflict group 'core' until Thu 26 Nov 2026 23:00 UTC" in words for words in told
    )


# --- release files ------------------------------------------------------------------------------------

RELEASE = """
release: {name: ledger-7, version: "7", service: ledger, team: core}
goals: {deadline: 2026-12-31}
stakeholders:
  groups:
    - {name: macy, site: Newark, timezone: America/New_York}
    - {name: migros, site: Basel, timezone: Europe/Zurich}
architecture:
  third_parties: [{name: tax tables, kind: supplier, valid_from: 2026-11-27}]
agreements:
  windows: [{days: [fri, sat], opens: "20:00", closes: "23:30", timezone: Europe/Zurich}]
  freezes: [{first: 2026-11-28, last: 2026-11-28, timezone: Europe/Zurich, reason: stocktaking}]
migration: {duration: 2h}
"""


def test_a_release_file_takes_part_with_all_that_it_says() -> None:
    """Service, sites, windows, freezes, third parties, deadline, duration."""
    one = calendar(
        regions=[
            {"name": "us", "timezone": "America/New_York", "sites": ["Newark"]},
            {"name": "eu", "timezone": "Europe/Zurich", "sites": ["Basel"]},
            {"name": "asia", "timezone": "Asia/Tokyo"},
        ],
        freezes=[
            freeze("asia only", first="2026-11-01", last="2026-12-31", regions=["asia"]),
            freeze("for macy", first="2026-12-04", last="2026-12-04", tenants=["macy"]),
            freeze("for others", first="2026-11-01", last="2026-12-31", tenants=["sears"]),
        ],
    )
    made, notes = booking_of(parse_release(RELEASE, "release.yaml"), one)
    assert (made.service, made.regions, made.tenants) == ("ledger", ("eu", "us"), ("macy", "migros"))
    assert made.duration == timedelta(hours=3)
    assert any("2h and half as much again" in note for note in notes)
    assert any("no team 'core'" in note for note in notes)
    found = next_slots(one, made, at("2026-11-20T12:00Z"), 5)
    assert [slot.start.day for slot in found.slots] == [27, 5, 11, 12, 18]
    told = {rule for refusal in found.refusals for rule in refusal.rules}
    assert {"supplier 'tax tables'", "the release's freeze 'stocktaking'", "freeze 'for macy'"} <= told
    assert found.slots[0].elsewhere == ("Fri 27 Nov 2026 14:00-17:00 America/New_York",)


def test_a_line_of_the_calendar_stands_for_what_the_release_file_leaves_open() -> None:
    """Team, people and order come from the calendar; the file's own windows still hold."""
    one = calendar(
        people=[{"name": "ana", "absences": [{"first": "2026-11-27", "last": "2026-11-27"}]}],
        releases=[{"name": "ledger-7", "service": "ledger", "people": ["ana"], "duration": "90m"}],
    )
    made, _ = booking_of(parse_release(RELEASE, "release.yaml"), one)
    assert made.people == ("ana",)
    assert made.duration == timedelta(minutes=90)
    assert next_slots(one, made, at("2026-11-20T12:00Z")).slots[0].start.day == 4


def test_a_site_that_no_region_knows_frees_from_nothing() -> None:
    """A misspelt site must not walk past the freeze of its region."""
    one = calendar(
        regions=[{"name": "us", "timezone": "America/New_York", "sites": ["Newyork"]}],
        freezes=[freeze("us", first="2026-11-01", last="2026-12-31", regions=["us"])],
    )
    made, notes = booking_of(parse_release(RELEASE, "release.yaml"), one)
    assert made.regions == ()
    assert any("no region for macy, migros" in note for note in notes)
    assert not next_slots(one, made, at("2026-11-20T12:00Z")).slots


# --- warnings -----------------------------------------------------------------------------------------


def test_what_is_surely_not_meant_is_warned_about() -> None:
    """Windows that never open, rules that never hold, pins against a rule, releases without a slot."""
    one = read(
        """
calendar: {name: x, timezone: Europe/Zurich}
windows:
  - {name: never, days: [mon], rule: FREQ=MONTHLY;BYDAY=3SA, opens: "22:00", closes: "23:00", services: [old]}
  - {name: night, opens: "22:00", closes: "04:00"}
freezes:
  - {name: gone, rule: FREQ=WEEKLY;BYDAY=MO, first: 2020-01-01, last: 2020-12-31}
  - {name: year end, first: 2026-12-18, last: 2027-01-05}
releases:
  - {name: a, service: s, pinned: 2026-12-20 23:00}
  - {name: b, service: s, pinned: 2027-02-01 12:00}
  - {name: c, service: s, duration: 9h}
  - {name: d, service: s, pinned: 2027-02-02 03:00}
"""
    )
    told = list(calendar_warnings(one, at("2026-11-23T12:00Z")))
    assert told == [
        "window 'never' does not open within 400 days",
        "freeze 'gone' does not hold within 400 days",
        "release 'a' is pinned against a rule: freeze 'year end' until Wed 6 Jan 2027 00:00 CET",
        "release 'b' is pinned to a time at which no change window is open",
        "release 'c' has no slot within 400 days: the window has 6h left, the release takes 9h",
        "release 'd' is pinned to a time after which its window closes too early",
    ]
    assert clock_changes(one, at("2026-11-23T12:00Z")) == []


# --- speed --------------------------------------------------------------------------------------------

ZONES = ("Europe/Zurich", "America/New_York", "Asia/Singapore", "Australia/Lord_Howe", "UTC")


@pytest.mark.parametrize(("recurring", "seconds"), [(False, 0.3), (True, 0.6)])
def test_four_hundred_days_of_fifty_windows_and_fifty_freezes_take_no_time(
    recurring: bool, seconds: float
) -> None:
    """Though nothing is found and every window is explained; twice the time for 20,000 short freezes."""
    drawn = random.Random(3)
    windows = [
        {
            "name": f"w{i}",
            "opens": f"{20 + i % 4}:00",
            "closes": f"0{2 + i % 5}:00",
            "timezone": ZONES[i % 5],
            "days": drawn.sample(EVERY_DAY, 3),
        }
        for i in range(50)
    ]
    first = date(2026, 11, 1)
    daily = [
        {
            "days": EVERY_DAY,
            "begins": f"{i * 29 // 60:02d}:{i * 29 % 60:02d}",
            "ends": f"{(i * 29 // 60 + 1) % 24:02d}:30",
        }
        for i in range(50)
    ]
    weeks = [
        {"first": first + timedelta(days=9 * i), "last": first + timedelta(days=9 * i + 9)} for i in range(50)
    ]
    freezes = [
        {"name": f"f{i}", "timezone": ZONES[i % 5], **(daily if recurring else weeks)[i]} for i in range(50)
    ]
    one = calendar("UTC", windows=windows, freezes=freezes)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    taken = []
    for _ in range(3):
        begun = process_time()
        found = next_slots(one, booking(), now)
        taken.append(process_time() - begun)
    assert not found.slots
    assert sum(refusal.count for refusal in found.refusals) > 300
    assert min(taken) < seconds
