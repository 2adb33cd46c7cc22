"""What is lacking is what is really waited for: no evidence that has come, and words that can be typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from rollway.app.waiting import waiting_json
from rollway.facts.model import Freeze, Window
from rollway.planning import Gate, Plan, Stage, Task
from rollway.rollout.needs import Heard, Need, lacking
from support.machine import World
from support.stories import canary, stage

BOARD = Gate(id="board", stage="half", kind="person", what="The board says go", decider="po")


def kinds(world: World, heard: Heard | None = None) -> list[str]:
    return [need.kind for need in lacking(world.plan, world.state, world.now, heard)]


def needs(world: World) -> tuple[Need, ...]:
    return lacking(world.plan, world.state, world.now)


def at_ten(plan: Plan) -> World:
    world = World(plan)
    world.until("ten")
    world.ticks(30, "undecided")
    return world


def test_evidence_is_lacking_until_it_has_come() -> None:
    """The judge has not said so yet; a gate is open besides."""
    assert kinds(at_ten(canary(gates=(BOARD,)))) == ["evidence", "gate"]


def test_a_gate_alone_is_lacking_once_the_judge_is_content() -> None:
    """At once, and not only when a tick has said what is waited for."""
    world = at_ten(canary(gates=(BOARD,)))
    world.tick("healthy")
    assert kinds(world) == ["gate"]
    world.say("pause")
    world.say("resume")
    assert world.state.standing == ""
    assert kinds(world) == ["gate"]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        (Heard("ten", "healthy"), ["gate"]),
        (Heard("ten", "undecided"), ["evidence", "gate"]),
        (Heard("ten", "healthy", mismatch=True), ["evidence", "gate"]),
        (Heard("baseline", "healthy"), ["evidence", "gate"]),
    ],
)
def test_the_last_word_counts_for_the_stage_that_it_is_about(heard: Heard, found: list[str]) -> None:
    """Users who are not split as planned make a healthy one worthless."""
    assert kinds(at_ten(canary(gates=(BOARD,))), heard) == found


def test_a_first_stage_waits_for_the_old_versions_numbers_only() -> None:
    """Whether these are all there the verdict says, and not its kind."""
    world = World(canary(gates=(replace_stage(BOARD, "ten"),)))
    world.until("baseline")
    for _ in range(30):
        world.tick("undecided", has_numbers=False)
    assert kinds(world) == ["evidence", "gate"]
    assert kinds(world, Heard("baseline", "undecided", baseline_ready=True)) == ["gate"]


def test_a_judge_that_is_content_with_few_numbers_is_not_quoted_against_itself() -> None:
    """It is not said that numbers are lacking because all are there."""
    world = World(canary())
    world.until("baseline")
    for _ in range(30):
        world.tick("healthy", has_numbers=False)
    assert world.state.standing == "the old version's numbers are not all there: few requests so far"


def replace_stage(gate: Gate, stage_id: str) -> Gate:
    return gate.model_copy(update={"stage": stage_id})


def test_a_gate_whose_task_was_left_out_is_waived_by_its_own_name() -> None:
    """What to type can be typed: rollout, gate and a reason stand in it."""
    move = Task("move-data", "move the data", "during", "Operations", stage="ten")
    gate = Gate(id="moved", stage="ten", kind="task", what="Done: move the data", of="move-data")
    followed = canary().policy.model_copy(update={"tasks": "followed"})
    first = replace_entry(stage("ten", 0.1), "move-data")
    plan = canary(
        stage("baseline", 0, "ready"),
        first,
        stage("all", 1, "time"),
        gates=(gate,),
        runbook=(move,),
        policy=followed,
    )
    world = World(plan)
    world.until("baseline")
    world.ticks(30, "healthy")
    world.say("skip", "it was moved last week", "ops", "move-data")
    world.ticks(3, "healthy")
    (need,) = [need for need in lacking(world.plan, world.state, world.now) if need.kind == "gate"]
    assert need.subject == "moved"
    assert need.takes == "rollway task waive ROLLOUT moved --because TEXT"
    world.say("waive", "it was moved last week", "ops", "moved")
    world.ticks(3, "healthy")
    assert world.stage_id == "ten"


def test_of_a_task_that_is_ahead_it_is_told_when_its_time_comes() -> None:
    """A look back in a week is waited for by time, and not by people."""
    followed = canary().policy.model_copy(update={"tasks": "followed"})
    look_back = Task("look-back", "look back", "after", "po", stage="all", at=7 * 86400.0)
    world = World(canary(runbook=(look_back,), policy=followed))
    world.until("all")
    turned = world.state.turns["all"]
    world.ticks(30, "healthy")
    (need,) = needs(world)
    assert (need.subject, need.takes) == ("look-back", "its time has not come yet")
    assert need.until == turned + timedelta(days=7)
    (told,) = waiting_json("r-1", world.plan, world.state, world.now)["needs"]
    assert not told["is_people"]


def replace_entry(given: Stage, name: str) -> Stage:
    return given.model_copy(update={"entry": (name,), "tasks": (name,)})


# --- paused while the window is shut -----------------------------------------------------------------

SHUT = Window(opens="09:00", closes="12:00", timezone="UTC")
"""The stories begin at 21:00."""
OPENS = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def paused_at_ten(**more: object) -> World:
    """Ten percent are served and somebody paused; windows and freezes hold for what comes next."""
    first, last = stage("ten", 0.1, in_window=False), stage("all", 1, "time")
    world = World(canary(first, last, operators=("ops",), **more))
    world.until("ten")
    world.say("pause")
    return world


def test_what_is_paused_outside_its_window_waits_for_both() -> None:
    """Resume is right, and it only waits then: people are told until when, and what there is instead."""
    person, window = needs(paused_at_ten(windows=(SHUT,)))
    assert (person.kind, person.takes) == ("person", "rollway resume, or rollback by anybody")
    assert (window.kind, window.until) == ("window", OPENS)
    assert window.what.startswith("once resumed, all may not be entered: ")
    assert "override-window" in window.takes


def test_a_freeze_is_told_of_as_a_window_is() -> None:
    """With the day on which it ends."""
    freeze = Freeze(first=date(2026, 11, 23), last=date(2026, 11, 24), timezone="UTC", reason="the sale")
    _, window = needs(paused_at_ten(freezes=(freeze,)))
    assert "the sale" in window.what
    assert window.until == datetime(2026, 11, 25, tzinfo=UTC)


def test_a_window_that_was_overridden_or_is_open_is_no_more_waited_for() -> None:
    """A word by name counts here too."""
    world = paused_at_ten(windows=(SHUT,))
    world.say("override_window")
    assert kinds(world) == ["person"]
    assert kinds(paused_at_ten()) == ["person"]


def test_what_would_refuse_a_resume_is_told_before_it_is_typed() -> None:
    """Somebody lowered the share, and the window closed: resume would raise it, and is refused until then."""
    opened = SHUT.model_copy(update={"opens": "20:00", "closes": "21:01"})
    world = World(canary(stage("ten", 0.1), stage("all", 1, "time"), windows=(opened,), operators=("ops",)))
    world.until("ten")
    world.share = 0.02
    world.tick("healthy")
    world.now += timedelta(minutes=5)
    window, person = needs(world)
    assert (window.kind, window.until) == ("window", datetime(2026, 11, 24, 20, 0, tzinfo=UTC))
    assert window.what.startswith("ten may not be entered: ")
    assert person.takes == "rollway resume (it is refused before), or rollback by anybody"
    world.say("resume")
    assert world.kinds[-1] == "refused"
    world.say("override_window")
    assert kinds(world) == ["person"]
    world.say("resume")
    assert world.state.phase == "running"


def test_what_was_paused_before_it_began_waits_for_its_first_window() -> None:
    """Resumed it waits, as it did before."""
    world = World(canary(stage("ten", 0.1), stage("all", 1, "time"), windows=(SHUT,)))
    world.tick()
    world.say("pause")
    assert kinds(world) == ["person", "window"]


def test_what_is_typed_for_a_paused_rollout_are_commands_alone() -> None:
    """What is written around them is no part of them."""
    world = paused_at_ten(windows=(SHUT,))
    told = waiting_json("r-1", world.plan, world.state, world.now)["needs"]
    assert [need["commands"] for need in told] == [
        ["rollway resume r-1 --as ops"],
        ["rollway override-window r-1 --because TEXT --as ops"],
    ]
    assert [need["is_people"] for need in told] == [True, False]
