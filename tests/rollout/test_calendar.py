"""A calendar in the plan, asked again before each step: what was open when one planned may be closed now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planning.calendar.made import calendar, freeze, window
from rollway.facts.model import Release
from rollway.planning import Plan
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.of_release import calendar_of_plan
from rollway.rollout import ClockTicked, CommandGiven, CommandKind, begin
from rollway.rollout.machine import advance, next_wake
from support.machine import World
from support.stories import START, canary

FACTS = Release.model_validate({"release": {"name": "checkout", "version": "2", "service": "shop"}})
OPEN = timedelta(minutes=2)
"""How long after the start of these stories the freeze begins."""


def with_calendar(one: Calendar) -> Plan:
    kept, _ = calendar_of_plan(FACTS, one)
    return canary().model_copy(update={"calendar": kept, "windows": (), "freezes": ()})


def frozen_between(first: datetime, last: datetime, **more: Any) -> Plan:
    """A plan whose calendar has a freeze between two moments (whole minutes)."""
    line = {
        "first": str(first.date()),
        "last": str(last.date()),
        "begins": f"{first:%H:%M}",
        "ends": f"{last:%H:%M}",
    }
    return with_calendar(calendar("UTC", freezes=[freeze("year end", reason="books", **line, **more)]))


def freeze_soon(**more: Any) -> Plan:
    first = (START + OPEN).replace(second=0, microsecond=0)
    return frozen_between(first, first + timedelta(hours=1), **more)


def test_a_freeze_that_begins_while_it_runs_holds_the_next_stage() -> None:
    """It was open when one planned and when it started; the stage that is on stays, and none follows."""
    world = World(freeze_soon())
    world.until("ten")
    world.now = START + OPEN + timedelta(minutes=5)
    world.ticks(60, "healthy")
    assert (world.stage_id, world.share, world.state.phase) == ("ten", 0.1, "running")
    assert "freeze 'year end' (books) until" in world.state.standing
    assert "next opens" in world.state.standing
    world.now += timedelta(hours=1)
    world.tick("healthy")
    assert world.stage_id == "half"


def test_a_promotion_by_hand_does_not_go_around_the_freeze() -> None:
    """It is refused with the freeze's words; an override by name and reason lets it through."""
    world = World(freeze_soon())
    world.until("ten")
    world.now = START + OPEN + timedelta(minutes=5)
    world.say("promote", "I am in a hurry")
    assert world.stage_id == "ten"
    assert "freeze 'year end'" in world.record[-1].text
    world.say("override_window", "the cfo agreed", actor="ines")
    world.say("promote", "go")
    assert world.stage_id == "half"
    told = next(entry for entry in world.record if entry.kind == "override_window")
    assert (told.actor, told.data["reason"]) == ("ines", "the cfo agreed")


def test_a_rollback_never_waits() -> None:
    """Neither harm nor a person's word asks the calendar."""
    for by_person in (True, False):
        world = World(freeze_soon())
        world.until("ten")
        world.now = START + OPEN + timedelta(minutes=5)
        if by_person:
            world.say("rollback")
        else:
            world.tick("harmful")
        world.tick()
        assert (world.share, world.state.phase) == (0.0, "rolled_back")


def test_it_does_not_begin_in_a_freeze_and_begins_when_it_ends() -> None:
    """It waits, says for what, and is looked at when it opens."""
    begun = START.replace(second=0, microsecond=0)
    plan = frozen_between(begun - timedelta(hours=1), begun + timedelta(hours=1))
    world = World(plan)
    world.ticks(3)
    assert world.state.phase == "waiting"
    assert "freeze 'year end'" in world.state.standing
    nearly = begun + timedelta(hours=1) - timedelta(seconds=20)
    assert next_wake(plan, world.state, nearly, moved=False) == timedelta(seconds=20)
    world.now = begun + timedelta(hours=1) - timedelta(seconds=1)
    world.tick()
    assert world.state.phase == "running"


def test_what_began_in_its_window_may_finish() -> None:
    """The window closes while a stage is on: it bakes to its end, and only the next one waits."""
    opens = START - timedelta(hours=1)
    closes = START + OPEN
    line = window(f"{opens:%H:%M}", f"{closes:%H:%M}")
    world = World(with_calendar(calendar("UTC", windows=[line])))
    world.until("ten")
    world.now = closes + timedelta(minutes=1)
    world.ticks(30, "healthy")
    assert (world.stage_id, world.state.phase) == ("ten", "running")
    assert "no change window is open" in world.state.standing


def test_a_stage_that_needs_no_window_asks_nobody() -> None:
    """Only a stage that is `in_window` waits for the calendar."""
    begun = START.replace(second=0, microsecond=0)
    plan = frozen_between(begun - timedelta(hours=1), begun + timedelta(hours=1))
    free = tuple(one.model_copy(update={"in_window": False}) for one in plan.stages)
    world = World(plan.model_copy(update={"stages": free}))
    world.ticks(2)
    assert world.state.phase == "running"


@pytest.mark.parametrize("minutes", [0, 59, 61, 119, 120, 300])
@pytest.mark.parametrize("kind", ["start", "resume"])
def test_every_place_is_of_one_opinion(minutes: int, kind: str) -> None:
    """Beginning and resuming do what `plan_state` says, to the minute around the clocks' change."""
    night = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 in Zurich, for the first time
    line = window("22:00", "03:00", days=["sat"])
    plan = with_calendar(calendar("Europe/Zurich", windows=[line]))
    now = night + timedelta(minutes=minutes)
    is_open = plan_state(plan, now).is_open
    assert is_open is (minutes < 120)
    assert plan_state(plan, night + timedelta(minutes=120)).is_open is False
    state = begin()
    if kind == "resume":
        word: CommandKind = "resume"
        state = state.model_copy(update={"phase": "paused", "started_at": night, "stage": 1})
        step = advance(plan, state, CommandGiven(at=now, kind=word, actor="jon"))
        assert (step.state.phase == "running") is is_open
    else:
        step = advance(plan, state, ClockTicked(at=now))
        assert (step.state.phase == "running") is is_open
