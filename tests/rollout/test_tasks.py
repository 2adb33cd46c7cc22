"""Tasks that are followed: ready in their order, done by people or by Rollway, failed, skipped, decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from pydantic import ValidationError

from rollway.facts.model import Window
from rollway.planning import Plan
from rollway.rollout.needs import lacking
from support.machine import World
from support.tasks import TASKS, night, task


def begun(plan: Plan | None = None) -> World:
    """The first task is done, and it is the switch's turn."""
    world = World(plan or night())
    world.tick()
    world.say("confirm", subject="brief", actor="eva")
    world.ticks(3)
    return world


def at_the_end() -> World:
    """Everyone is served; only the decision is left."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    world.ran()
    world.ticks(3)
    world.say("confirm", subject="look")
    world.ticks(12)
    return world


def state_of(world: World, name: str) -> str:
    doing = world.state.tasks.get(name)
    return "" if doing is None else doing.state


def test_a_ready_task_names_owner_and_backup() -> None:
    """People are told once, with who does it and who stands in."""
    world = World(night())
    world.ticks(5)
    (entry,) = [entry for entry in world.record if entry.kind == "task_ready"]
    assert entry.text == "Ready: brief (eva or max)."
    assert (entry.data["owner"], entry.data["backup"]) == ("eva", "max")
    assert world.state.phase == "waiting"


def test_tasks_before_a_stage_keep_it_shut() -> None:
    """Nothing is entered before they are done."""
    world = World(night())
    world.ticks(20, "healthy")
    assert world.state.started_at is None
    assert "brief (eva)" in world.state.standing


def test_what_comes_before_the_exposure_is_done_before_anybody_is_served() -> None:
    """Stopping and migrating come in the switch's turn, and only then the target is told."""
    world = begun()
    assert (state_of(world, "stop"), state_of(world, "migrate"), world.share) == ("ready", "", 0.0)
    world.say("begin", subject="stop")
    world.say("confirm", subject="stop")
    world.tick()
    assert state_of(world, "migrate") == "running"
    assert world.share == 0.0
    world.ran(output="1000 rows")
    world.tick()
    assert (world.stage_id, world.share) == ("switch", 1.0)
    world.tick()
    assert state_of(world, "switch-expose") == "done"
    done = next(
        entry for entry in world.record if entry.kind == "task_done" and entry.data["task"] == "migrate"
    )
    assert (done.data["output"], done.data["code"], done.data["attempt"]) == ("1000 rows", 0, 1)


def test_actual_times_are_kept() -> None:
    """From begin to done, as it really took."""
    world = begun()
    world.say("begin", subject="stop")
    world.ticks(7)
    world.say("confirm", subject="stop")
    doing = world.state.tasks["stop"]
    assert doing.begun_at is not None
    assert doing.ended_at is not None
    assert (doing.ended_at - doing.begun_at).total_seconds() == 7
    assert world.record[-1].data["seconds"] == 7


@pytest.mark.parametrize("kind", ["begin", "confirm", "fail"])
def test_nothing_is_done_before_its_turn(kind: str) -> None:
    """What waits for others is refused, and the answer names them."""
    world = begun()
    world.say(kind, subject="look")  # type: ignore[arg-type]  # one of the kinds above
    assert world.kinds[-1] == "refused"
    assert "not its turn yet" in world.record[-1].text
    assert "look" not in world.state.tasks


def test_a_failed_task_holds_until_it_is_settled() -> None:
    """Paused, and resume is refused; once it is confirmed the rollout goes on by itself."""
    world = begun()
    world.say("fail", "the desk does not answer", subject="stop")
    assert world.state.phase == "paused"
    world.say("resume")
    assert world.kinds[-1] == "refused"
    world.ticks(3)
    (need,) = lacking(world.plan, world.state, world.now)
    assert (need.kind, need.subject) == ("task", "stop")
    world.say("confirm", "reached them by phone", subject="stop")
    assert world.state.phase == "running"
    world.tick()
    assert state_of(world, "migrate") == "running"


