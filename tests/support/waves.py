"""Phased releases without any KPI: wave by wave, by groups or by shares, on a target of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollway.app import Rollway
from rollway.facts import Release
from support.rollouts import start_plan, wait_for


def wave_facts(
    target: dict[str, Any], *, groups: dict[str, int] | None = None, shares: Sequence[float] = ()
) -> dict[str, Any]:
    """Prepared by ana, approved by bo, run by ops; each wave but the last waits for a person's promote."""
    people = [
        {"name": name, "users": users, "representative": not number}
        for number, (name, users) in enumerate((groups or {}).items())
    ]
    return {
        "release": {"name": "tills", "version": "2.4.0", "title": "Tills", "prepared_by": "ana"},
        "architecture": {"feature_flags": False, "traffic_split": False, "automation": "high"},
        "done": {"tests": {"rollback_tested": True}},
        "migration": {"needed": False, "backward_compatible": True},
        **({"stakeholders": {"groups": people}} if people else {}),
        "agreements": {"approvers": ["bo"], "operators": ["ops"]},
        "target": target,
        "rollout": {
            "method": "phased",
            "because": "this is what is tested",
            "bake": "0.5s",
            "check_every": "0.3s",
            **({"shares": list(shares)} if shares else {}),
        },
    }


def started(rollway: Rollway, facts: dict[str, Any]) -> str:
    """A rollout of the plan for these facts, without what people have to have done before each wave."""
    plan = rollway.plan(Release.model_validate(facts)).model_copy(update={"gates": ()})
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def reached(rollway: Rollway, rollout: str, stage: str) -> None:
    """Wait until the target was read back as serving this stage."""

    def is_there() -> bool:
        loaded = rollway.load(rollout)
        current = loaded.plan.stages[loaded.state.stage].id
        return current == stage and loaded.state.entered_at is not None and loaded.state.phase == "running"

    wait_for(is_there)


def passed(rollway: Rollway, rollout: str, stage: str) -> None:
    """Wait for a stage, and let a person go on from it."""
    reached(rollway, rollout, stage)
    rollway.say(rollout, "promote", "ops", "all tills work")


def ended(rollway: Rollway, rollout: str, phase: str) -> None:
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == phase


def kinds(rollway: Rollway, rollout: str) -> list[str]:
    return [entry.kind for entry in rollway.rollouts.record(rollout)]
