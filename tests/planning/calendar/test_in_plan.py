"""A plan that carries its calendar: complete in itself, and of one opinion with `calendar next`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planning.calendar.made import at, calendar, freeze, window
from planning.calendar.test_laws import MOMENTS, calendars, releases
from rollway.facts.model import Release, Window
from rollway.planning import Plan
from rollway.planning.calendar import in_plan
from rollway.planning.calendar.in_plan import future_state, kept_in_plan, plan_state
from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.of_release import booking_of, calendar_of_plan
from rollway.planning.calendar.slots import calendar_spell, calendar_state, next_slots
from support.stories import canary

MINUTE = timedelta(minutes=1)
PERSON_AWAY = {
    "name": "ana",
    "absences": [{"first": "2026-12-01", "last": "2026-12-02", "reason": "surgery"}],
}


def release(**changes: Any) -> Release:
    return Release.model_validate(
        {"release": {"name": "shop-2", "version": "2", "service": "shop"}, **changes}
    )


def planned(one: Calendar, **agreements: Any) -> Plan:
    """A canary that carries a calendar, with windows and freezes of its own."""
    facts = release(agreements=agreements)
    kept, _ = calendar_of_plan(facts, one)
    own = facts.agreements
    return canary().model_copy(update={"calendar": kept, "windows": own.windows, "freezes": own.freezes})


def test_a_plan_without_a_calendar_keeps_its_content() -> None:
    """Its JSON does not name the calendar, so its hash is what it was."""
    assert "calendar" not in canary().to_json()


def test_a_plan_with_a_calendar_survives_its_text() -> None:
    """Read back it is equal, hash and all; what holds its default is not in the text."""
    one = calendar(windows=[window()], freezes=[freeze(first="2026-12-18", last="2027-01-05")])
    plan = planned(one)
    again = Plan.from_text(plan.text())
    assert again == plan
    assert again.hash == plan.hash
    assert again.hash != canary().hash
    line = {"name": "freeze", "first": "2026-12-18", "last": "2027-01-05"}
    assert plan.to_json()["calendar"]["calendar"]["freezes"] == [line]


@settings(max_examples=60, deadline=None)
@given(lists=calendars(), one=releases, moment=st.sampled_from(MOMENTS), minutes=st.integers(0, 6000))
def test_what_a_plan_keeps_answers_as_the_whole_calendar_does(
    lists: dict[str, Any], one: Any, moment: str, minutes: int
) -> None:
    """Lines of others are gone, and no answer is another one: not even for regions that only they name."""
    lists["windows"].append(window(name="others", services=["ledger"], regions=["asia"]))
    whole = calendar(**lists)
    kept = kept_in_plan(whole, one)
    now = at(moment) + minutes * MINUTE
    assert calendar_state(kept.calendar, kept.booking, now) == calendar_state(whole, one, now)
    assert "others" not in [line.name for line in kept.calendar.windows]


@settings(max_examples=60, deadline=None)
@given(lists=calendars(), one=releases, moment=st.sampled_from(MOMENTS), minutes=st.integers(0, 1439))
def test_a_spell_says_the_same_at_each_of_its_moments(
    lists: dict[str, Any], one: Any, moment: str, minutes: int
) -> None:
    """What is remembered over its span is what would be computed anew at any moment of it."""
    whole = calendar(**lists)
    begun = at(moment)
    spell = calendar_spell(whole, one, begun)
    inside = begun + (spell.span.end - begun) * minutes / 1440
    fresh = calendar_state(whole, one, inside)
    assert (fresh.is_open, fresh.next_open) == (spell.state.is_open, spell.state.next_open)


def test_only_what_concerns_the_release_is_kept() -> None:
    """Not other releases, their services, their people, or why somebody is away."""
    one = calendar(
        services=["shop", "ledger"],
        windows=[window(), window(name="ledger night", services=["ledger"])],
        freezes=[
            freeze(first="2026-12-18", last="2027-01-05"),
            freeze("month", days=["mon"], services=["ledger"]),
        ],
        people=[PERSON_AWAY, {"name": "bo"}],
        milestones=[{"name": "licence", "valid_until": "2027-01-31", "services": ["ledger"]}],
        releases=[
            {"name": "shop-2", "service": "shop", "people": ["ana"], "deadline": "2026-12-24"},
            {"name": "ledger-9", "service": "ledger", "pinned": "2026-12-01 22:00"},
        ],
    )
    kept, _ = calendar_of_plan(release(), one)
    text = json.dumps(kept.model_dump())
    assert [line.name for line in kept.calendar.windows] == ["night"]
    assert [person.name for person in kept.calendar.people] == ["ana"]
    for gone in ("ledger", "licence", "surgery", '"bo"', "2026-12-24"):
        assert gone not in text


def test_a_service_that_the_calendar_does_not_know_is_told() -> None:
    """A misspelt service would be free of its freezes, and an empty calendar looks like freedom."""
    _, notes = calendar_of_plan(release(), calendar(services=["shoop"]))
    assert any("no service 'shop'" in note for note in notes)


def test_the_plans_rule_and_the_calendars_both_hold() -> None:
    """Closed wins, by whichever of the two, and the reason and the next open moment are told."""
    one = calendar(windows=[window()], freezes=[freeze("books", first="2026-12-18", last="2026-12-20")])
    own = Window(days=("mon", "tue", "sat"), opens="21:00", closes="23:00", timezone="Europe/Zurich")
    plan = planned(one, windows=[own.model_dump()], freezes=[_days("2026-12-21", "2026-12-21")])
    by_calendar = plan_state(plan, at("2026-12-19T21:30Z"))
    assert (by_calendar.is_open, by_calendar.next_open) == (False, at("2026-12-22T21:00Z"))
    assert (
        "freeze 'books' until Mon 21 Dec 2026 00:00 CET; next opens Tue 22 Dec 2026 22:00"
        in by_calendar.reason
    )
    by_plan = plan_state(plan, at("2026-12-21T21:30Z"))
    assert not by_plan.is_open
    assert "audit" in by_plan.reason
    assert plan_state(plan, at("2026-12-22T21:30Z")).is_open
    assert not plan_state(plan, at("2026-12-22T22:30Z")).is_open, "the plan's window has closed"
    assert not plan_state(plan, at("2026-12-22T20:30Z")).is_open, "the calendar's has not opened"


def _days(first: str, last: str) -> dict[str, Any]:
    return {"first": first, "last": last, "timezone": "Europe/Zurich", "reason": "audit"}


def test_next_and_the_rollout_are_of_one_opinion() -> None:
    """The slot that `calendar next` finds is the moment for which a rollout waits."""
    one = calendar(
        windows=[window(days=["sat"], rule="FREQ=MONTHLY;BYDAY=3SA")],
        freezes=[freeze("year end", first="2026-12-18", last="2027-01-05")],
        holidays=[{"country": "CH"}],
    )
    facts = release(agreements={"freezes": [_days("2027-01-16", "2027-01-16")]})
    plan = planned(one, freezes=[_days("2027-01-16", "2027-01-16")])
    now = at("2026-11-23T12:00Z")
    slot = next_slots(one, booking_of(facts, one)[0], now).slots[0]
    assert plan_state(plan, now).next_open == slot.start
    assert plan_state(plan, slot.start).is_open


def test_a_deadline_holds_up_no_stage_and_a_pin_only_the_beginning() -> None:
    """What has begun goes on after its deadline and after the moment that it was pinned to."""
    listed = {
        "name": "shop-2",
        "service": "shop",
        "deadline": "2026-12-02",
        "pinned": "2026-12-01 22:00",
    }
    plan = planned(calendar(releases=[listed]))
    early = plan_state(plan, at("2026-12-01T12:00Z"))
    assert (early.is_open, early.next_open) == (False, at("2026-12-01T21:00Z"))
    assert "pinned to Tue 1 Dec 2026 22:00" in early.reason
    assert plan_state(plan, at("2026-12-01T21:00Z")).is_open
    assert plan_state(plan, at("2026-12-09T12:00Z")).is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-10-25T00:30Z", True),  # 02:30 for the first time
        ("2026-10-25T01:30Z", True),  # 02:30 once more
        ("2026-10-25T01:59Z", True),
        ("2026-10-25T02:00Z", False),  # 03:00
        ("2027-03-28T00:59Z", True),  # 01:59; the window ends at 03:00, an hour is skipped
        ("2027-03-28T01:00Z", False),
    ],
)
def test_in_the_night_of_the_clocks_plan_and_calendar_agree(moment: str, is_open: bool) -> None:
    """A window to 03:00 is an hour longer or shorter, whether the plan or the calendar names it."""
    hours = {"days": ["sat"], "opens": "22:00", "closes": "03:00", "timezone": "Europe/Zurich"}
    by_calendar = planned(calendar(windows=[{"name": "night", **hours}]))
    by_plan = planned(calendar(), windows=[hours])
    plain = canary().model_copy(update={"windows": by_plan.windows, "freezes": ()})
    for plan in (by_calendar, by_plan, plain):
        assert plan_state(plan, at(moment)).is_open is is_open


def test_a_calendar_that_could_not_be_asked_is_refused_when_the_plan_is_read() -> None:
    """Not at 22:00, when the first stage is due."""
    body = planned(calendar(windows=[window()])).to_json()
    body["calendar"]["calendar"]["windows"][0]["timezone"] = "Europe/Atlantis"
    with pytest.raises(ValidationError, match="Atlantis"):
        Plan.model_validate(body)


def test_an_override_of_the_calendar_travels_with_the_plan() -> None:
    """A freeze that the calendar lets this release through does not hold it up while it runs."""
    one = calendar(
        freezes=[freeze("year end", first="2026-12-18", last="2027-01-05", override=["cfo"])],
        releases=[
            {
                "name": "shop-2",
                "service": "shop",
                "overrides": [{"freeze": "year end", "by": "cfo", "reason": "the regulator asks"}],
            }
        ],
    )
    plan = planned(one)
    assert plan.calendar is not None
    assert [word.by for word in plan.calendar.booking.overrides] == ["cfo"]
    assert plan_state(plan, at("2026-12-20T12:00Z")).is_open


def test_waiting_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of waiting with 50 freezes and a tick every ten seconds: the calendar is asked at its edges."""
    asked: list[datetime] = []
    spell: Callable[..., Any] = in_plan.calendar_spell
    monkeypatch.setattr(in_plan, "calendar_spell", lambda *a: asked.append(a[2]) or spell(*a))
    in_plan._spells.clear()
    plan = planned(_fifty_freezes())
    begin = datetime(2026, 12, 18, 12, tzinfo=UTC)
    spent = time.process_time()
    for tick in range(8_640):
        plan_state(plan, begin + tick * timedelta(seconds=10))
    spent = time.process_time() - spent
    assert len(asked) <= 8, "a day has a handful of edges"
    assert spent < 8.6, "less than a thousandth of a second for each tick"


def _fifty_freezes() -> Calendar:
    weekly = [
        freeze(f"weekly {n}", days=["mon"], begins="10:00", ends="11:00", services=["shop"])
        for n in range(25)
    ]
    dated = [
        freeze(
            f"dated {n}",
            first=str(date(2026, 12, 1) + n * timedelta(days=9)),
            last=str(date(2026, 12, 3) + n * timedelta(days=9)),
        )
        for n in range(25)
    ]
    return calendar(windows=[window(days=["sat"])], freezes=[*weekly, *dated], holidays=[{"country": "CH"}])


def test_the_future_is_asked_about_without_forgetting_the_present() -> None:
    """A look ahead, as the feed takes it, throws out nothing that the ticks need."""
    in_plan._spells.clear()
    plan = planned(calendar(windows=[window()]))
    now = at("2026-12-01T12:00Z")
    plan_state(plan, now)
    before = dict(in_plan._spells)
    assert future_state(plan, at("2026-12-05T22:00Z")).is_open
    assert in_plan._spells == before
