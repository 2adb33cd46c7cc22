"""Rollouts of the example whose last look was a moment ago, so that a command finds them alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from rollway.choice import choose
from rollway.facts import load_release, without_places
from rollway.planning import Plan, make_plan
from web.story import EXAMPLE, Story

TICK = 10.0


@lru_cache(maxsize=1)
def example_plan() -> Plan:
    """The plan of the reporting example, made once."""
    release = without_places(load_release(EXAMPLE))
    return make_plan(release, choose(release))


def bare(**more: object) -> Plan:
    """The example's plan without gates and windows, changed as asked."""
    return example_plan().model_copy(update={"gates": (), "windows": (), "freezes": (), **more})


def counted() -> Plan:
    """The same, where the latency counts only once everyone has the new version."""
    plan = bare()
    guards = tuple(
        guard.model_copy(update={"stages": ("100-percent",)}) if guard.kpi == "latency" else guard
        for guard in plan.guards
    )
    stages = tuple(
        stage.model_copy(update={"margins": {k: v for k, v in stage.margins.items() if k != "latency"}})
        for stage in plan.stages
    )
    promises = tuple(one for one in plan.promises if one.kpi != "latency")
    return Plan.model_validate({**dict(plan), "guards": guards, "stages": stages, "promises": promises})


def lived(story: Story, ticks: int, plan: Plan | None = None) -> str:
    """A rollout that has just had so many looks, the last of them now."""
    story.now = datetime.now(UTC) - timedelta(seconds=TICK * ticks)
    rollout = story.start(plan or bare())
    story.tick(rollout, ticks)
    return rollout
