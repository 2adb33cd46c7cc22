"""A runbook and its timetable as plain values, for programs."""

from __future__ import annotations

from typing import Any

from rollway.planning.runbooks.columns import DATA, PEOPLE, STAGES, TASKS, UNDO
from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.schedule import Schedule
from rollway.planning.runbooks.values import write_offset
from rollway.planning.runbooks.yaml_out import head_cells, row_cells


def runbook_json(runbook: Runbook, schedule: Schedule) -> dict[str, Any]:
    """Everything that is stated, each task's moments and the critical path.

    Moments are ISO 8601 in the owner's zone; offsets from T where it has no date.
    """
    parts = {
        table.name: [dict(row_cells(table.columns, part)) for part in getattr(runbook, table.name)]
        for table in (PEOPLE, UNDO, DATA, *([STAGES] if runbook.stages else []))
    }
    return {
        "runbook": dict(head_cells(runbook)),
        **parts,
        "tasks": [task_json(runbook, task, schedule) for task in runbook.tasks],
        "critical_path": list(schedule.critical),
        "finish": _moment(runbook, schedule.finish),
    }


def task_json(runbook: Runbook, task: Task, schedule: Schedule) -> dict[str, Any]:
    """What a task states, with its earliest and latest moments and its slack in seconds."""
    at, zone = schedule.times[task.id], runbook.zone_of(task)
    moments = {
        name: _moment(runbook, getattr(at, name), zone)
        for name in ("earliest_start", "earliest_end", "latest_start", "latest_end")
    }
    return dict(row_cells(TASKS.columns, task)) | moments | {"slack_seconds": at.slack}


def _moment(runbook: Runbook, seconds: float, timezone: str = "") -> str:
    return runbook.moment(seconds, timezone).isoformat() if runbook.dated else write_offset(seconds)
