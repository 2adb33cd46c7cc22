"""Plans of every method with tasks, gates and steps of no return, for the laws of the state machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from rollway.choice import choose
from rollway.facts import Release
from rollway.facts.model import Freeze, MethodName, Window
from rollway.planning import Exposure, Gate, Guard, Plan, Task, make_plan
from rollway.planning.control_group import with_control_group
from rollway.planning.runbooks.model import UndoStep
from support.stories import GATE, canary, stage

SEQUENCES: tuple[tuple[MethodName, ...], ...] = (
    *(("pilot",), ("phased",), ("parallel",), ("big_bang",), ("blue_green",), ("canary",)),
    *(("pilot", "parallel"), ("pilot", "phased"), ("blue_green", "canary")),
)
EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
"""When every rollout of the laws begins: 21:00 in Berlin."""
NIGHTS = Window(opens="20:00", closes="06:00", timezone="Europe/Berlin")
CLOSES_SOON = Window(opens="20:00", closes="21:02", timezone="Europe/Berlin")
OPENS_SOON = Window(opens="21:01", closes="23:30", timezone="Europe/Berlin")
TODAY = Freeze(first=date(2026, 11, 23), last=date(2026, 11, 23), timezone="UTC", reason="the till")
TOMORROW = Freeze(first=date(2026, 11, 24), last=date(2026, 11, 25), timezone="Asia/Tokyo", reason="the sale")


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


SAMPLED = Release.model_validate(
    release_facts(migrates=False, is_final=False) | {"rollout": {"control_group": "equal"}}
)


def own_guard(made: Plan, draw: st.DrawFn) -> Guard:
    """A guard that counts in some stages only, with answers of its own to harm, blindness and patience."""
    names = [stage.id for stage in made.stages]
    begins = draw(st.integers(0, len(names) - 1))
    return GATE.model_copy(
        update={
            "kpi": "differences",
            "say": draw(st.sampled_from(["gate", "gate", "gate", "brake", "watch"])),
            "stages": tuple(names[begins : draw(st.integers(begins + 1, len(names)))]),
            "on_harm": draw(st.sampled_from(["rollback", "hold"])),
            "on_undecided": draw(st.sampled_from(["rollback", "rollback", "hold", "tell", None])),
            "on_blind": draw(st.sampled_from(["rollback", "rollback", "hold", "tell", None])),
        }
    )


def with_other_answers(plan: Plan, chance: Random) -> Plan:
    """The plan with two guards that count in some stages only, and have other answers to what is not seen."""
    names = [stage.id for stage in plan.stages]
    guards = tuple(
        GATE.model_copy(
            update={
                "kpi": kpi,
                "stages": tuple(name for name in names if chance.random() < 0.6) or tuple(names),
                "on_undecided": chance.choice(("rollback", "hold", "ask", "tell", None)),
                "on_blind": chance.choice(("rollback", "hold", "ask", "tell", None)),
            }
        )
        for kpi in ("differences", "complaints")
    )
    policy = plan.policy.model_copy(update={"on_blind": chance.choice(("rollback", "hold"))})
    return plan.model_copy(update={"guards": guards, "policy": policy})


def own_task(number: int, stage_id: str, after: tuple[str, ...], draw: st.DrawFn) -> Task:
    """A team's own task in a stage: by hand or automatic, a decision, or a step of no return."""
    kind = draw(st.sampled_from(["hand", "automatic", "once", "gate", "final", "final", "trigger"]))
    fields: dict[str, Any] = {
        "hand": {},
        "automatic": {"automatic": True, "idempotent": True, "command": "true"},
        "once": {"automatic": True, "command": "migrate --all", "p90": 60.0},
        "gate": {"gate": True, "decider": "po", "criteria": ("all well",)},
        "final": {
            "reversible": False,
            "decider": "po",
            "automatic": draw(st.sampled_from([True, True, False])),
            "command": "drop",
        },
        "trigger": {
            "trigger": "the bank is closed",
            "automatic": draw(st.booleans()),
            "command": "close",
        },
    }[kind]
    return Task(
        id=f"own-{number}",
        title=f"own {number}",
        phase=draw(st.sampled_from(["during", "during", "before", "after"])),
        owner="eva",
        stage=stage_id,
        after=after,
        at=draw(st.sampled_from([None, 0.0, 20.0])),
        undo=draw(st.sampled_from([(), ("undo-1",), ("undo-2", "undo-1")])),
        **fields,
    )


