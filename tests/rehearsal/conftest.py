"""A small plan and its world, for rehearsals that take milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rollway.facts.model import SignalSpec, Window
from rollway.planning import Exposure, Guard, Plan, Policy, Stage
from rollway.planning.model import RollbackPlan
from rollway.rehearsal import Steady, World, world_of

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


def stage(name: str, share: float, advance: str, **more: Any) -> Stage:
    """A stage of five minutes."""
    given = {"bake_seconds": 300.0, "patience_seconds": 3600.0, **more}
    return Stage(
        id=name,
        title=name,
        purpose="",
        method="canary",
        exposure=Exposure(share=share),
        advance=advance,
        **given,
    )


def guard(**more: Any) -> Guard:
    """A gate on errors, of which one request in fifty has one."""
    given: dict[str, Any] = {"kpi": "errors", "title": "errors", "kind": "rate", "say": "gate"}
    given |= {"tolerance": 1.1, "weight": 1.0, "expected": 0.02, "signal": SignalSpec(type="scrape")}
    return Guard(**{**given, **more})


STAGES = (
    stage("baseline", 0.0, "ready", bake_seconds=0.0, in_window=False),
    stage("ten", 0.1, "evidence", margins={"errors": 3.0}),
    stage("half", 0.5, "evidence", margins={"errors": 2.0}),
    stage("everyone", 1.0, "time"),
)


def plan_of(stages: tuple[Stage, ...] = STAGES, guards: tuple[Guard, ...] | None = None, **more: Any) -> Plan:
    given: dict[str, Any] = {"name": "shop", "version": "2", "method": "canary", "sequence": ("canary",)}
    given |= {"facts_hash": "0" * 64, "rollback": RollbackPlan(steps=("back",)), "policy": Policy()}
    guards = (guard(),) if guards is None else guards
    return Plan(**{**given, "stages": stages, "guards": guards, **more})


@pytest.fixture
def plan() -> Plan:
    return plan_of()


@pytest.fixture
def world(plan: Plan) -> World:
    return world_of(plan, traffic=Steady(200.0))


@pytest.fixture
def nights() -> Window:
    return Window(opens="20:00", closes="06:00", timezone="Europe/Berlin")
