"""Gates hold: no stage is entered before they are met, waived by name, or met by their task."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.planning import Gate, Plan, Task
from rollway.rollout.gates import figure_in
from rollway.rollout.needs import lacking
from support.machine import World
from support.stories import canary

TELEMETRY = Task("before-telemetry", "see the numbers", "before", "Scrum Team", stage="ten", backup="kim")


def gate(name: str, kind: str = "task", **more: Any) -> Gate:
    body = {"id": name, "stage": "ten", "kind": kind, "what": f"{name} is ready", **more}
    return Gate.model_validate(body)


def gated(*gates: Gate) -> Plan:
    return canary(gates=gates, runbook=(TELEMETRY,))


def at_the_gate(plan: Plan) -> World:
    world = World(plan)
    world.until("baseline")
    world.ticks(30, "healthy")
    return world


def test_a_stage_is_not_entered_while_its_gate_is_open() -> None:
    """The standing says what is missing and who can mend it; the record says it once, as early as can be."""
    world = at_the_gate(gated(gate("numbers", of="before-telemetry")))
    assert world.stage_id == "baseline"
    assert world.share == 0
    assert "numbers is ready: not known (Scrum Team or kim)" in world.state.standing
    assert world.kinds.count("gates_open") == 1
    assert world.kinds.index("gates_open") < len(world.kinds) - 1 or world.kinds[-1] == "gates_open"


def test_a_name_that_nothing_has_is_refused_with_where_the_names_are() -> None:
    """A slip is common; the refusal says which command lists what there is."""
    world = at_the_gate(gated(gate("numbers", of="before-telemetry")))
    world.say("confirm", subject="brief-support")
    assert world.kinds[-1] == "refused"
    told = "there is neither a gate nor a task 'brief-support'; `rollway task list --all` names them"
    assert world.record[-1].text.endswith(told)


@pytest.mark.parametrize("subject", ["numbers", "before-telemetry"])
def test_a_person_meets_a_gate_by_its_name_or_by_its_task(subject: str) -> None:
    """Once it was said, the stage is entered, and the record has who and why."""
    world = at_the_gate(gated(gate("numbers", of="before-telemetry")))
    world.say("confirm", "seen in staging", "kim", subject)
    world.tick("healthy")
    assert world.stage_id == "ten"
    entry = next(entry for entry in world.record if entry.kind == "confirm")
    assert (entry.actor, entry.data["gate"], entry.data["reason"]) == ("kim", "numbers", "seen in staging")


def test_what_the_facts_say_passes_without_a_word() -> None:
    """A gate that was met when the plan was made asks nobody."""
    world = World(gated(gate("bank", "dependency", of="Bank", known=1.0)))
    world.until("ten")
    assert "gates_open" not in world.kinds


@pytest.mark.parametrize(
    ("reason", "is_met"),
    [
        ("", False),
        ("most of them", False),
        ("80%", False),
        ("85% of them", True),
        ("0.92", True),
        ("92", True),
    ],
)
def test_training_needs_its_figure(reason: str, is_met: bool) -> None:
    """Without a figure, or below what is asked for, the word is refused and the gate stays shut."""
    world = at_the_gate(gated(gate("trained", "training", minimum=0.85)))
    world.say("confirm", reason, "lea", "trained")
    world.tick("healthy")
    assert (world.stage_id == "ten") is is_met
    assert ("refused" in world.kinds) is not is_met
    if is_met:
        assert world.state.words["trained"].reached is not None


def test_a_waiver_has_a_name_and_a_reason() -> None:
    """Without a reason it is refused; with one it is in the record as said by that person."""
    world = at_the_gate(gated(gate("trained", "training", minimum=0.85)))
    world.say("waive", "", "ops", "trained")
    assert world.kinds[-1] == "refused"
    world.say("waive", "they learn on the day", "ops", "trained")
    assert world.record[-1].text == "Waived by ops: they learn on the day: trained is ready"
    world.tick("healthy")
    assert world.stage_id == "ten"


def test_a_word_can_be_taken_back_until_the_stage_is_entered() -> None:
    """Gates are looked at again each time: what was met yesterday may not be met today."""
    plan = gated(gate("bank", "dependency", of="Bank", known=1.0))
    world = World(plan)
    world.tick()
    world.say("fail", "the bank is down", "kim", "bank")
    world.ticks(30, "healthy")
    assert world.stage_id == "baseline"
    assert "gates_open" in world.kinds
    world.say("confirm", "up again", "kim", "bank")
    world.tick("healthy")
    assert world.stage_id == "ten"
    world.say("fail", "down", "kim", "bank")
    assert world.kinds[-1] == "refused"


def test_promote_does_not_pass_a_gate() -> None:
    """Promoting is over the rule of the stage before, not over the gates of the next."""
    world = at_the_gate(gated(gate("numbers", of="before-telemetry")))
    world.say("promote")
    assert world.stage_id == "baseline"
    assert "numbers is ready" in world.record[-1].text


def test_no_go_at_a_gate_takes_it_back() -> None:
    """Before the point of no return a no is the way back."""
    world = at_the_gate(gated(gate("board", "person", decider="po")))
    world.say("no_go", "not this week", "po", "board")
    world.ticks(3)
    assert world.state.phase == "rolled_back"
    assert "not this week" in world.state.standing


def test_what_is_lacking_names_gate_people_and_remedy() -> None:
    """One need for each gate: what, who, and the words that meet it."""
    world = at_the_gate(
        gated(gate("trained", "training", minimum=0.85), gate("board", "person", decider="po"))
    )
    needs = lacking(world.plan, world.state, world.now)
    assert [(need.kind, need.subject) for need in needs] == [("gate", "trained"), ("gate", "board")]
    assert needs[1].who == ("po",)
    assert "85% reached" in needs[0].takes


def test_figures_in_words() -> None:
    """The first figure counts, as a share."""
    assert [figure_in(text) for text in ("92%", "0.5 of them", "v2 and 71 %", "none")] == [
        0.92,
        0.5,
        0.71,
        None,
    ]