def own_gate(number: int, stage_id: str, tasks: list[Task], draw: st.DrawFn) -> Gate:
    """A gate before a stage: a person's, one with a figure, or one that a task of the stage meets."""
    own = [
        task.id
        for task in tasks
        if task.id.startswith("own-") and task.stage == stage_id and task.phase != "after"
    ]
    kind = draw(st.sampled_from(["person", "training", "task" if own else "person"]))
    fields: dict[str, Any] = {
        "person": {"known": draw(st.sampled_from([None, None, 1.0, 0.0])), "decider": "po"},
        "training": {"minimum": 0.9, "known": draw(st.sampled_from([None, 0.5]))},
        "task": {"of": draw(st.sampled_from(own)) if own else ""},
    }[kind]
    return Gate(id=f"gate-{number}", stage=stage_id, kind=kind, what="all is well", **fields)


UNDO = (
    UndoStep("undo-2", "put the data back", "eva", automatic=True, idempotent=True, command="restore"),
    UndoStep("undo-1", "open the desk", "eva"),
    UndoStep("always", "look around", "eva", automatic=True, command="look"),
)


def small_plan(draw: st.DrawFn) -> Plan:
    """Three stages by hand, which a rollout is soon through."""
    final, middle = draw(st.booleans()), draw(st.sampled_from(["live", "live", "shadow", "dual"]))
    last = draw(st.sampled_from(["time", "evidence"]))
    is_early = last == "time" and draw(st.booleans())
    gate = GATE.model_copy(update={"stages": ("baseline", "ten", "half") if is_early else ()})
    return canary(
        stage("baseline", 0, "ready", in_window=False),
        stage("ten", 0.1, bake_seconds=20, exposure=Exposure(share=0.1, mode=middle)),
        stage("half", 0.5, draw(st.sampled_from(["evidence", "person"])), reversible=not final),
        stage("all", 1, last, reversible=not final),
        guards=(gate.model_copy(update={"on_harm": draw(st.sampled_from(["rollback", "hold"]))}),),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of Rollway's own, or a small one by hand, with tasks, gates, windows and freezes."""
    if draw(st.booleans()):
        made = plan_by(
            draw(st.sampled_from(SEQUENCES)), migrates=draw(st.booleans()), is_final=draw(st.booleans())
        )
    else:
        made = small_plan(draw)
    tasks = list(made.runbook)
    for number in range(draw(st.sampled_from([0, 1, 2, 3, 4]))):
        where = draw(st.sampled_from(made.stages)).id
        earlier = [one.id for one in tasks if one.id.startswith("own-") and one.stage == where]
        tasks.append(own_task(number, where, tuple(earlier[-1:]), draw))
    tasks = _in_phase_order(tasks)
    gates = list(made.gates)
    for number in range(draw(st.integers(0, 2))):
        gates.append(own_gate(number, draw(st.sampled_from(made.stages)).id, tasks, draw))
    windows = draw(st.sampled_from([(), (), (NIGHTS,), (CLOSES_SOON,), (OPENS_SOON,)]))
    guards = list(made.guards)
    if draw(st.sampled_from([True, True, False])):
        guards.append(own_guard(made, draw))
    stages = with_control_group(SAMPLED, made.stages) if draw(st.booleans()) else made.stages
    body = made.model_copy(
        update={
            "runbook": tuple(tasks),
            "gates": tuple(gates),
            "guards": tuple(guards),
            "stages": stages,
            "policy": made.policy.model_copy(
                update={
                    "tasks": draw(st.sampled_from(["followed", "followed", "listed"])),
                    "on_blind": draw(st.sampled_from(["rollback", "hold"])),
                    "tick_seconds": 1.0,
                    "blind_seconds": 40.0,
                }
            ),
            "windows": windows,
            "freezes": draw(st.sampled_from([(), (), (TODAY,), (TOMORROW,)])),
            "rollback": made.rollback.model_copy(update={"undo": (*made.rollback.undo, *UNDO)}),
        }
    )
    return Plan.model_validate(body.to_json())


def _in_phase_order(tasks: list[Task]) -> list[Task]:
    """A task does not wait for one of a later phase."""
    phases = {task.id: ("before", "during", "after").index(task.phase) for task in tasks}
    return [
        replace(task, after=tuple(name for name in task.after if phases[name] <= phases[task.id]))
        for task in tasks
    ]
