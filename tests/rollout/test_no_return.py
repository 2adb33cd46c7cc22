"""The point of no return: before it everything leads back, after it people roll forward. And what going back
undoes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollway.planning.runbooks.model import UndoStep
from rollway.rollout.needs import lacking
from support.machine import World
from support.stories import canary, stage
from support.tasks import TASKS, night, task


def past() -> World:
    """A switch of everyone without a way back, served and baking."""
    plan = canary(stage("baseline", 0, "ready", bake_seconds=0), stage("switch", 1, "time", reversible=False))
    world = World(plan)
    world.until("switch")
    return world


def test_entering_a_stage_without_a_way_back_is_told() -> None:
    """The record names the moment."""
    world = past()
    assert world.state.no_return == "switch"
    assert world.kinds.index("no_return") > world.kinds.index("stage_passed")


def test_from_then_on_rollback_is_refused_with_words() -> None:
    """No false promise: the answer says what there is instead."""
    world = past()
    world.say("rollback")
    assert world.kinds[-1] == "refused"
    assert "past the point of no return ('switch')" in world.record[-1].text
    assert "roll-forward" in world.record[-1].text
    assert world.share == 1.0


def test_harm_holds_and_a_mend_lets_the_stage_count_anew() -> None:
    """Evidence from before the mend is not used; the stage is verified and baked once more."""
    world = past()
    world.ticks(5)
    world.tick("harmful")
    assert world.state.phase == "paused"
    world.say("resume")
    assert world.kinds[-1] == "refused"
    world.say("roll_forward", "", "ops")
    assert world.kinds[-1] == "refused"
    world.say("roll_forward", "hotfix 2.4.1 is out", "ops")
    assert (world.state.phase, world.state.entered_at, world.state.heard) == ("running", None, None)
    assert world.state.mended_at == world.now
    assert "readings from before this moment are not used" in world.record[-1].text
    world.ticks(9, "healthy")
    assert world.state.phase == "running"
    world.ticks(3, "healthy")
    assert world.state.phase == "done"


def test_roll_forward_is_refused_while_there_is_a_way_back() -> None:
    """Before the point of no return one goes back."""
    world = World(canary())
    world.until("ten")
    world.say("roll_forward")
    assert "there is still a way back" in world.record[-1].text


def test_before_it_began_even_a_plan_without_a_way_back_is_called_off() -> None:
    """Nothing was entered, so nothing is past."""
    world = World(canary(stage("switch", 1, "person", reversible=False)))
    world.say("rollback")
    assert world.state.phase == "rolled_back"


def test_a_step_of_no_return_begins_by_its_deciders_word_only() -> None:
    """Neither by itself nor by a mere done; with go, the way back is closed."""
    drop = task("drop", after=("stop",), reversible=False, decider="po", automatic=True, command="drop")
    tasks = (*TASKS[:2], drop, replace(TASKS[2], after=("drop",)), *TASKS[3:])
    world = World(night(tasks=tasks))
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("confirm", subject="stop")
    world.ticks(10)
    assert not world.runs
    for kind in ("begin", "confirm"):
        world.say(kind, subject="drop")  # type: ignore[arg-type]  # one of the two kinds
        assert world.kinds[-1] == "refused"
    world.say("go", "last call", "po", "drop")
    assert [run.subject for run in world.runs] == ["drop"]
    assert world.state.no_return == "drop"
    world.say("rollback")
    assert world.kinds[-1] == "refused"


def test_no_go_after_it_holds() -> None:
    """There is nothing to go back to."""
    tasks = tuple(replace(one, reversible=False, decider="po") if one.id == "look" else one for one in TASKS)
    world = World(night(tasks=tasks))
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("confirm", subject="stop")
    world.tick()
    world.ran()
    world.ticks(2)
    world.say("go", subject="look")
    world.say("confirm", subject="look")
    world.ticks(12)
    world.say("no_go", "odd figures", "po", "switch-decide")
    assert world.state.phase == "paused"
    world.say("go", "explained", "po", "switch-decide")
    world.ticks(2)
    assert world.state.closing_at is not None


# --- undoing ----------------------------------------------------------------------------------------


def migrated() -> World:
    """Stopped and migrated, nobody served yet."""
    world = World(night())
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("confirm", subject="stop")
    world.tick()
    world.ran()
    return world


def test_going_back_moves_traffic_first_and_then_undoes_in_order() -> None:
    """What was begun is undone in the order of the rollback plan; the record says what cannot be."""
    world = migrated()
    world.ticks(3)
    assert world.share == 1.0
    world.say("rollback", "wrong sums")
    assert world.share == 0.0
    world.ticks(2)
    assert (world.state.phase, list(world.state.undo)) == ("rolling_back", ["restore"])
    (need, other) = lacking(world.plan, world.state, world.now)
    assert (need.kind, need.subject, other.subject) == ("undo", "restore", "open")
    world.say("confirm", subject="restore")
    world.tick()
    world.say("confirm", subject="open")
    world.tick()
    assert world.state.phase == "rolled_back"
    assert "Undone: restore the data; open the desk." in world.record[-1].text
    assert "Stays as it is: Letters that were sent." in world.record[-1].text
    assert world.record[-1].data["undone"] == ["restore", "open"]


def test_only_what_was_begun_is_undone() -> None:
    """Nothing was migrated, so nothing is restored."""
    world = World(night())
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("begin", subject="stop")
    world.say("rollback")
    world.ticks(3)
    assert list(world.state.undo) == ["open"]


def test_called_off_before_anything_began_undoes_nothing() -> None:
    """A briefing that was only asked for is no work."""
    world = World(night())
    world.ticks(2)
    world.say("rollback")
    assert world.state.phase == "rolled_back"


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_undo_step_that_was_cut_off_is_as_careful_as_a_task(idempotent: bool) -> None:
    """Run again by itself only where that does no harm."""
    steps = (UndoStep("restore", "restore", "eva", automatic=True, command="restore", idempotent=idempotent),)
    plan = night()
    tasks = tuple(replace(one, undo=tuple(set(one.undo) & {"restore"})) for one in TASKS)
    rollback = plan.rollback.model_copy(update={"undo": steps})
    world = World(night(tasks=tasks, rollback=rollback))
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("confirm", subject="stop")
    world.tick()
    world.ran()
    world.say("rollback")
    world.ticks(3)
    assert world.runs[-1].is_undo
    world.lost()
    world.ticks(5)
    assert len(world.runs) == (3 if idempotent else 2)
    if not idempotent:
        world.say("repeat", "it had not run", subject="restore")
    world.ran()
    world.ticks(2)
    assert world.state.phase == "rolled_back"


def test_undoing_waits_for_a_command_that_is_still_at_work() -> None:
    """A migration and its undoing do not run at the same time."""
    world = World(night())
    world.tick()
    world.say("confirm", subject="brief")
    world.ticks(2)
    world.say("confirm", subject="stop")
    world.tick()
    world.say("rollback")
    world.ticks(5)
    assert not world.state.undo
    world.ran()
    world.ticks(2)
    assert list(world.state.undo) == ["restore"]
