"""Windows and freezes, judged against a second, slower way of reading the same rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.facts.model import WEEKDAYS, Freeze, Window
from rollway.planning import window_state
from rollway.planning.windows import describe_window

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def window(
    days: str = " ".join(WEEKDAYS), opens: str = "22:00", closes: str = "06:00", zone: str = "UTC"
) -> Window:
    return Window.model_validate({"days": days.split(), "opens": opens, "closes": closes, "timezone": zone})


def open_seconds(subject: Window, start: datetime, end: datetime, step: int = 300) -> int:
    """For how long the window is open between two moments, in steps."""
    moments = range(0, int((end - start).total_seconds()), step)
    return sum(step for s in moments if window_state((subject,), (), start + timedelta(seconds=s)).is_open)


# --- the plain rules --------------------------------------------------------------------------------


def test_without_windows_it_is_always_open() -> None:
    """Where nothing is agreed, nothing is forbidden."""
    assert window_state((), (), at("2026-03-01T00:00Z")).is_open


def test_a_window_includes_its_opening_and_not_its_closing() -> None:
    """22:00 is inside, 06:00 is outside."""
    night = window("sat")
    assert window_state((night,), (), at("2026-10-24T22:00Z")).is_open
    assert not window_state((night,), (), at("2026-10-24T21:59:59Z")).is_open
    assert window_state((night,), (), at("2026-10-25T05:59:59Z")).is_open
    assert not window_state((night,), (), at("2026-10-25T06:00Z")).is_open


def test_the_day_of_a_window_is_the_day_on_which_it_opens() -> None:
    """A Saturday window that crosses midnight is open early on Sunday, not early on Saturday."""
    night = window("sat")
    assert window_state((night,), (), at("2026-10-25T03:00Z")).is_open
    assert not window_state((night,), (), at("2026-10-24T03:00Z")).is_open


def test_the_next_opening_is_told_with_the_reason() -> None:
    """Somebody who is too early learns when to come back, in the window's own zone."""
    state = window_state((window("sat", zone="Europe/Berlin"),), (), at("2026-10-20T12:00Z"))
    assert state.next_open == at("2026-10-24T20:00Z")
    assert "Sat 2026-10-24 22:00 CEST" in state.reason


def test_windows_in_several_zones_are_joined() -> None:
    """It is open when any of the windows is, wherever it is written down."""
    both = (
        window("mon", "09:00", "10:00", "Europe/Berlin"),
        window("mon", "09:00", "10:00", "America/New_York"),
    )
    assert window_state(both, (), at("2026-06-01T07:30Z")).is_open
    assert window_state(both, (), at("2026-06-01T13:30Z")).is_open
    assert window_state(both, (), at("2026-06-01T10:30Z")).next_open == at("2026-06-01T13:00Z")


def test_twenty_four_o_clock_is_the_end_of_the_day() -> None:
    """`24:00` closes at midnight, and opens at midnight of the next day."""
    assert not window_state((window("mon", "22:00", "24:00"),), (), at("2026-06-02T00:00Z")).is_open
    assert window_state((window("mon", "24:00", "02:00"),), (), at("2026-06-02T00:00Z")).is_open
    assert window_state((window("mon", "00:00", "24:00"),), (), at("2026-06-01T23:59:59Z")).is_open


# --- freezes ----------------------------------------------------------------------------------------


def test_a_freeze_wins_over_a_window_and_covers_whole_local_days() -> None:
    """From the first local midnight to the one after the last day, in the freeze's own zone."""
    freeze = Freeze(
        first=date(2026, 12, 20), last=date(2026, 12, 21), timezone="America/New_York", reason="peak"
    )
    always = window(opens="00:00", closes="24:00")
    assert window_state((always,), (freeze,), at("2026-12-20T04:59Z")).is_open
    inside = window_state((always,), (freeze,), at("2026-12-20T05:00Z"))
    assert not inside.is_open
    assert "peak" in inside.reason
    assert inside.next_open == at("2026-12-22T05:00Z")
    assert window_state((always,), (freeze,), at("2026-12-22T05:00Z")).is_open


