"""The laws of the state machine, for every plan and whatever happens: the world, people, crashes.

How sharp they are is in docs/laws.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from rollout.mutations import MUTATIONS, SEEDS, is_found
from rollway.judge import Verdict
from rollway.planning import Exposure, Gate, Plan, RollbackPlan, Task
from rollway.rollout import EvidenceRead
from rollway.rollout.needs import lacking
from support.laws_looks import Looks
from support.laws_world import Laws
from support.machine import World
from support.mutating import applied
from support.stories import GATE, canary, stage, verdict

SETTINGS = settings(
    max_examples=200,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestLaws = Laws.TestCase
TestLaws.settings = SETTINGS

TestLooks = Looks.TestCase
TestLooks.settings = SETTINGS


@pytest.mark.parametrize(
    "name",
    [
        "gates are not asked for",
        "harm past it goes on",
        "what is lowered is fought",
        "counted with another control group",
        "asked where it does not count",
    ],
)
def test_the_laws_find_a_fault_in_the_machine(name: str) -> None:
    """A machine with one rule out of force breaks a law; `tests/rollout/mutations.py` has many more."""
    mutation = next(one for one in MUTATIONS if one.name == name)
    assert any(is_found(mutation, seed, SETTINGS) for seed in SEEDS)


def test_every_mutation_is_one_of_the_machine_as_it_is() -> None:
    """A mutation whose words are not in the source any more would be no fault at all."""
    for mutation in MUTATIONS:
        with applied(mutation):
            pass


# --- what the laws found ----------------------------------------------------------------------------------


def test_a_rollout_is_not_done_while_somebody_else_keeps_it_from_everyone() -> None:
    """Lowered to nobody in its last stage and then promoted by name, it would say that everyone has it."""
    world = World(canary(stage("ten", 0.1), stage("all", 1, "time")))
    world.until("all")
    world.share = 0.0
    world.tick("healthy")
    assert world.state.phase == "paused"
    world.say("promote")
    assert (world.state.phase, world.record[-1].kind) == ("paused", "refused")
    assert "0%" in world.record[-1].text
    world.say("resume")
    world.until("all")
    world.say("promote")
    assert (world.state.phase, world.share) == ("done", 1.0)


def plan_with_a_final_step() -> Plan:
    drop = Task(
        *("drop", "drop the old table", "during"),
        owner="eva",
        stage="ten",
        reversible=False,
        decider="po",
        automatic=True,
        command="drop",
    )
    plan = canary(stage("ten", 0.1), stage("all", 1, "time"), runbook=(drop,))
    policy = plan.policy.model_copy(update={"tasks": "followed"})
    return plan.model_copy(update={"policy": policy, "rollback": RollbackPlan(steps=("switch it off",))})


def test_a_step_of_no_return_that_is_said_to_have_failed_has_not_begun() -> None:
    """It begins with its decider's go: a failure closes no way back, and it is not repeated without a go."""
    world = World(plan_with_a_final_step())
    world.until("ten")
    world.say("fail", actor="eva", subject="drop")
    assert world.state.no_return == ""
    world.say("repeat", actor="eva", subject="drop")
    assert (world.runs, world.record[-1].kind) == ([], "refused")
    assert "po says go first" in world.record[-1].text
    world.say("go", actor="po", subject="drop")
    assert ([run.subject for run in world.runs], world.state.no_return) == (["drop"], "drop")
    world.ran()
    world.say("rollback")
    assert world.record[-1].kind == "refused"


def test_a_step_of_no_return_that_failed_before_it_began_takes_a_go_or_is_left_out() -> None:
    """What people are told to say is what is followed."""
    world = World(plan_with_a_final_step())
    world.until("ten")
    world.say("fail", actor="eva", subject="drop")
    (need,) = [one for one in lacking(world.plan, world.state, world.now) if one.subject == "drop"]
    assert need.takes == "rollway task go ROLLOUT drop; or skip with a reason"
    world.say("go", actor="po", subject="drop")
    world.ran(code=1)
    (need,) = [one for one in lacking(world.plan, world.state, world.now) if one.subject == "drop"]
    ways = ("rollway task done ROLLOUT drop", "rollway task repeat ROLLOUT drop", "or skip with a reason")
    assert need.takes == "; ".join(ways)


def test_what_failed_is_settled_while_something_else_keeps_the_rollout_paused() -> None:
    """Resume asks for it first, so that it cannot wait for resume: not before it has begun, nor after."""
    world = World(plan_with_a_final_step())
    world.until("ten")
    world.refusal = "a site says no"
    world.tick()
    world.say("fail", actor="eva", subject="drop")
    world.say("resume")
    assert (world.state.phase, world.record[-1].kind) == ("paused", "refused")
    world.say("go", actor="po", subject="drop")
    world.ran(code=1)
    world.say("repeat", actor="eva", subject="drop")
    assert [run.attempt for run in world.runs] == [1, 2]
    world.ran()
    assert world.state.phase == "paused", "the site still says no"
    world.say("resume")
    assert world.state.phase == "running"


def test_what_is_only_ready_does_not_begin_while_the_rollout_is_paused() -> None:
    """A pause is a pause; what failed before it is all that may be settled in it."""
    world = World(plan_with_a_final_step())
    world.until("ten")
    world.say("pause")
    world.say("go", actor="po", subject="drop")
    assert (world.runs, world.record[-1].kind) == ([], "refused")


