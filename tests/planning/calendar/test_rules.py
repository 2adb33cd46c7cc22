"""What the calendar says to one release: windows of all its regions, and what stands against it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.calendar.made import EVERY_DAY, at, booking, calendar, first_start, freeze, search, window
from rollway.errors import InputError
from rollway.planning.calendar.recurring import Horizon, pinned_moment, rule_days
from rollway.planning.calendar.rules import blocks, conflict_keys, openings
from rollway.planning.windows import zone_named

WEEK = Horizon(at("2026-11-23T00:00Z"), at("2026-11-30T00:00Z"))


def opened(one: Any, **values: Any) -> list[tuple[str, str, str]]:
    return [
        (
            f"{opening.span.start:%d %H:%M}",
            f"{opening.span.end:%d %H:%M}",
            "" if opening.until is None else f"{opening.until:%d %H:%M}",
        )
        for opening in openings(one, booking(**values), WEEK)
    ]


def rules(one: Any, **values: Any) -> set[str]:
    return {block.rule for block in blocks(one, booking(**values), WEEK)}


# --- windows ------------------------------------------------------------------------------------------


def test_windows_that_touch_are_one() -> None:
    """What begins in the first may end in the second."""
    evening = window("20:00", "22:00", days=["mon"], timezone="UTC")
    late = {**window("22:00", "24:00", days=["mon"], timezone="UTC"), "name": "late"}
    assert opened(calendar(windows=[evening, late])) == [("23 20:00", "24 00:00", "24 00:00")]


def test_an_overrun_belongs_to_its_own_window() -> None:
    """Who begins in the strict window beside it has to end in time."""
    lenient = window("20:00", "22:00", days=["mon"], timezone="UTC", overrun=True)
    strict = {**window("21:00", "23:00", days=["mon"], timezone="UTC"), "name": "strict"}
    one = calendar(windows=[lenient, strict])
    assert opened(one) == [("23 20:00", "23 22:00", ""), ("23 22:00", "23 23:00", "23 23:00")]
    assert first_start(one, "2026-11-23T21:59Z", duration="3h") == "2026-11-23T21:59Z"
    assert first_start(one, "2026-11-23T22:01Z", duration="2h") == "2026-11-30T20:00Z"


def test_a_release_needs_a_window_of_all_its_regions_at_once() -> None:
    """Europe's and America's windows overlap for an hour, and that is when it can go."""
    one = calendar(
        regions=[{"name": "eu", "timezone": "Europe/Zurich"}, {"name": "us", "timezone": "America/New_York"}],
        windows=[
            window("22:00", "02:00", days=["mon"], regions=["eu"]),
            {**window("19:00", "23:00", days=["mon"], regions=["us"]), "name": "evening"},
        ],
    )
    assert opened(one, regions=["eu", "us"]) == [("24 00:00", "24 01:00", "24 01:00")]
    assert opened(one) == opened(one, regions=["eu", "us"]), "a release that names no region goes to all"
    assert opened(one, regions=["us"]) == [("24 00:00", "24 04:00", "24 04:00")]


def test_windows_are_for_their_services() -> None:
    """A service with no window of its own is open, and the slot says that nothing is agreed."""
    one = calendar(windows=[window(services=["ledger"])])
    slot = search(one, "2026-11-23T12:00Z", service="shop").slots[0]
    assert slot.start == at("2026-11-23T12:00Z")
    assert slot.notes == ("no change window is agreed for shop: always open there",)
    assert first_start(one, "2026-11-23T12:00Z", service="ledger") == "2026-11-23T21:00Z"


def test_a_releases_own_windows_and_the_calendars_must_both_be_open() -> None:
    """What a team agreed on lies inside what the organisation allows."""
    one = calendar("UTC", windows=[window("22:00", "04:00")])
    own = [{"opens": "02:00", "closes": "09:00", "timezone": "UTC"}]
    assert first_start(one, "2026-11-23T12:00Z", windows=own) == "2026-11-24T02:00Z"
    assert not search(one, "2026-11-23T12:00Z", windows=own, duration="3h").slots


@pytest.mark.parametrize(
    ("rule", "first", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=3SA", None, [date(2026, 11, 21), date(2026, 12, 19)]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", None, [date(2026, 11, 30), date(2026, 12, 31)]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE", date(2026, 11, 4), [date(2026, 11, d) for d in (4, 18)]
         + [date(2026, 12, d) for d in (2, 16, 30)]),
        ("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", None, [date(2026, 11, 26)]),
    ],
)  # fmt: skip
def test_a_rule_names_days(rule: str, first: date | None, days: list[date]) -> None:
    """The third Saturday, the last of the month, every other Wednesday, Thanksgiving."""
    assert list(rule_days(rule, first, date(2026, 11, 1), date(2026, 12, 31))) == days


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")),
    st.sampled_from(("BYDAY=MO,TH", "BYDAY=SA", "BYMONTHDAY=-1,13", "BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")),
    st.sampled_from(("", ";BYMONTH=3,11")),
    st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
def test_a_rule_without_a_first_day_means_the_same_wherever_one_looks(
    frequency: str, part: str, months: str, begin: date
) -> None:
    """Beginning to count shortly before the days asked for gives what counting from long ago gives."""
    rule = f"FREQ={frequency};{part}{months}"
    end = begin + timedelta(days=60)
    old = rrulestr(rule, dtstart=datetime(2024, 1, 1))  # noqa: DTZ001
    every = old.between(
        datetime.combine(begin, datetime.min.time()), datetime.combine(end, datetime.min.time()), inc=True
    )
    assert list(rule_days(rule, None, begin, end)) == [moment.date() for moment in every]


# --- what stands against it ---------------------------------------------------------------------------


def test_freezes_are_for_their_services_and_kinds_of_change() -> None:
    """A fix goes through a freeze that exempts fixes."""
    one = calendar(freezes=[freeze(days=EVERY_DAY, services=["shop"], exempt=["fix"])])
    assert rules(one) == {"freeze 'freeze'"}
    assert rules(one, change="fix") == set()
    assert rules(one, service="ledger") == set()


def test_a_peak_season_is_a_freeze_of_another_name() -> None:
    """The reason says which it was."""
    one = calendar(peaks=[freeze("advent", first="2026-11-20", last="2026-12-24")])
    assert rules(one) == {"peak season 'advent'"}


def test_holidays_are_those_of_the_place_and_their_eves_where_wished() -> None:
    """1 August is a holiday in Switzerland; on the eve of it nothing goes out either."""
    swiss = calendar(holidays=[{"country": "CH", "subdivision": "ZH", "eve": True}])
    assert first_start(swiss, "2026-07-30T22:00Z", duration="1h") == "2026-08-01T22:00Z"
    plain = calendar(holidays=[{"country": "CH", "subdivision": "ZH"}])
    assert first_start(plain, "2026-07-30T22:00Z", duration="1h") == "2026-07-30T22:00Z"
    # Epiphany is one in Ticino and none in Zurich; Easter Sunday is kept without being a public holiday.
    ticino = calendar(holidays=[{"country": "CH", "subdivision": "TI"}])
    assert first_start(ticino, "2027-01-06T08:00Z") == "2027-01-06T23:00Z"
    assert first_start(plain, "2027-01-06T08:00Z") == "2027-01-06T08:00Z"
    custom = calendar(holidays=[{"country": "CH", "subdivision": "ZH", "categories": ["public", "de_facto"]}])
    assert first_start(custom, "2027-03-28T08:00Z") == "2027-03-29T22:00Z"
    assert first_start(plain, "2027-03-28T08:00Z") == "2027-03-28T08:00Z"


def test_somebody_who_is_needed_and_away_holds_it_up() -> None:
    """Days, hours of a day, every Friday, and the holidays of the own country."""
    people = [
        {
            "name": "ana",
            "timezone": "America/New_York",
            "country": "US",
            "absences": [
                {"first": "2026-11-23", "last": "2026-11-23", "begins": "12:00", "ends": "17:00"},
                {"days": ["fri"], "reason": "part time"},
            ],
        }
    ]
    one = calendar(people=people)
    assert first_start(one, "2026-11-23T16:30Z", people=["ana"]) == "2026-11-23T22:00Z"
    assert first_start(one, "2026-11-23T16:30Z") == "2026-11-23T16:30Z"
    thanksgiving_and_friday = first_start(one, "2026-11-26T05:00Z", people=["ana"])
    assert thanksgiving_and_friday == "2026-11-28T05:00Z"
    words = [block.words for block in blocks(one, booking(people=["ana"]), WEEK)]
    assert "ana is away (part time) until Sat 28 Nov 2026 00:00 EST" in words


def test_a_team_needs_so_many_of_its_people() -> None:
    """One of three may be away, two may not."""
    people = [
        {"name": name, "absences": [{"first": f"2026-11-{first}", "last": f"2026-11-{last}"}]}
        for name, first, last in (("a", 23, 25), ("b", 25, 27), ("c", 29, 29))
    ]
    one = calendar("UTC", people=people, teams=[{"name": "t", "people": ["a", "b", "c"], "at_least": 2}])
    found = [block for block in blocks(one, booking(team="t"), WEEK) if block.rule == "team t"]
    assert [(block.span.start, block.span.end) for block in found] == [
        (at("2026-11-25T00:00Z"), at("2026-11-26T00:00Z"))
    ]
    assert found[0].words == "team t has 1 people there and needs 2"


def test_third_parties_and_licences_bound_the_days() -> None:
    """Not before the supplier is ready, not after support has ended; by name or by service."""
    milestones = [
        {"name": "gateway", "valid_from": "2026-12-01"},
        {"name": "support", "kind": "licence", "valid_until": "2026-12-10", "services": ["shop"]},
    ]
    one = calendar("UTC", milestones=milestones)
    assert first_start(one, "2026-11-23T12:00Z", needs=["gateway"]) == "2026-12-01T00:00Z"
    assert first_start(one, "2026-12-10T22:00Z") == "2026-12-10T22:00Z"
    assert first_start(one, "2026-12-10T22:01Z") == ""
    assert first_start(one, "2026-12-10T22:01Z", service="ledger") == "2026-12-10T22:01Z"


def test_a_freeze_without_end_is_no_error() -> None:
    """A last day at the end of time is for ever."""
    one = calendar("Pacific/Auckland", freezes=[freeze(first="0001-01-01", last="9999-12-31")])
    found = search(one, "2026-11-23T12:00Z")
    assert not found.slots
    assert found.refusals[0].reasons == ("freeze 'freeze' until further notice",)


def test_a_pin_is_the_only_start() -> None:
    """A person's word on the date leaves no other; if it does not fit, there is none."""
    one = calendar(windows=[window()])
    found = search(one, "2026-11-23T12:00Z", 3, pinned="2026-11-28 23:15")
    assert [slot.start for slot in found.slots] == [at("2026-11-28T22:15Z")]
    assert not search(one, "2026-11-23T12:00Z", pinned="2026-11-28 12:00").slots