def test_freezes_that_follow_each_other_are_waited_out_together() -> None:
    """The next opening is after the last of a chain, even without any window."""
    chain = tuple(Freeze(first=date(2026, 12, d), last=date(2026, 12, d + 2)) for d in (22, 20, 24))
    assert window_state((), chain, at("2026-12-21T12:00Z")).next_open == at("2026-12-27T00:00Z")


def test_a_freeze_for_ever_never_opens() -> None:
    """A last day at the end of the calendar is for ever, and no error."""
    for_ever = Freeze(first=date(1, 1, 1), last=date(9999, 12, 31), timezone="Pacific/Auckland")
    state = window_state((), (for_ever,), at("2026-12-21T12:00Z"))
    assert (state.is_open, state.next_open) == (False, None)
    assert "within a year" in state.reason


def test_a_window_that_a_freeze_swallows_is_passed_over() -> None:
    """An opening inside a freeze does not count; one whose end reaches past it does, from there."""
    night = window("sat sun", "22:00", "06:00")
    freeze = Freeze(first=date(2026, 10, 24), last=date(2026, 10, 25))
    assert window_state((night,), (freeze,), at("2026-10-24T12:00Z")).next_open == at("2026-10-26T00:00Z")


# --- clocks that jump -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "evening", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", 7.0),
        ("Europe/Berlin", "2026-10-24", 9.0),
        ("America/New_York", "2026-03-07", 7.0),
        ("America/New_York", "2026-10-31", 9.0),
        ("Australia/Lord_Howe", "2026-10-03", 7.5),
        ("Australia/Lord_Howe", "2026-04-04", 8.5),
    ],
)
def test_a_night_window_is_wall_clock_and_not_elapsed_time(zone: str, evening: str, hours: float) -> None:
    """22:00-06:00 is as long as the night is: half an hour more or less on Lord Howe Island."""
    night = window("sat", zone=zone)
    start = datetime.combine(date.fromisoformat(evening), time(12), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert open_seconds(night, start, start + timedelta(days=1)) == hours * 3600


@pytest.mark.parametrize(
    ("zone", "day", "opens", "first"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00Z"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00Z"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30Z"),
    ],
)
def test_a_skipped_opening_moves_to_the_first_moment_that_exists(
    zone: str, day: str, opens: str, first: str
) -> None:
    """02:30 does not exist that night; the window opens when the clocks have jumped."""
    subject = window("sun", opens, "05:00", zone)
    noon_before = at(first) - timedelta(hours=12)
    assert window_state((subject,), (), noon_before).next_open == at(first)
    assert window_state((subject,), (), at(first)).is_open
    assert not window_state((subject,), (), at(first) - timedelta(seconds=1)).is_open


def test_an_hour_that_comes_twice_opens_at_its_first_and_closes_at_its_last_occurrence() -> None:
    """02:15 opens in summer time, 02:45 closes in winter time: an hour and a half of wall clock."""
    subject = window("sun", "02:15", "02:45", "Europe/Berlin")
    assert window_state((subject,), (), at("2026-10-24T12:00Z")).next_open == at("2026-10-25T00:15Z")
    assert window_state((subject,), (), at("2026-10-25T01:44:59Z")).is_open
    assert not window_state((subject,), (), at("2026-10-25T01:45Z")).is_open


def test_a_window_that_is_skipped_entirely_does_not_open() -> None:
    """02:15-02:45 does not exist in the spring night; the next one is a week later."""
    subject = window("sun", "02:15", "02:45", "Europe/Berlin")
    assert window_state((subject,), (), at("2026-03-28T12:00Z")).next_open == at("2026-04-05T00:15Z")


def test_a_day_that_a_country_skipped_is_no_error() -> None:
    """Samoa had no 30 December 2011: the window of that day is empty."""
    subject = window("fri", "09:00", "17:00", "Pacific/Apia")
    assert window_state((subject,), (), at("2011-12-29T12:00Z")).next_open == at("2012-01-05T19:00Z")


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Europe/Berlim", "", "../etc/passwd", "Europe", "a\0b"])
def test_an_unknown_zone_is_named(name: str) -> None:
    """A wrong zone is the file's error and is told as one."""
    with pytest.raises(InputError, match="no time zone"):
        window_state((window(zone=name),), (), at("2026-01-01T00:00Z"))


def test_a_moment_without_a_zone_is_refused() -> None:
    """Which 12:00? Guessing would be wrong half of the year."""
    with pytest.raises(InputError):
        window_state((), (), datetime(2026, 1, 1, 12))  # noqa: DTZ001


def test_windows_read_as_people_write_them() -> None:
    """Days in a row are a range, all days are daily."""
    assert describe_window(window("mon tue wed thu fri")) == "mon-fri 22:00-06:00 UTC"
    assert describe_window(window("sat mon")) == "mon,sat 22:00-06:00 UTC"
    assert describe_window(window()) == "daily 22:00-06:00 UTC"


# --- laws -------------------------------------------------------------------------------------------

clock_times = st.builds(
    lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from((0, 1, 15, 30, 59))
)
some_windows = st.lists(
    st.builds(
        Window,
        days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True).map(tuple),
        opens=clock_times,
        closes=st.one_of(clock_times, st.just("24:00")),
        timezone=st.sampled_from(ZONES),
    ),
    max_size=2,
)
some_freezes = st.lists(
    st.builds(
        lambda first, length, zone: Freeze(first=first, last=first + timedelta(days=length), timezone=zone),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.integers(0, 20),
        st.sampled_from(ZONES),
    ),
    max_size=2,
)
# Around the changes of the clocks, where the mistakes are, as well as anywhere.
changes = (
    "2026-03-29T01:00Z",
    "2026-10-25T01:00Z",
    "2026-03-08T07:00Z",
    "2026-11-01T06:00Z",
    "2026-10-03T15:30Z",
)
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.builds(lambda c, m: at(c) + timedelta(minutes=m), st.sampled_from(changes), st.integers(-180, 180)),
).map(lambda moment: moment.replace(microsecond=0))


