"""What is lacking is what is really waited for: no evidence that has come, and words that can be typed."""

from __future__ import annotations

import pytest

from rollway.planning import Gate, Plan, Stage, Task
from rollway.rollout.needs import Heard, lacking
from support.machine import World
from support.stories import canary, stage

BOARD = Gate(id="board", stage="half", kind="person", what="The board says go", decider="po")


def kinds(world: World, heard: Heard | None = None) -> list[str]:
    return [need.kind for need in lacking(world.plan, world.state, world.now, heard)]


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


def replace_entry(given: Stage, name: str) -> Stage:
    return given.model_copy(update={"entry": (name,), "tasks": (name,)})
