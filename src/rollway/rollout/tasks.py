"""The runbook's tasks where the rollout follows them: which are ready, which are still open, and of what.

A task is ready once the tasks before it are over and its offset from T has come; T is the turn of its stage.
What has to be done before a stage's exposure is asked for before it is entered, the rest while it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rollway.planning import Plan, Stage, Task
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.task_order import APPROVAL, deciding, entry_tasks, is_own
from rollway.rollout.gates import is_followed
from rollway.rollout.model import Doing, State


def task_of(plan: Plan, name: str) -> Task | None:
    return next((task for task in plan.runbook if task.id == name), None)


def decision_of(plan: Plan, stage: Stage) -> Task | None:
    """The go/no-go decision at the end of a stage that a person ends; None where it is left by promote."""
    task = task_of(plan, deciding(stage)) if stage.advance == "person" and is_followed(plan) else None
    return task if task is not None and task.gate and task.stage == stage.id else None


def is_over(state: State, name: str) -> bool:
    doing = state.tasks.get(name)
    return doing is not None and doing.is_over


def stuck_tasks(plan: Plan, state: State) -> tuple[Task, ...]:
    """Tasks that failed, or of which nobody knows whether they ran."""
    return tuple(
        task for task in plan.runbook if (doing := state.tasks.get(task.id)) is not None and doing.is_stuck
    )


# --- which tasks belong to which moment -------------------------------------------------------------


def open_before(plan: Plan, state: State, stage: Stage) -> tuple[Task, ...]:
    """The tasks of the phase before that this stage still waits for."""
    if not is_followed(plan):
        return ()
    return _open(plan, state, "before", stage)


def open_entry(plan: Plan, state: State, stage: Stage) -> tuple[Task, ...]:
    """The stage's own tasks that still come before its exposure."""
    if not is_followed(plan):
        return ()
    entry = entry_tasks(plan, stage)
    return tuple(task for task in _open(plan, state, "during", stage) if task.id in entry)


def open_during(plan: Plan, state: State, stage: Stage) -> tuple[Task, ...]:
    """The tasks without which the stage is not left, besides the decision at its end."""
    if not is_followed(plan):
        return ()
    decision = deciding(stage)
    return tuple(task for task in _open(plan, state, "during", stage) if task.id != decision)


def open_after(plan: Plan, state: State) -> tuple[Task, ...]:
    """The tasks without which the rollout is not done."""
    if not is_followed(plan):
        return ()
    return tuple(task for task in plan.runbook if task.phase == "after" and not is_over(state, task.id))


def _open(plan: Plan, state: State, phase: str, stage: Stage) -> tuple[Task, ...]:
    return tuple(
        task
        for task in plan.runbook
        if (task.phase, task.stage) == (phase, stage.id)
        and not is_over(state, task.id)
        and not (is_own(task) and phase == "during")
    )


# --- when one is ready ------------------------------------------------------------------------------


def newly_ready(plan: Plan, state: State, at: datetime) -> Iterator[Task]:
    """The tasks that nothing holds back any more, and that nobody was told of yet."""
    turn = _Turns(plan, state, at)
    for task in plan.runbook:
        if task.id in state.tasks or (is_own(task) and task.id != APPROVAL):
            continue
        if all(is_over(state, name) for name in task.after):
            due = turn.due(task)
            if due is not None and due <= at:
                yield task


def due_at(plan: Plan, state: State, task: Task, at: datetime) -> datetime | None:
    """When the task's offset comes, where that is still to come and can be told."""
    due = _Turns(plan, state, at).due(task)
    return due if due is not None and due > at else None


class _Turns:
    """When the turn of each stage came, or is expected; entry tasks are looked up once for each stage."""

    def __init__(self, plan: Plan, state: State, at: datetime) -> None:
        self._plan, self._state, self._at = plan, state, at
        self._index = {stage.id: index for index, stage in enumerate(plan.stages)}
        self._entry: dict[str, frozenset[str]] = {}
        self._expected: dict[str, datetime] = {}

    def due(self, task: Task) -> datetime | None:
        """When the task's offset comes; None while that cannot be told."""
        offset, turn = timedelta(seconds=task.at or 0.0), self._state.turns.get(task.stage)
        if task.phase == "before":
            return self._turn(task.stage) + min(offset, timedelta())
        if turn is None:
            return None
        if task.phase == "after":
            return turn + offset if self._state.closing_at is not None else None
        return self._during(task, turn + max(offset, timedelta()))

    def _during(self, task: Task, due: datetime) -> datetime | None:
        index, state = self._index[task.stage], self._state
        if task.id in self._entry_of(task.stage):
            return due
        if state.started_at is None or state.stage < index:
            return None
        stage = self._plan.stages[index]
        if task.id == deciding(stage) and state.stage == index:
            return state.entered_at and max(due, state.entered_at + timedelta(seconds=stage.bake_seconds))
        return due

    def _entry_of(self, stage: str) -> frozenset[str]:
        if stage not in self._entry:
            self._entry[stage] = entry_tasks(self._plan, self._plan.stages[self._index[stage]])
        return self._entry[stage]

    def _turn(self, stage: str) -> datetime:
        """When the stage's turn came; else when it is expected, if every stage lasts as long as it bakes."""
        known = self._state.turns.get(stage)
        if known is not None:
            return known
        if stage not in self._expected:
            self._expected[stage] = self._expect(self._index[stage])
        return self._expected[stage]

    def _expect(self, index: int) -> datetime:
        plan, state = self._plan, self._state
        if state.started_at is None:
            first = plan.stages[0]
            window = plan_state(plan, self._at) if first.in_window and state.override is None else None
            begins = self._at if window is None or window.next_open is None else window.next_open
            return begins + _bakes(plan, 0, index)
        return (state.entered_at or self._at) + _bakes(plan, state.stage, index)


def _bakes(plan: Plan, first: int, until: int) -> timedelta:
    return timedelta(seconds=sum(stage.bake_seconds for stage in plan.stages[first:until]))


# --- words ------------------------------------------------------------------------------------------


def told_task(task: Task) -> str:
    """`Test the rollback (Scrum Team)`."""
    who = task.decider if task.gate and task.decider else task.owner
    return f"{task.title} ({who})" if who else task.title


def with_task(state: State, name: str, doing: Doing) -> State:
    """The state with one task's progress changed; the others stay the same values."""
    return state.model_copy(update={"tasks": {**state.tasks, name: doing}})
