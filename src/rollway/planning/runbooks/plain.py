"""A runbook and its timetable as plain values, for programs."""

from __future__ import annotations

from typing import Any

from rollway.planning.runbooks.columns import DATA, PEOPLE, TASKS, UNDO
from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.schedule import Schedule
from rollway.planning.runbooks.yaml_out import head_cells, row_cells


def runbook_json(runbook: Runbook, schedule: Schedule) -> dict[str, Any]:
    """Everything that is stated, each task's moments (ISO 8601, the owner's zone), and the critical path."""
    parts = {
        table.name: [dict(row_cells(table.columns, part)) for part in getattr(runbook, table.name)]
        for table in (PEOPLE, UNDO, DATA)
    }
    return {
        "runbook": dict(head_cells(runbook)),
        **parts,
        "tasks": [task_json(runbook, task, schedule) for task in runbook.tasks],
        "critical_path": list(schedule.critical),
        "finish": runbook.moment(schedule.finish).isoformat(),
    }


def task_json(runbook: Runbook, task: Task, schedule: Schedule) -> dict[str, Any]:
    """What a task states, with its earliest and latest moments and its slack in seconds."""
    at, zone = schedule.times[task.id], runbook.zone_of(task)
    moments = {
        name: runbook.moment(getattr(at, name), zone).isoformat()
        for name in ("earliest_start", "earliest_end", "latest_start", "latest_end")
    }
    return dict(row_cells(TASKS.columns, task)) | moments | {"slack_seconds": at.slack}