@settings(max_examples=150, deadline=None)
@given(some_windows, some_freezes, moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    windows: list[Window], freezes: list[Freeze], moment: datetime
) -> None:
    """next_open lies ahead, is open itself, and every moment probed before it is closed."""
    state = window_state(windows, freezes, moment)
    if state.is_open or state.next_open is None:
        assert state.next_open is None
        return
    assert moment < state.next_open <= moment + timedelta(days=365)
    assert window_state(windows, freezes, state.next_open).is_open
    assert not window_state(windows, freezes, state.next_open - timedelta(seconds=1)).is_open
    for part in range(1, 12):
        between = moment + (state.next_open - moment) * part / 12
        assert not window_state(windows, freezes, between).is_open


@settings(max_examples=150, deadline=None)
@given(some_windows, moments)
def test_away_from_the_changes_a_window_is_what_the_clock_on_the_wall_says(
    windows: list[Window], moment: datetime
) -> None:
    """On nights with one offset, open means: the wall clock reads between opening and closing."""
    expected = not windows
    for subject in windows:
        local = moment.astimezone(ZoneInfo(subject.timezone))
        days = [(local + timedelta(days=d)).date() for d in (-2, -1, 0, 1, 2)]
        noons = [datetime.combine(d, time(12), tzinfo=local.tzinfo).utcoffset() for d in days]
        if len(set(noons)) > 1:
            return
        wall = local.replace(tzinfo=None)
        for day in (local.date(), local.date() - timedelta(days=1)):
            opens, closes = (
                datetime.combine(day, time()) + timedelta(hours=int(t[:2]), minutes=int(t[3:]))
                for t in (subject.opens, subject.closes)
            )
            if closes <= opens:
                closes += timedelta(days=1)
            expected |= WEEKDAYS[day.weekday()] in subject.days and opens <= wall < closes
    assert window_state(windows, (), moment).is_open == expected


@settings(max_examples=100, deadline=None)
@given(some_windows, some_freezes, moments)
def test_a_freeze_never_opens_anything(
    windows: list[Window], freezes: list[Freeze], moment: datetime
) -> None:
    """What is open with freezes is open without them."""
    if window_state(windows, freezes, moment).is_open:
        assert window_state(windows, (), moment).is_open