@pytest.mark.parametrize("text", ["2027-03-28 02:30", "2026-10-25 02:30", "tomorrow"])
def test_a_pin_that_is_no_single_moment_is_refused(text: str) -> None:
    """Skipped and doubled times are asked about, never guessed."""
    with pytest.raises(InputError):
        pinned_moment(text, zone_named("Europe/Berlin"))
    assert pinned_moment("2026-10-25T02:30+01:00", zone_named("Europe/Berlin")) == at("2026-10-25T01:30Z")


def test_releases_that_share_something_share_a_key() -> None:
    """A service, an environment, a person, a group by service, by environment or by name."""
    one = calendar(
        conflicts=[
            {"name": "core", "services": ["shop", "ledger"]},
            {"name": "lab", "environments": ["staging"]},
            {"name": "night", "reason": "one pager"},
        ]
    )

    def shared(left: dict[str, Any], right: dict[str, Any]) -> set[str]:
        return set(conflict_keys(one, booking(**left))) & set(conflict_keys(one, booking(**right)))

    assert shared({"service": "shop"}, {"service": "ledger"}) == {"conflict group 'core'"}
    assert shared({"service": "a"}, {"service": "a"}) == {"service 'a'"}
    assert shared({"service": "a", "people": ["x"]}, {"service": "b", "people": ["x"]})
    assert shared(
        {"service": "a", "environments": ["staging"]}, {"service": "b", "environments": ["staging"]}
    ) == {"environment 'staging'", "conflict group 'lab'"}
    assert shared({"service": "a", "conflicts": ["night"]}, {"service": "b", "conflicts": ["night"]})
    assert not shared({"service": "a"}, {"service": "b"})
