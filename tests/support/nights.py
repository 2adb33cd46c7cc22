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


def lived(story: Story, ticks: int, plan: Plan | None = None) -> str:
    """A rollout that has just had so many looks, the last of them now."""
    story.now = datetime.now(UTC) - timedelta(seconds=TICK * ticks)
    rollout = story.start(plan or bare())
    story.tick(rollout, ticks)
    return rollout
