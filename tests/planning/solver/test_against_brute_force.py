"""Small random calendars: no plan of all is better than the solver's, and its reasons are minimal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.solver.brute import DAY, Small
from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.solver import Timetable, solve_calendar, verify
from rollway.planning.windows import Span

pytest.importorskip("ortools")
MONDAY = datetime(2027, 3, 8, 12, tzinfo=UTC)
THREE_NIGHTS = Span(MONDAY, MONDAY + timedelta(days=3))
SLOW = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def calendars(draw: st.DrawFn, *, crowded: bool = False) -> Calendar:
    """Three nights of an hour and a half, up to four slots, and a few rules that get in each other's way."""
    count = 4 if crowded else draw(st.integers(2, 3))
    releases: list[dict[str, Any]] = []
    for number in range(count):
        one: dict[str, Any] = {
            "name": f"r{number}",
            "service": draw(st.sampled_from("ab")),
            "team": draw(st.sampled_from(["", "blue"])),
            "duration": draw(st.sampled_from(["30m", "1h", "90m"])),
            "priority": draw(st.integers(1, 9)),
        }
        if draw(st.integers(0, 3)) == 0:
            one["earliest"] = draw(st.sampled_from(["2027-03-09", "2027-03-10"]))
        if draw(st.integers(0, 2)) == 0:
            one["deadline"] = draw(st.sampled_from(["2027-03-08", "2027-03-09"]))
        if draw(st.integers(0, 7)) == 0:
            one["pinned"] = draw(st.sampled_from(["2027-03-09 22:00", "2027-03-09 22:30"]))
        if releases and draw(st.integers(0, 3)) == 0:
            one["after"], one["gap"] = (
                [draw(st.sampled_from(releases))["name"]],
                draw(st.sampled_from(["0h", "1d"])),
            )
        if number == 0 and not crowded and draw(st.booleans()):
            bake = draw(st.sampled_from(["0h", "30m", "1d"]))
            one["waves"] = [{"name": "few", "bake": bake}, {"name": "all", "duration": "30m"}]
        releases.append(one)
    hours = {"days": ["mon", "wed"], "opens": "08:00", "closes": "23:00", "timezone": "UTC"}
    return Calendar.model_validate(
        {
            "calendar": {"name": "small", "timezone": "UTC"},
            "windows": [{"name": "night", "opens": "22:00", "closes": "23:30"}],
            "freezes": draw(
                st.sampled_from(
                    [[], [{"name": "stop", "first": "2027-03-09", "last": "2027-03-09", "services": ["a"]}]]
                )
            ),
            "teams": [
                {
                    "name": "blue",
                    "at_once": draw(st.sampled_from([1, 2])),
                    "per_night": draw(st.sampled_from([None, 1, 2])),
                    "rest_nights": draw(st.sampled_from([0, 1])),
                    "hours": draw(st.sampled_from([[], [hours]])),
                }
            ],
            "capacity": {
                "per_night": draw(st.sampled_from([1, 2] if crowded else [None, 1, 2])),
                "at_once": draw(st.sampled_from([None, 1])),
                "crowded_above": draw(st.sampled_from([None, 1])),
            },
            "weights": {"out_of_hours": draw(st.integers(0, 4)), "crowded": draw(st.integers(0, 6))},
            "releases": releases,
        }
    )


def measures(
    small: Small, timetable: Timetable, previous: dict[Any, Any] | None = None
) -> tuple[int, int, float]:
    plan = timetable.starts
    return small.left_out(plan), small.moves(plan, previous or {}), round(timetable.costs.total, 6)


@SLOW
@given(calendars())
def test_no_plan_is_better(calendar: Calendar) -> None:
    """Of all plans the solver's leaves out the least and then costs the least; it obeys every rule."""
    small = Small(calendar, THREE_NIGHTS)
    timetable = solve_calendar(calendar, calendar.releases, THREE_NIGHTS)
    assert timetable.proven
    assert measures(small, timetable) == small.least()
    bests = {key: small.best(key) for key in timetable.starts}
    assert small.cost(timetable.starts, bests) == pytest.approx(timetable.costs.total)
    assert small.obeys(timetable.starts)
    assert verify(calendar, calendar.releases, timetable.starts) == []


@SLOW
@given(calendars(), st.integers(0, 10**6))
def test_no_plan_moves_less(calendar: Calendar, pick: int) -> None:
    """After a slip no plan leaves out less; of these none moves fewer releases; of these none costs less."""
    small = Small(calendar, THREE_NIGHTS)
    plans = list(small.plans())
    previous = plans[pick % len(plans)]
    slipped = calendar.model_copy(
        update={
            "releases": tuple(
                one if one.pinned or index else one.model_copy(update={"earliest": MONDAY.date() + DAY})
                for index, one in enumerate(calendar.releases)
            )
        }
    )
    changed = Small(slipped, THREE_NIGHTS)
    timetable = solve_calendar(slipped, slipped.releases, THREE_NIGHTS, previous=previous)
    assert timetable.proven
    assert measures(changed, timetable, previous) == changed.least(previous)
    assert len(timetable.moved) == changed.moves(timetable.starts, previous)


@SLOW
@given(calendars(crowded=True))
def test_reasons_are_minimal(calendar: Calendar) -> None:
    """Together the rules that are told leave no slot; without any one of them there is one."""
    small = Small(calendar, THREE_NIGHTS)
    timetable = solve_calendar(calendar, calendar.releases, THREE_NIGHTS)
    placed = {one.release for one in timetable.placements}
    assert {one.release for one in timetable.deferred} == {one.name for one in calendar.releases} - placed
    for deferral in timetable.deferred:
        rules = {reason.rule for reason in deferral.reasons}
        assert deferral.proven
        assert rules
        assert not small.room_for(deferral.release, placed, rules)
        for rule in rules:
            assert small.room_for(deferral.release, placed, rules - {rule}), (rules, rule)


@SLOW
@given(calendars())
def test_the_order_of_the_file_is_no_matter(calendar: Calendar) -> None:
    """The same releases in another order, or solved again, are placed at the same moments."""
    turned = calendar.model_copy(update={"releases": calendar.releases[::-1]})
    first = solve_calendar(calendar, calendar.releases, THREE_NIGHTS)
    assert solve_calendar(calendar, calendar.releases, THREE_NIGHTS) == first
    assert solve_calendar(turned, turned.releases, THREE_NIGHTS).starts == first.starts
