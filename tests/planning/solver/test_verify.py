"""`verify` finds every kind of broken rule, and none in a plan that obeys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.solver import verify

Plan = dict[tuple[str, str], datetime]
BASE: dict[str, Any] = {
    "calendar": {"name": "small", "timezone": "Europe/Zurich"},
    "windows": [{"name": "night", "days": ["mon", "tue", "wed", "thu"], "opens": "22:00", "closes": "04:00"}],
    "freezes": [{"name": "audit", "first": "2027-01-13", "last": "2027-01-13"}],
    "people": [{"name": "ana", "absences": [{"first": "2027-01-07", "last": "2027-01-07"}]}],
    "teams": [{"name": "blue", "per_night": 1, "rest_nights": 1}, {"name": "red", "at_once": 1}],
    "capacity": {"per_night": 2, "at_once": 2},
    "conflicts": [{"name": "store", "services": ["shop", "stock"]}],
    "releases": [
        {"name": "books", "service": "ledger", "team": "blue", "deadline": "2027-01-19"},
        {"name": "shop", "service": "shop", "waves": [{"name": "few", "bake": "1d"}, {"name": "all"}]},
        {"name": "stock", "service": "stock", "team": "red", "after": ["books"], "gap": "1h"},
        {"name": "web", "service": "web", "team": "red", "people": ["ana"], "trained": "2027-01-04"},
        {"name": "mail", "service": "mail", "team": "blue", "pinned": "2027-01-12 22:00"},
    ],
}
GOOD = {
    ("books", ""): "2027-01-04T21:00",
    ("shop", "few"): "2027-01-04T23:00",
    ("shop", "all"): "2027-01-06T21:00",
    ("stock", ""): "2027-01-05T21:00",
    ("web", ""): "2027-01-05T23:00",
    ("mail", ""): "2027-01-12T21:00",
}


def plan_with(**changes: str) -> Plan:
    """The good plan with some starts (UTC) changed: `plan_with(books="…")`; "" takes one out."""
    words = GOOD | {(name, "few" if name == "shop" else ""): start for name, start in changes.items()}
    return {key: datetime.fromisoformat(start).replace(tzinfo=UTC) for key, start in words.items() if start}


def rules(plan: Plan, **changes: Any) -> set[str]:
    calendar = Calendar.model_validate(BASE | changes)
    return {breach.rule for breach in verify(calendar, calendar.releases, plan)}


def test_a_good_plan_breaks_nothing() -> None:
    """No breach is found where there is none."""
    assert rules(plan_with()) == set()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"books": "2027-01-04T20:30"}, "change windows"),
        ({"web": "2027-01-06T01:30"}, "change windows"),
        ({"shop": "2027-01-12T22:00"}, "freeze 'audit'"),
        ({"web": "2027-01-07T21:00"}, "absence of ana"),
        ({"web": "2027-01-04T22:00"}, "training"),
        ({"mail": "2027-01-12T22:00"}, "pin"),
        ({"books": "2027-01-19T21:30"}, "deadline"),
        ({"shop": "2027-01-05T22:00"}, "conflict group 'store'"),
        ({"web": "2027-01-05T22:30"}, "team 'red' at once"),
        ({"shop": "2027-01-06T20:00"}, "waves in order"),
        ({"stock": "2027-01-04T23:30"}, "after 'books'"),
        ({"books": ""}, "after 'books'"),
        ({"shop": ""}, "whole releases"),
        ({"books": "2027-01-11T21:00"}, "rest of team 'blue'"),
        ({"books": "2027-01-12T23:00"}, "team 'blue' in a night"),
        ({"shop": "2027-01-05T01:00", "web": "2027-01-04T23:00"}, "all releases in a night"),
    ],
)
def test_each_broken_rule_is_told(changes: dict[str, str], rule: str) -> None:
    """One start is moved (or taken away), and the rule it breaks is named."""
    assert rule in rules(plan_with(**changes))


def test_the_night_goes_on_after_midnight() -> None:
    """22:00 and 01:00 are one night, for which a team's limit holds."""
    plan = plan_with(books="2027-01-13T00:00")
    assert "team 'blue' in a night" in rules(plan)


def test_three_at_once_are_too_many() -> None:
    """What all releases share is counted over all services."""
    plan = plan_with(shop="2027-01-05T21:00", web="2027-01-05T21:30")
    assert "all releases at once" in rules(
        plan, conflicts=[], teams=[{"name": "blue"}, {"name": "red", "at_once": 2}]
    )


def test_an_unknown_release_is_told() -> None:
    """A plan that names what the calendar does not list is no plan of it."""
    assert rules(plan_with() | {("gone", ""): datetime(2027, 1, 4, 21, tzinfo=UTC)}) == {"known releases"}


def test_nothing_is_asked_of_what_has_begun() -> None:
    """A freeze agreed afterwards does not break what is past."""
    calendar = Calendar.model_validate(
        BASE | {"freezes": [{"name": "late", "first": "2027-01-04", "last": "2027-01-04"}]}
    )
    before = datetime(2027, 1, 5, 12, tzinfo=UTC)
    assert verify(calendar, calendar.releases, plan_with())
    assert verify(calendar, calendar.releases, plan_with(), begun_before=before) == []
