"""Plans of every method with tasks, gates and steps of no return, for the laws of the state machine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from rollway.choice import choose
from rollway.facts import Release
from rollway.facts.model import MethodName, Window
from rollway.planning import Plan, Task, make_plan
from rollway.planning.runbooks.model import UndoStep
from support.stories import GATE, canary, stage

SEQUENCES: tuple[tuple[MethodName, ...], ...] = (
    *(("pilot",), ("phased",), ("parallel",), ("big_bang",), ("blue_green",), ("canary",)),
    *(("pilot", "parallel"), ("pilot", "phased"), ("blue_green", "canary")),
)
NIGHTS = Window(opens="20:00", closes="06:00", timezone="Europe/Berlin")


def release_facts(*, migrates: bool, is_final: bool) -> dict[str, Any]:
    """A release with groups, training and third parties of which not everything is known."""
    return {
        "release": {"name": "shop", "version": "2", "prepared_by": "ana"},
        "done": {"tests": {"rollback_tested": None if is_final else True}},
        "architecture": {"third_parties": [{"name": "Bank", "ready": None}]},
        "stakeholders": {
            "groups": [
                {"name": "Oslo", "users": 10, "representative": True, "training_done": 0.9},
                {"name": "Rome", "users": 30, "representative": False},
            ],
            "training_needed": True,
        },
        "migration": {"needed": migrates, "reversible": not is_final, "dual_run_feasible": not migrates},
        "risks": {"reversible": not is_final},
        "kpis": [{"name": "errors", "kind": "rate", "expected": 0.02, "signal": {"type": "scrape"}}],
        "rollout": {"bake": "30s", "patience": "5m", "check_every": "1s"},
    }


@cache
def plan_by(methods: tuple[MethodName, ...], *, migrates: bool, is_final: bool) -> Plan:
    """What Rollway makes of it by these methods, whatever the vetoes say."""
    release = Release.model_validate(release_facts(migrates=migrates, is_final=is_final))
    choice = choose(release)
    ranking = tuple(replace(ranked, vetoes=()) for ranked in choice.ranking)
    return make_plan(release, replace(choice, ranking=ranking, chosen=methods[-1], sequence=methods))


def own_task(number: int, stage_id: str, after: tuple[str, ...], draw: st.DrawFn) -> Task:
    """A team's own task in a stage: by hand or automatic, a decision, or a step of no return."""
    kind = draw(st.sampled_from(["hand", "hand", "automatic", "once", "gate", "final", "trigger"]))
    fields: dict[str, Any] = {
        "hand": {},
        "automatic": {"automatic": True, "idempotent": True, "command": "true"},
        "once": {"automatic": True, "command": "migrate --all", "p90": 60.0},
        "gate": {"gate": True, "decider": "po", "criteria": ("all well",)},
        "final": {"reversible": False, "decider": "po", "automatic": draw(st.booleans()), "command": "drop"},
        "trigger": {"trigger": "the bank is closed"},
    }[kind]
    return Task(
        id=f"own-{number}",
        title=f"own {number}",
        phase=draw(st.sampled_from(["during", "during", "before"])),
        owner="eva",
        stage=stage_id,
        after=after,
        at=draw(st.sampled_from([None, 0.0, 20.0])),
        undo=draw(st.sampled_from([(), ("undo-1",), ("undo-2", "undo-1")])),
        **fields,
    )


UNDO = (
    UndoStep("undo-2", "put the data back", "eva", automatic=True, idempotent=True, command="restore"),
    UndoStep("undo-1", "open the desk", "eva"),
    UndoStep("always", "look around", "eva", automatic=True, command="look"),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of Rollway's own, or a small one by hand; followed or listed, with windows or without."""
    if draw(st.integers(0, 2)):
        made = plan_by(
            draw(st.sampled_from(SEQUENCES)), migrates=draw(st.booleans()), is_final=draw(st.booleans())
        )
    else:
        final = draw(st.booleans())
        made = canary(
            stage("baseline", 0, "ready", in_window=False),
            stage("ten", 0.1, bake_seconds=20),
            stage("all", 1, "time", reversible=not final),
            guards=(GATE,),
        )
    tasks = list(made.runbook)
    for number in range(draw(st.integers(0, 3))):
        where = draw(st.sampled_from(made.stages)).id
        earlier = [one.id for one in tasks if one.id.startswith("own-") and one.stage == where]
        tasks.append(own_task(number, where, tuple(earlier[-1:]), draw))
    body = made.model_copy(
        update={
            "runbook": tuple(_in_phase_order(tasks)),
            "policy": made.policy.model_copy(
                update={
                    "tasks": draw(st.sampled_from(["followed", "followed", "listed"])),
                    "on_blind": draw(st.sampled_from(["rollback", "hold"])),
                    "tick_seconds": 1.0,
                    "blind_seconds": 40.0,
                }
            ),
            "windows": (NIGHTS,) if draw(st.booleans()) else (),
            "rollback": made.rollback.model_copy(update={"undo": (*made.rollback.undo, *UNDO)}),
        }
    )
    return Plan.model_validate(body.to_json())


def _in_phase_order(tasks: list[Task]) -> list[Task]:
    """A task before a stage does not wait for one in it."""
    phases = {task.id: task.phase for task in tasks}
    return [
        replace(task, after=tuple(name for name in task.after if phases[name] == "before"))
        if task.phase == "before"
        else task
        for task in tasks
    ]
