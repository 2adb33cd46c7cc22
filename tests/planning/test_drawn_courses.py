"""Courses are drawn as chance would have it, and looked at where something can be decided."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rollway.facts.model import Release
from rollway.planning import Plan
from rollway.planning.drawn_courses import Courses, drawn, known_after
from rollway.planning.flow import Flow
from rollway.planning.scene import Arrival, Scene, Watched

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
ROWS = 40_000


@pytest.mark.parametrize("mean", [0.02, 0.4, 4.0, 11.0, 300.0])
def test_numbers_of_events_are_poisson(mean: float) -> None:
    """However they are drawn: mean, variance and skewness, and none leans on another."""
    means = np.array([mean, 2 * mean, 0.0])
    found = drawn(np.random.default_rng(1), means, ROWS)
    assert found.shape == (ROWS, 3)
    assert found.mean(axis=0) == pytest.approx(means, abs=5 * np.sqrt(2 * mean / ROWS))
    assert found.var(axis=0) == pytest.approx(means, rel=0.08)
    deviation = (found[:, 1] - 2 * mean) / np.sqrt(2 * mean)
    assert np.mean(deviation**3) == pytest.approx(1 / np.sqrt(2 * mean), rel=0.25, abs=0.06)
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.03
    assert not found[:, 2].any()


def test_what_is_half_an_hour_old_counts_half() -> None:
    """Half is left after half an hour without requests, and what comes evenly stays below what came."""
    assert known_after(1000.0, 0.0, 1800.0) == pytest.approx(500.0)
    assert known_after(0.0, 600.0, 1.0) == pytest.approx(600.0, rel=1e-3)
    assert 300.0 < known_after(0.0, 600.0, 1800.0) < 600.0


def courses(plan: Plan, per_second: float, ratio: float) -> Courses:
    guard = next(one for one in plan.guards if one.kpi == "errors")
    stage = next(one for one in plan.stages if 0 < one.exposure.share < 1)
    one = Watched(guard, 0.01, 1.0)
    scene = Scene((stage,), (one,), Flow((per_second,)), 10.0, 3600.0, 0.01, 0.05)
    arrival = Arrival({}, np.arange(100), 100, 0.0, 0, 0.0, 0.0)
    return Courses(
        np.random.default_rng(1),
        scene,
        stage,
        one,
        arrival,
        ratio=ratio,
        others=np.zeros(len(arrival.numbers)),
    )


def test_only_ticks_at_which_it_may_leave_count_as_looks(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A step that ends with the bake has one such tick, however long it is; a later one has all its own."""
    found = courses(plan_of(release_of(), "canary"), 200.0, 1.0)
    found.take(0.0, 100.0)
    assert found.free_ticks(np.array([100.0, 0.0, 50.0, 500.0])).tolist() == [1.0, 10.0, 6.0, 1.0]
    usual = found.is_suspicious(np.ones(100)).mean()
    assert found.is_suspicious(np.full(100, 10.0)).mean() <= usual


def test_where_nothing_can_be_found_few_steps_are_taken(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """They end with the bake and with the patience all the same."""
    plan = plan_of(release_of(), "canary")
    few, many = courses(plan, 0.02, 1.5), courses(plan, 20.0, 1.5)
    ends = list(few.steps())
    assert len(ends) < 25 < len(list(many.steps()))
    assert few.stage.bake_seconds in ends
    assert ends[-1] == pytest.approx(few.stage.patience_seconds, abs=10.0)