def test_a_pause_by_a_person_outlives_a_settled_task() -> None:
    """Whoever paused by name says when it goes on."""
    world = begun()
    world.say("fail", subject="stop")
    world.say("pause", "let us talk")
    world.say("confirm", subject="stop")
    world.ticks(3)
    assert world.state.phase == "paused"
    assert not world.runs


def test_a_failed_command_can_be_repeated_by_name() -> None:
    """The record counts the attempts."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    world.ran(3, output="disk full")
    assert world.state.phase == "paused"
    assert "its command ended with 3" in world.state.standing
    world.say("repeat", "more disk", subject="migrate")
    assert [run.attempt for run in world.runs] == [1, 2]
    assert world.state.phase == "running"
    world.ran()
    world.ticks(2)
    assert world.share == 1.0


def test_what_was_cut_off_and_is_not_idempotent_is_asked_about() -> None:
    """It may have run: nothing runs it again but a person's word."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    world.lost()
    world.ticks(30)
    assert state_of(world, "migrate") == "unsure"
    assert len(world.runs) == 1
    assert "it may have run" in world.state.standing
    world.say("confirm", "looked: it is done", subject="migrate")
    world.ticks(2)
    assert world.share == 1.0


def test_what_was_cut_off_and_is_idempotent_is_run_again() -> None:
    """By itself, and the record says so."""
    tasks = tuple(replace(one, idempotent=True) if one.id == "migrate" else one for one in TASKS)
    world = begun(night(tasks=tasks))
    world.say("confirm", subject="stop")
    world.tick()
    world.lost()
    assert [run.attempt for run in world.runs] == [1, 2]
    assert "task_cut_off" in world.kinds
    assert world.state.phase == "running"


def test_the_end_of_an_earlier_attempt_changes_nothing() -> None:
    """A late answer is noted and not believed."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    world.ran(attempt=7)
    assert state_of(world, "migrate") == "running"
    assert world.kinds[-1] == "task_ran"


def test_skipping_needs_a_reason() -> None:
    """And is in the record by name; what waited for it goes on."""
    world = begun()
    world.say("skip", "", subject="stop")
    assert world.kinds[-1] == "refused"
    world.say("skip", "nobody works tonight", subject="stop")
    world.tick()
    assert state_of(world, "migrate") == "running"


def test_a_decision_is_go_or_no_go() -> None:
    """It is asked for when the bake is over, shows its criteria, and cannot simply be ticked off."""
    world = at_the_end()
    asked = [entry for entry in world.record if entry.kind == "task_ready"][-1]
    assert (asked.data["decider"], asked.data["criteria"]) == ("po", ["all well"])
    world.say("confirm", subject="switch-decide")
    assert world.kinds[-1] == "refused"
    world.say("go", "all is well", "po", "switch-decide")
    world.tick()
    assert world.state.closing_at is not None


def test_no_go_goes_back_while_there_is_a_way_back() -> None:
    """The words of the decider are the reason of the rollback."""
    world = at_the_end()
    world.say("no_go", "figures are odd", "po", "switch-decide")
    assert world.state.phase == "rolling_back"
    assert world.share == 0.0
    assert "figures are odd" in world.state.standing


def test_no_go_before_anything_began_calls_it_off() -> None:
    """Nobody was served and nothing is undone."""
    tasks = (task("meet", "before", "prepare", gate=True, decider="po"), *TASKS[1:])
    world = World(night(tasks=tasks))
    world.tick()
    world.say("no_go", "half the crew is ill", "po", "meet")
    assert world.state.phase == "rolled_back"
    assert not world.state.undo


def test_done_only_when_what_comes_after_is_done() -> None:
    """Closing: everyone has it, guards still watch, and the rollout waits for its last tasks."""
    world = at_the_end()
    world.say("go", subject="switch-decide")
    world.ticks(5)
    assert (world.state.phase, world.state.standing) == ("running", "closing: clean (eva)")
    assert state_of(world, "clean") == ""
    world.say("promote")
    assert world.kinds[-1] == "refused"
    world.tick(seconds=3600)
    assert state_of(world, "clean") == "ready"
    world.say("confirm", subject="clean")
    world.tick()
    assert world.state.phase == "done"


def test_harm_while_closing_still_takes_it_back() -> None:
    """The way back stays open after everyone has it."""
    world = at_the_end()
    world.say("go", subject="switch-decide")
    world.ticks(2)
    world.tick("harmful")
    assert world.state.phase == "rolling_back"


def test_promote_does_not_leave_tasks_behind() -> None:
    """It overrides the stage's rule; tasks are confirmed or skipped one by one."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    world.ran()
    world.ticks(2)
    world.say("promote")
    assert world.kinds[-1] == "refused"
    assert "look (eva)" in world.record[-1].text