def test_a_step_of_no_return_does_not_close_the_way_back_of_what_is_harmful() -> None:
    """Held for harm there is still a way back, and a go for what failed would close it."""
    plan = plan_with_a_final_step()
    guards = tuple(guard.model_copy(update={"on_harm": "hold"}) for guard in plan.guards)
    world = World(plan.model_copy(update={"guards": guards}))
    world.until("ten")
    world.hear(EvidenceRead(at=world.now, verdict=harm(world)))
    world.say("fail", actor="eva", subject="drop")
    world.say("go", actor="po", subject="drop")
    assert (world.state.phase, world.runs, world.record[-1].kind) == ("paused", [], "refused")
    assert "harmful" in world.record[-1].text
    world.say("rollback")
    assert world.state.phase == "rolling_back"


def harm(world: World) -> Verdict:
    return replace(verdict("harmful", world.now, world.stage_id), drivers=(GATE.kpi,))


def test_a_stage_that_is_promoted_below_its_share_has_the_truth_in_its_task_and_in_the_record() -> None:
    """Its exposure was never read back: its task is not done, and does not run for good."""
    expose = Task("ten-expose", "ten users in a hundred", "during", owner="ops", stage="ten")
    plan = canary(stage("ten", 0.1), stage("all", 1, "time"), runbook=(expose,))
    world = World(plan.model_copy(update={"policy": plan.policy.model_copy(update={"tasks": "followed"})}))
    world.is_deaf = True
    world.tick()
    assert world.state.tasks["ten-expose"].state == "running"
    world.say("pause")
    world.share = 0.04
    world.tick()
    world.is_deaf = False
    world.say("promote")
    assert world.stage_id == "all"
    doing = world.state.tasks["ten-expose"]
    assert (doing.state, doing.note) == ("skipped", "left at 4%; ten asks for 10%")
    (left,) = [entry for entry in world.record if entry.data.get("task") == "ten-expose"]
    assert (left.data["planned"], left.data["served"]) == (0.1, 0.04)
    assert left.text == "ten was never read back as planned: it is left at 4% and not 10%."


def test_a_rollout_that_is_resumed_in_the_end_is_done_once_everyone_is_read_back() -> None:
    """Lowered while only a last task was left, it does not take the target's word for given."""
    look = Task("look", "look around", "after", owner="eva", stage="all")
    plan = canary(stage("all", 1, "time"), runbook=(look,))
    world = World(plan.model_copy(update={"policy": plan.policy.model_copy(update={"tasks": "followed"})}))
    world.until("all")
    world.ticks(15, "healthy")
    assert world.state.closing_at is not None
    world.share = 0.2
    world.tick("healthy")
    world.say("confirm", actor="eva", subject="look")
    world.is_deaf = True
    world.say("resume")
    world.ticks(3, "healthy")
    assert (world.state.phase, world.share) == ("running", 0.2)
    assert world.state.standing == "waiting for the target to serve all"
    world.is_deaf = False
    world.ticks(2, "healthy")
    assert (world.state.phase, world.share) == ("done", 1.0)


def test_a_dead_version_is_taken_back_whatever_becomes_of_the_copies() -> None:
    """Somebody sends other copies than planned while the new version dies: users go back all the same."""
    copies = stage("copies", 0, "time", exposure=Exposure(share=0.5, mode="shadow"))
    world = World(canary(copies, stage("ten", 0.1), stage("all", 1, "time")))
    world.until("ten")
    world.can_mirror, world.new_is_ready = True, False
    for _ in range(2):
        world.mirrored = 0.3
        world.tick("healthy")
    assert (world.state.phase, world.share) == ("rolling_back", 0.0)


def test_blindness_counts_anew_after_a_verdict_of_harm() -> None:
    """Held for harm, the numbers that fail a day later are not a day's blindness."""
    plan = canary(guards=(GATE.model_copy(update={"on_harm": "hold"}),))
    world = World(plan)
    world.until("ten")
    world.tick("blind")
    world.hear(EvidenceRead(at=world.now, verdict=harm(world)))
    assert world.state.phase == "paused"
    world.tick("blind", 60)
    assert world.state.phase == "paused", "blind for no time yet"
    world.tick("blind", plan.policy.blind_seconds)
    assert world.state.phase == "rolling_back"


def test_neither_a_mismatch_nor_blindness_counts_before_the_first_stage() -> None:
    """Paused before it began, nobody is served yet: what comes later is the first of its kind."""
    world = World(canary(stage("ten", 0.1), stage("all", 1, "time")))
    world.say("pause")
    world.tick("healthy", mismatch="a third, and not a tenth")
    world.tick("blind")
    assert (world.state.mismatch_stage, world.state.blind_since) == (None, None)
    world.say("resume")
    world.until("ten")
    world.tick("healthy", mismatch="a third, and not a tenth")
    assert world.state.phase == "paused"


def test_a_no_to_a_gate_past_the_point_of_no_return_is_taken_back_by_who_resumes() -> None:
    """It is no task that could be settled: the rollout says that it waits for a person."""
    gate = Gate(id="board", stage="all", kind="person", what="the board agrees", decider="po")
    world = World(canary(stage("ten", 0.1, reversible=False), stage("all", 1, "time"), gates=(gate,)))
    world.until("ten")
    world.say("no_go", actor="po", subject="board")
    assert (world.state.phase, world.state.held_by_task) == ("paused", False)
    assert [need.kind for need in lacking(world.plan, world.state, world.now)] == ["person"]
    world.say("resume")
    assert world.state.phase == "running"
