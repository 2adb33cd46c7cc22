"""When each task can begin and must end, what it waits for, and which tasks carry the finish."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.planning.runbooks.model import Runbook, Task
from rollway.planning.runbooks.network import ordered

ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Times:
    """Elapsed seconds from T of one task. `waits_for` is the task that ends last before it begins, or ""."""

    id: str
    earliest_start: float
    earliest_end: float
    latest_start: float
    latest_end: float
    waits_for: str = ""

    @property
    def slack(self) -> float:
        """How much later it may begin without anything later that counts being late."""
        return self.latest_start - self.earliest_start


@dataclass(frozen=True, slots=True)
class Schedule:
    """The timetable: each task's times by its id, the critical path, and the finish (seconds from T).

    The finish is the end of the last task of the phase `during` (of all tasks where there is none).
    """

    times: dict[str, Times]
    critical: tuple[str, ...]
    finish: float
    end: float


def floors(runbook: Runbook) -> dict[str, float]:
    """The earliest start of each task that its own line allows, in seconds from T."""
    return {task.id: _floor(task, runbook.entered.get(task.stage, 0.0)) for task in runbook.tasks}


def make_schedule(runbook: Runbook) -> Schedule:
    """The timetable by the critical path method (Kelley and Walker 1959), without limits of people.

    Forward, each task begins at ES = max(T + at, EF of its predecessors), EF = ES + d; nothing of the
    phases `during` and `after` begins before T, or before its own stage is entered. Backward, it must
    end by LF = min LS of its successors; what has none must end by the finish, and in the phase
    `after` by the end of everything. Slack = LS - ES. The tasks form no ring (`check` has seen to it).
    """
    order = ordered({task.id: task.after for task in runbook.tasks})
    tasks = [runbook.tasks[runbook.index[name]] for name in order]
    earliest = floors(runbook)
    start: dict[str, float] = {}
    end: dict[str, float] = {}
    waits: dict[str, str] = {}
    for task in tasks:
        last = max(task.after, key=end.__getitem__, default="")
        floor = earliest[task.id]
        reached = end[last] if last else -float("inf")
        start[task.id] = max(floor, reached)
        waits[task.id] = last if reached >= floor else ""
        end[task.id] = start[task.id] + task.seconds
    during = [end[task.id] for task in tasks if task.phase == "during"] or list(end.values())
    finish, everything = max(during), max(end.values())
    latest = {task.id: _deadline(runbook, task, finish, everything) for task in tasks}
    for task in reversed(tasks):
        for name in task.after:
            latest[name] = min(latest[name], latest[task.id] - task.seconds)
    times = {
        task.id: Times(
            task.id,
            start[task.id],
            end[task.id],
            latest[task.id] - task.seconds,
            latest[task.id],
            waits[task.id],
        )
        for task in runbook.tasks
    }
    return Schedule(times, _path(runbook, times, finish), finish, everything)


def _deadline(runbook: Runbook, task: Task, finish: float, everything: float) -> float:
    """When a task must have ended that nothing waits for: what comes before a stage, when it is entered."""
    if task.phase == "after":
        return everything
    return runbook.entered.get(task.stage, finish) if task.phase == "before" else finish


def _floor(task: Task, entered: float) -> float:
    """The earliest start that the task's own line allows: nothing but the phase `before` begins before T."""
    if task.at is not None:
        return entered + task.at
    return -float("inf") if task.phase == "before" and task.after else entered


def _path(runbook: Runbook, times: dict[str, Times], finish: float) -> tuple[str, ...]:
    """From the task that ends at the finish back along what each waits for."""
    candidates = [task for task in runbook.tasks if task.phase == "during"] or list(runbook.tasks)
    name = next(one.id for one in candidates if times[one.id].earliest_end >= finish - ROUNDING)
    path = []
    while name:
        path.append(name)
        name = times[name].waits_for
    return tuple(reversed(path))
