"""What a plan holds of a runbook: its tasks and its rollback, in the plan's own words."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.planning.model import RollbackPlan
from rollway.planning.model import Task as PlanTask
from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.values import write_offset

_RULE_WORDS = {"keep": "Keep", "replay": "Replay into the old version", "discard": "Discard"}


def plan_tasks(runbook: Runbook, stage: str) -> tuple[PlanTask, ...]:
    """The tasks as lines of a plan's runbook, bound to the stage with this id."""
    return tuple(
        PlanTask(
            id=task.id,
            phase=task.phase,
            stage=stage,
            title=task.title,
            owner=_named(runbook, task.owner),
            instruction="\n".join(_instruction(runbook, task)),
            verification=task.verification,
        )
        for task in runbook.tasks
    )


def plan_rollback(runbook: Runbook, expected_seconds: float | None = None) -> RollbackPlan:
    """The undo steps in their order, then what becomes of the data.

    `expected_seconds` is how long going back takes, such as the P90 of `Turning.back`; the sum of the planned
    or rehearsed times unless given. It is tested when every step was.
    """
    longest = sum(max((step.duration or 0.0, *step.rehearsed)) for step in runbook.undo)
    data = [f"{_RULE_WORDS[part.rule]}: {part.title}" for part in runbook.data]
    return RollbackPlan(
        steps=(*(f"{step.title} ({_named(runbook, step.owner)})" for step in runbook.undo), *data),
        authority=tuple(_named(runbook, name) for name in runbook.authority),
        tested=bool(runbook.undo) and all(step.tested for step in runbook.undo),
        expected_seconds=expected_seconds if expected_seconds is not None else longest or None,
        cannot_undo=runbook.cannot_undo,
    )


def _instruction(runbook: Runbook, task: Task) -> Sequence[str]:
    parts = (
        ("", task.instruction),
        ("Not before ", write_offset(task.at) if task.at is not None else ""),
        ("When: ", task.trigger),
        ("After: ", ", ".join(task.after)),
        ("Run: ", task.command),
        ("See: ", task.link),
        ("Expected: ", task.expected),
        ("To be true: ", "; ".join(task.criteria)),
        ("Decides: ", _named(runbook, task.decider)),
        ("Cannot be taken back", "." if not task.reversible else ""),
        ("Tell: ", task.tells),
    )
    return [f"{word}{text}" for word, text in parts if text]


def _named(runbook: Runbook, name: str) -> str:
    person = runbook.person.get(name)
    return (person.name if person else "") or name
