"""Where a runbook's tasks stand when a rollout follows them: before a stage, before its exposure, and so on.

Where tasks are followed nothing may wait for what comes later, or the rollout would never go on.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rollway.planning.runbooks.model import Task, UndoStep

if TYPE_CHECKING:
    from rollway.planning.model import Plan, Stage

Found = tuple[tuple[str | int, ...], str]
APPROVAL = "before-approval"
"""The generated task that is done by the very start of the rollout."""


def exposing(stage: Stage) -> str:
    """The generated task of seeing the stage's exposure served: Rollway's own."""
    return f"{stage.id}-expose"


def deciding(stage: Stage) -> str:
    """The generated task at the end of a stage: Rollway's own, unless it is a person's decision."""
    return f"{stage.id}-decide"


def is_own(task: Task) -> bool:
    """Whether Rollway does it by carrying the plan out, so that nobody has to say so."""
    if task.gate or task.automatic:
        return False
    own = (f"{task.stage}-expose", f"{task.stage}-decide")
    return task.id == APPROVAL or (task.phase == "during" and task.id in own)


def entry_tasks(plan: Plan, stage: Stage) -> frozenset[str]:
    """The tasks in a stage that come before its exposure: those that its exposing task waits for, and those
    that a gate of the stage asks for, with what these wait for."""
    during = {task.id: task for task in plan.runbook if (task.phase, task.stage) == ("during", stage.id)}
    own = exposing(stage)
    waited = _before_in(during, {own}) if own in during else set[str]()
    asked = {gate.of for gate in plan.gates if (gate.stage, gate.kind) == (stage.id, "task")}
    asked = {name for name in asked & during.keys() if own not in _before_in(during, {name})}
    return frozenset((waited | asked | _before_in(during, asked)) - {own})


def _before_in(during: dict[str, Task], names: set[str]) -> set[str]:
    """All tasks of the stage that these wait for."""
    found = set[str]()
    left = [one for name in names for one in during[name].after]
    while left:
        name = left.pop()
        if name in during and name not in found:
            found.add(name)
            left += during[name].after
    return found


# --- what must hold ---------------------------------------------------------------------------------


def order_faults(plan: Plan) -> Iterator[Found]:
    """Every reason why the tasks could not be carried out one after the other, as path and words."""
    for index, task in enumerate(plan.runbook):
        yield from _automatic(("runbook", index), task, is_decision=task.gate)
    for index, step in enumerate(plan.rollback.undo):
        yield from _automatic(("rollback", "undo", index), step, is_decision=False)
    if plan.policy.tasks == "followed":
        yield from _namesakes(plan)
        yield from _never_ready(plan)


def _automatic(where: tuple[str | int, ...], task: Task | UndoStep, *, is_decision: bool) -> Iterator[Found]:
    if not task.automatic:
        return
    if is_decision:
        yield (*where, "automatic"), "a decision is a person's: it cannot be automatic"
    try:
        words = shlex.split(task.command)
    except ValueError as error:
        yield (*where, "command"), f"cannot be read as a command: {error}"
        return
    if not words:
        yield (*where, "command"), "an automatic task needs the command that Rollway runs"


def _namesakes(plan: Plan) -> Iterator[Found]:
    taken = {task.id for task in plan.runbook}
    for index, gate in enumerate(plan.gates):
        if gate.id in taken:
            yield ("gates", index, "id"), f"a task has the id '{gate.id}' too; give one of them another"
    known = set[str]()
    for index, step in enumerate(plan.rollback.undo):
        if step.id in known:
            yield ("rollback", "undo", index, "id"), f"'{step.id}' is taken; give it another"
        known.add(step.id)


def _never_ready(plan: Plan) -> Iterator[Found]:
    stages = {stage.id: (place, entry_tasks(plan, stage)) for place, stage in enumerate(plan.stages)}
    rank: dict[str, tuple[int, int]] = {}
    for task in plan.runbook:
        if task.stage in stages:
            place, entry = stages[task.stage]
            rank[task.id] = _rank(task, place, entry, len(plan.stages))
    for index, task in enumerate(plan.runbook):
        for name in task.after:
            if task.id in rank and name in rank and rank[name] > rank[task.id]:
                told = f"'{name}' comes later in the rollout, so that this would never begin"
                yield ("runbook", index, "after"), f"{told}; tasks are followed (policy.tasks)"
    for index, gate in enumerate(plan.gates):
        place = stages[gate.stage][0] if gate.stage in stages else 0
        if gate.kind == "task" and gate.of in rank and rank[gate.of] > (place, _LATE):
            told = f"the task '{gate.of}' comes after this stage, which would never be entered"
            yield ("gates", index, "of"), told


_BEFORE, _ENTRY, _EXPOSE, _LATE, _AFTER = range(5)


def _rank(task: Task, place: int, entry: frozenset[str], stages: int) -> tuple[int, int]:
    if task.phase == "after":
        return stages, _AFTER
    if task.phase == "before":
        return place, _BEFORE
    if task.id in entry:
        return place, _ENTRY
    return place, _EXPOSE if task.id == f"{task.stage}-expose" else _LATE
