"""Whole calendars placed: what has begun stays, pins hold, conflicts with a pin are told, odd grids fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollway.errors import InputError
from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.solver import Effort, Timetable, read_starts, solve_calendar
from rollway.planning.windows import Span

pytest.importorskip("ortools")
MONDAY = datetime(2027, 1, 4, 12, tzinfo=UTC)
TWO_WEEKS = Span(MONDAY, MONDAY + timedelta(days=14))
NIGHT = {"name": "night", "days": ["mon", "wed"], "opens": "22:00", "closes": "02:00"}


def calendar_with(*releases: dict[str, Any], **rest: Any) -> Calendar:
    heading = {"name": "small", "timezone": "UTC"}
    rows = [{"service": one["name"], **one} for one in releases]
    return Calendar.model_validate({"calendar": heading, "windows": [NIGHT], "releases": rows} | rest)


def solve(calendar: Calendar, **options: Any) -> Timetable:
    return solve_calendar(calendar, calendar.releases, TWO_WEEKS, **options)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_has_begun_stays_and_the_rest_follows() -> None:
    """A first wave before the stretch is kept though a freeze forbids it now; its bake holds the next."""
    shop = {"name": "shop", "waves": [{"name": "few", "bake": "3d"}, {"name": "all"}]}
    freeze = {"name": "new", "first": "2027-01-02", "last": "2027-01-04"}
    previous = {("shop", "few"): at("2027-01-02 22:00"), ("shop", "all"): at("2027-01-11 22:00")}
    timetable = solve(calendar_with(shop, freezes=[freeze]), previous=previous)
    few, whole = timetable.placements
    assert (few.slot.start, few.begun) == (at("2027-01-02 22:00"), True)
    assert (whole.slot.start, whole.moved) == (at("2027-01-11 22:00"), False)
    again = solve(calendar_with(shop), previous={("shop", "few"): at("2027-01-02 22:00")})
    assert again.placements[1].slot.start == at("2027-01-06 22:00")


def test_a_pin_holds_and_others_give_way() -> None:
    """The pinned release keeps its slot against one that is far more important."""
    rows = [
        {"name": "small", "service": "x", "pinned": "2027-01-04 22:30", "duration": "1h", "priority": 1},
        {"name": "large", "service": "x", "duration": "3h", "priority": 9},
    ]
    starts = solve(calendar_with(*rows)).starts
    assert starts["small", ""] == at("2027-01-04 22:30")
    assert starts["large", ""] == at("2027-01-06 22:00")


def test_a_pin_against_a_rule_is_told() -> None:
    """It is left out rather than moved, and the reasons are the pin and the rule."""
    freeze = {"name": "stop", "first": "2027-01-04", "last": "2027-01-04"}
    timetable = solve(calendar_with({"name": "shop", "pinned": "2027-01-04 22:00"}, freezes=[freeze]))
    assert [{reason.rule for reason in one.reasons} for one in timetable.deferred] == [
        {"pin", "freeze 'stop'"}
    ]


def test_a_pin_between_minutes_is_refused() -> None:
    """The grid knows no seconds."""
    with pytest.raises(InputError, match="'shop' is pinned to"):
        solve(calendar_with({"name": "shop", "pinned": "2027-01-04 22:00:30"}))


@pytest.mark.parametrize(("duration", "minutes"), [("1h", 30), ("45m", 15), ("50m", 10), ("61m", 1)])
def test_the_grid_is_as_fine_as_it_must_be(duration: str, minutes: int) -> None:
    """The second release begins at the very minute at which the first one ends."""
    rows = [{"name": name, "service": "x", "duration": duration} for name in ("one", "two")]
    timetable = solve(calendar_with(*rows))
    assert timetable.step == timedelta(minutes=minutes)
    first, second = timetable.placements
    assert second.slot.start == first.slot.end


def test_the_night_on_which_the_clocks_change_has_room_for_more() -> None:
    """22:00-06:00 in Zurich lasts nine hours on the last Sunday of October, so nine hours fit once a year."""
    window = {
        "name": "sat",
        "days": ["sat"],
        "opens": "22:00",
        "closes": "06:00",
        "timezone": "Europe/Zurich",
    }
    calendar = calendar_with({"name": "move", "duration": "9h"}, windows=[window])
    begin = datetime(2027, 10, 1, tzinfo=UTC)
    timetable = solve_calendar(calendar, calendar.releases, Span(begin, begin + timedelta(days=60)))
    assert timetable.starts == {("move", ""): datetime(2027, 10, 30, 20, tzinfo=UTC)}


def test_a_search_that_ends_early_says_so_and_its_plan_still_holds() -> None:
    """With hardly any effort the plan still obeys, and nothing is claimed that is not shown."""
    rows = [
        {
            "name": f"r{number}",
            "team": "blue",
            "priority": number % 9 + 1,
            "duration": f"{30 + number % 4 * 30}m",
        }
        for number in range(16)
    ]
    calendar = calendar_with(*rows, teams=[{"name": "blue"}], capacity={"crowded_above": 2})
    timetable = solve(calendar, effort=Effort(work=1e-6))
    assert not timetable.proven
    assert 0 <= timetable.costs.least < timetable.costs.total
    assert timetable.costs.gap > 0


def test_a_timetable_is_read_as_it_was_written() -> None:
    """Through the file, every start comes back; planning again from it moves nothing."""
    rows = [
        {"name": "b", "service": "x"},
        {"name": "a", "service": "x"},
        {"name": "c", "waves": [{"name": "w"}]},
    ]
    calendar = calendar_with(*rows)
    first = solve(calendar)
    starts = read_starts(first.to_text(), "q.json")
    assert starts == first.starts
    again = solve(calendar, previous=starts)
    assert again.moved == ()
    assert again.starts == first.starts
