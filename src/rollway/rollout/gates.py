"""Gates: what must be true before a stage is entered, besides the stage before it.

A gate is met by the facts of the plan, by a person's word, or, where tasks are followed, by its task. What
was said last counts, and it is looked at again each time something is about to be done.
"""

from __future__ import annotations

import re
from datetime import datetime

from rollway.planning import Gate, Plan, Stage
from rollway.planning.people import gate_words
from rollway.rollout.model import CommandGiven, State
from rollway.rollout.steps import listed

TELEMETRY = "before-telemetry"
"""The task of seeing that the numbers arrive, which a preflight does as well."""

_FIGURE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(%?)")


def is_followed(plan: Plan) -> bool:
    """Whether the rollout waits for the runbook's tasks; else they are a list for people."""
    return plan.policy.tasks == "followed"


def is_met(plan: Plan, state: State, gate: Gate) -> bool:
    """Whether the gate is open: by the last word said of it, else by the facts, else by its task."""
    word = state.words.get(gate.id)
    if word is not None:
        return word.said != "not met"
    if gate.is_met:
        return True
    doing = state.tasks.get(gate.of) if gate.kind == "task" else None
    return is_followed(plan) and doing is not None and doing.state == "done"


def unmet_gates(plan: Plan, state: State, stage: Stage) -> tuple[Gate, ...]:
    """The gates of a stage that are not met, in the order of the plan."""
    return tuple(gate for gate in plan.gates if gate.stage == stage.id and not is_met(plan, state, gate))


def gate_people(plan: Plan, gate: Gate) -> tuple[str, ...]:
    """Who can meet it: the owner and backup of its task, its decider, the sender of its message."""
    names: tuple[str, ...] = (gate.decider,)
    if gate.kind == "task":
        names += tuple(
            name for task in plan.runbook if task.id == gate.of for name in (task.owner, task.backup)
        )
    if gate.kind == "message":
        names += tuple(message.sender for message in plan.communication if message.id == gate.of)
    return tuple(dict.fromkeys(name for name in names if name))


def told_gates(plan: Plan, gates: tuple[Gate, ...], at_most: int = 3) -> str:
    """`Done: test the rollback (Scrum Team): not yet; ...`."""
    lines = []
    for gate in gates:
        who = " or ".join(gate_people(plan, gate))
        lines.append(f"{gate_words(gate)}{f' ({who})' if who else ''}")
    return listed(lines, at_most)


def figure_in(text: str) -> float | None:
    """The first figure in a text as a share: `92%`, `0.92` and `92` are 0.92. None without one."""
    found = _FIGURE.search(text)
    if found is None:
        return None
    value = float(found[1])
    return value / 100 if found[2] or value > 1 else value


def confirmations(
    plan: Plan, state: State, actor: str, at: datetime, stage: Stage | None = None
) -> tuple[CommandGiven, ...]:
    """The commands with which somebody confirms every gate that is not met, or those of one stage; what a
    followed task will meet is left to its task."""
    stages = plan.stages if stage is None else (stage,)
    return tuple(
        CommandGiven(
            at=at,
            kind="confirm",
            actor=actor,
            subject=gate.id,
            reason="" if gate.minimum is None else f"{gate.minimum:.1%} reached",
        )
        for one in stages
        for gate in unmet_gates(plan, state, one)
        if not (is_followed(plan) and gate.kind == "task")
    )
