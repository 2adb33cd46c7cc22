"""What rehearsed people do with their hands: they confirm gates, and do the tasks that a plan follows.

A task takes the time it is planned to take, a decision the time in which the rehearsed people say go.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from rollway.planning import Plan, Task
from rollway.planning.runbooks.model import UndoStep
from rollway.rollout import machine
from rollway.rollout.gates import confirmations
from rollway.rollout.model import CommandGiven, Doing, State, TaskRan

PERSON = "rehearsed person"


def gates_met(plan: Plan, at: float) -> State:
    """A rollout that begins at a moment (unix seconds) and whose gates were met by people beforehand."""
    state = machine.begin()
    for command in confirmations(plan, state, PERSON, datetime.fromtimestamp(at, UTC)):
        state = machine.advance(plan, state, command).state
    return state


def done_next(plan: Plan, state: State, go_seconds: float) -> list[tuple[datetime, CommandGiven | TaskRan]]:
    """What is said of each task and undo step that is at hand, and when."""
    if plan.policy.tasks != "followed":
        return []
    steps = {step.id: step for step in plan.rollback.undo}
    tasks = {task.id: task for task in plan.runbook}
    found = [_next(tasks[name], doing, go_seconds) for name, doing in state.tasks.items()]
    if state.phase == "rolling_back":
        found = [_next(steps[name], doing, go_seconds) for name, doing in state.undo.items()]
    return [each for each in found if each is not None]


def _next(
    task: Task | UndoStep, doing: Doing, go_seconds: float
) -> tuple[datetime, CommandGiven | TaskRan] | None:
    lasts = timedelta(seconds=task.seconds if isinstance(task, Task) else task.duration or 0.0)
    if doing.state == "running" and doing.begun_at is not None:
        due = doing.begun_at + lasts
        if doing.attempt:
            return due, TaskRan(
                at=due, subject=task.id, attempt=doing.attempt, code=0, is_undo=_is_undo(task)
            )
        is_own = doing.actor == "rollway"
        return None if is_own else (due, _says("confirm", task, due))
    if doing.state != "ready":
        return None
    if isinstance(task, Task) and (task.gate or not task.reversible):
        due = doing.ready_at + timedelta(seconds=go_seconds)
        return due, _says("go", task, due)
    due = doing.ready_at + lasts
    return due, _says("confirm", task, due)


def _is_undo(task: Task | UndoStep) -> bool:
    return isinstance(task, UndoStep)


def _says(kind: Literal["go", "confirm"], task: Task | UndoStep, at: datetime) -> CommandGiven:
    return CommandGiven(at=at, kind=kind, actor=PERSON, reason="as rehearsed", subject=task.id)
