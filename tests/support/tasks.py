"""A small big bang with tasks that are followed, for stories about gates, tasks and the way back."""

from __future__ import annotations

from typing import Any

from rollway.planning import Gate, Plan, Policy, RollbackPlan, Stage, Task
from rollway.planning.runbooks.model import UndoStep
from support.stories import canary, stage


def task(name: str, phase: str = "during", stage_id: str = "switch", **more: Any) -> Task:
    given = {"id": name, "title": name, "phase": phase, "owner": "eva", "stage": stage_id, **more}
    return Task(**given)


TASKS = (
    task("brief", "before", "prepare", backup="max"),
    task("stop", undo=("open",)),
    task("migrate", after=("stop",), automatic=True, command="migrate --all", p90=60.0, undo=("restore",)),
    task("switch-expose", owner="Operations", after=("migrate",)),
    task("look", after=("switch-expose",)),
    task("switch-decide", after=("look",), gate=True, decider="po", backup="vice", criteria=("all well",)),
    task("clean", "after", "switch", at=3600.0),
)
UNDO = (UndoStep("restore", "restore the data", "eva"), UndoStep("open", "open the desk", "max"))


def night(*stages: Stage, tasks: tuple[Task, ...] = TASKS, gates: tuple[Gate, ...] = (), **more: Any) -> Plan:
    """prepare (nobody), switch (everyone): go/no-go at the end; tasks are followed."""
    given: dict[str, Any] = {
        "guards": (),
        "runbook": tasks,
        "gates": gates,
        "operators": ("ops",),
        "rollback": RollbackPlan(steps=("back",), undo=UNDO, cannot_undo=("Letters that were sent.",)),
        "policy": Policy(tick_seconds=1, blind_seconds=40, tasks="followed"),
        **more,
    }
    return canary(
        *(
            stages
            or (stage("prepare", 0, "time", bake_seconds=0), stage("switch", 1, "person", bake_seconds=10))
        ),
        **given,
    )