def test_a_trigger_is_waited_for_until_somebody_says_it_came() -> None:
    """No clock knows the outside world."""
    tasks = tuple(
        replace(one, trigger="the last order is in") if one.id == "migrate" else one for one in TASKS
    )
    world = begun(night(tasks=tasks))
    world.say("confirm", subject="stop")
    world.ticks(5)
    assert (state_of(world, "migrate"), world.runs) == ("ready", [])
    world.say("begin", "it is in", subject="migrate")
    assert len(world.runs) == 1


def test_an_offset_is_waited_for() -> None:
    """T is the turn of the stage."""
    tasks = tuple(replace(one, at=30.0) if one.id == "stop" else one for one in TASKS)
    world = begun(night(tasks=tasks))
    assert state_of(world, "stop") == ""
    world.tick(seconds=30)
    assert state_of(world, "stop") == "ready"


def test_a_command_is_run_inside_the_window_only() -> None:
    """The turn came while it was open; what is ready after it closed waits for the next."""
    opens, closes = time(21, 0), time(21, 1)
    window = Window(opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")
    world = begun(night(windows=(window,)))
    world.tick(seconds=120)
    world.say("confirm", subject="stop")
    world.ticks(3)
    assert (state_of(world, "migrate"), world.runs) == ("ready", [])
    needs = {need.kind: need for need in lacking(world.plan, world.state, world.now)}
    assert "no change window is open" in needs["task"].takes
    world.say("override_window", "the night is ours")
    world.tick()
    assert len(world.runs) == 1


def test_the_time_a_command_has_follows_its_plan() -> None:
    """Three times what nine in ten nights need, and an hour at most."""
    world = begun()
    world.say("confirm", subject="stop")
    world.tick()
    assert (world.runs[0].timeout, world.runs[0].command) == (180.0, ("migrate", "--all"))


def test_listed_tasks_are_nobodys_business() -> None:
    """Where the plan does not follow them, a word on one is refused, and nothing waits."""
    plan = night(policy=night().policy.model_copy(update={"tasks": "listed"}))
    world = World(plan)
    world.ticks(3)
    assert world.stage_id == "switch"
    world.say("confirm", subject="stop")
    assert world.kinds[-1] == "refused"
    assert not world.state.tasks


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": "stop", "after": ("clean",)}, "comes later"),
        ({"id": "migrate", "command": ""}, "needs the command"),
        ({"id": "migrate", "command": "say 'x"}, "cannot be read"),
        ({"id": "switch-decide", "automatic": True, "command": "true"}, "a decision is a person's"),
    ],
)
def test_a_plan_whose_tasks_cannot_be_followed_is_refused(changes: dict[str, object], told: str) -> None:
    """When it is made, and not in the night."""
    tasks = tuple(replace(one, **changes) if one.id == changes["id"] else one for one in TASKS)
    with pytest.raises(ValidationError, match=told):
        night(tasks=tasks)


def test_a_thousand_tasks_cost_nothing_until_they_are_due() -> None:
    """What nobody said anything of is not kept."""
    many = tuple(task(f"t{n}", "during", "switch", after=("stop",)) for n in range(1000))
    world = begun(night(tasks=(*TASKS, *many)))
    assert len(world.state.tasks) == 2
    assert len(world.state.model_dump_json()) < 3000
