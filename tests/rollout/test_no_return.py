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


# --- a new version that dies past it ------------------------------------------------------------------


def closing() -> World:
    """Everyone has it, there is no way back, and `clean` is left to do."""
    switch = stage("switch", 1, "time", reversible=False)
    tasks = (task("clean", "after", "switch"),)
    world = World(night(stage("prepare", 0, "time", bake_seconds=0), switch, tasks=tasks))
    world.until("switch")
    world.ticks(12, "healthy")
    assert world.state.closing_at is not None
    return world


def test_a_dead_version_is_not_done_by_time() -> None:
    """Its last task is over and it is not ready: it holds, people are told once, and it waits to be well."""
    world = closing()
    world.new_is_ready = False
    world.ticks(3)
    world.say("confirm", actor="eva", subject="clean")
    world.tick("undecided", 90_000)
    assert world.state.phase == "running"
    assert world.state.standing == "closing: the new version serves users and is not ready"
    assert world.kinds.count("version_dead") == 1
    (need,) = lacking(world.plan, world.state, world.now)
    assert (need.kind, need.who) == ("version", ("ops",))
    assert "rollway promote ROLLOUT --because TEXT" in need.takes
    world.new_is_ready = True
    world.tick()
    assert world.state.phase == "done"
    assert world.kinds[-2:] == ["version_back", "done"]


def test_who_was_dead_is_dead_until_the_target_sees_it_ready() -> None:
    """A target that cannot tell any more, its health checks switched off, makes nobody well."""
    world = closing()
    world.new_is_ready = False
    world.ticks(3)
    world.say("confirm", actor="eva", subject="clean")
    world.new_is_ready = None
    world.ticks(5)
    assert (world.state.phase, "version_back" in world.kinds) == ("running", False)
    world.new_is_ready = True
    world.tick()
    assert (world.state.phase, "version_back" in world.kinds) == ("done", True)


def test_a_mend_that_nobody_can_see_is_said_by_name() -> None:
    """It was dead, and the target cannot tell any more: what is asked for is a person's word."""
    world = past()
    world.new_is_ready = False
    world.ticks(3)
    world.new_is_ready = None
    world.ticks(20)
    assert world.state.phase == "running"
    need = next(need for need in lacking(world.plan, world.state, world.now) if need.kind == "version")
    assert "rollway roll-forward ROLLOUT --because TEXT" in need.takes
    world.say("roll_forward", "started anew, and seen to work", "ops")
    world.ticks(14)
    assert world.state.phase == "done"


def test_users_who_were_taken_away_make_no_version_ready() -> None:
    """Somebody lowers the exposure by hand: it is drift, and no good news."""
    world = past()
    world.new_is_ready = False
    world.ticks(3)
    assert "version_dead" in world.kinds
    world.share = 0.0
    world.ticks(2)
    assert "drift" in world.kinds
    assert "version_back" not in world.kinds


def test_a_task_that_waits_for_a_dead_version_says_how_to_go_on_without_it() -> None:
    """Where the health check is wrong, people do what is left."""
    world = closing()
    world.new_is_ready = False
    world.tick()
    need = next(need for need in lacking(world.plan, world.state, world.now) if need.kind == "version")
    assert need.who == ("ops",)
    assert "do what is left by hand, and confirm or skip each task" in need.takes


def test_one_look_at_a_dead_version_is_enough_not_to_be_done() -> None:
    """The last task ends in the very look in which it is down: whether that lasts is seen first."""
    world = closing()
    world.say("confirm", actor="eva", subject="clean")
    world.new_is_ready = False
    world.tick()
    assert (world.state.phase, "version_dead" in world.kinds) == ("running", False)
    world.new_is_ready = True
    world.tick()
    assert world.state.phase == "done"


def test_a_dead_version_is_said_to_be_done_by_name_and_with_a_reason_only() -> None:
    """The health check is wrong, says somebody who looked: the record has name, reason and truth."""
    world = closing()
    world.new_is_ready = False
    world.ticks(2)
    world.say("promote")
    assert world.kinds[-1] == "refused", "its task is open"
    world.say("confirm", actor="eva", subject="clean")
    world.tick()
    world.say("promote", "")
    assert (world.state.phase, world.kinds[-1]) == ("running", "refused")
    world.say("promote", "the health check asks the wrong port", "ops")
    assert world.state.phase == "done"
    word = next(entry for entry in world.record if entry.kind == "promote")
    assert (word.actor, word.data["reason"]) == ("ops", "the health check asks the wrong port")
    assert "though the new version is not ready" in word.text


def test_nothing_is_cleaned_up_behind_a_dead_version() -> None:
    """Rollway runs the command of the last task once the new version is well, and says what it waits for."""
    switch = stage("switch", 1, "time", reversible=False)
    look = task("look", "after", "switch")
    clean = task("clean", "after", "switch", after=("look",), automatic=True, command="remove --old")
    world = World(night(stage("prepare", 0, "time", bake_seconds=0), switch, tasks=(look, clean)))
    world.until("switch")
    world.ticks(12)
    assert world.state.closing_at is not None
    world.new_is_ready = False
    world.tick()
    world.say("confirm", actor="eva", subject="look")
    world.ticks(5)
    assert world.runs == []
    takes = [need.takes for need in lacking(world.plan, world.state, world.now)]
    assert any("the new version serves users and is not ready" in each for each in takes)
    world.new_is_ready = True
    world.ticks(2)
    assert [run.subject for run in world.runs] == ["clean"]


def test_a_word_from_before_it_died_is_no_word_on_a_dead_version() -> None:
    """Promoted while it was well, it is held all the same."""
    switch = stage("switch", 1, "person", reversible=False)
    world = World(night(stage("prepare", 0, "time", bake_seconds=0), switch, tasks=(task("clean", "after"),)))
    world.until("switch")
    world.say("promote")
    world.tick()
    world.say("confirm", actor="eva", subject="clean")
    world.new_is_ready = False
    world.ticks(5)
    assert world.state.phase == "running"


def test_people_are_told_of_a_version_that_dies_past_the_point_of_no_return() -> None:
    """Nothing leads back by itself, so they have to know at once, and that it is well again."""
    world = past()
    world.new_is_ready = False
    world.ticks(5)
    assert (world.state.phase, world.share) == ("running", 1.0)
    (entry,) = (entry for entry in world.record if entry.kind == "version_dead")
    assert "roll-forward" in entry.text
    world.new_is_ready = True
    world.tick()
    assert world.kinds[-1] == "version_back"
    world.new_is_ready = False
    world.ticks(2)
    assert world.kinds[-1] == "version_dead", "it died once more"
    world.say("roll_forward", "started anew")
    world.ticks(3)
    assert world.kinds[-1] == "version_dead", "the mend was none"


def test_a_closing_rollout_that_was_paused_is_said_to_be_done_by_name() -> None:
    """No task is left, so no task is asked for."""
    world = closing()
    world.say("pause")
    world.say("confirm", actor="eva", subject="clean")
    world.say("promote", "seen by hand")
    assert world.state.phase == "done"


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
