"""Shares from arithmetic: what a fault would cost before it is caught."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.facts.model import Release
from rollway.judge import requests_to_detect
from rollway.planning import Plan
from rollway.planning.ladder import GRID, LARGEST_GROWTH, dearest, margin_before, shares

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
ERRORS = {"name": "errors", "kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}}
TICK = 10.0


def budget(amount: float, per_second: float = 200.0, rate: float = 0.01) -> Release:
    return Release.model_validate(
        {
            "release": {"name": "r", "version": "1"},
            "architecture": {"requests_per_second": per_second},
            "done": {"tests": {"rollback_duration": "20s"}},
            "kpis": [{**ERRORS, "expected": rate}],
            "rollout": {"harm_budget": amount},
        }
    )


def test_the_cost_is_that_of_the_formula() -> None:
    """Evidence, and what is served until the next look and during the rollback, times what is worse."""
    release = budget(100)
    cost = dearest(release, 0.05, TICK)
    assert cost is not None
    assert (cost.kpi, cost.ratio) == ("errors", 100.0)
    needed = requests_to_detect(base_rate=0.01, ratio=100, share=0.05, alpha=0.01, tolerance=1.1)
    assert cost.events == pytest.approx(0.99 * (needed + 0.05 * 200 * 30))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([15.0, 40.0, 200.0, 5000.0]),
    st.sampled_from([2.0, 50.0, 1000.0]),
    st.sampled_from([0.0005, 0.01, 0.2]),
)
def test_no_share_costs_more_than_the_budget_where_that_can_be(
    amount: float, per_second: float, rate: float
) -> None:
    """Shares rise to one half, never more than tenfold. The first keeps the budget for any fault, each later
    one for what was not excluded before it, unless no share on the grid could."""
    release = budget(amount, per_second, rate)
    found = shares(release, TICK)
    assert list(found) == sorted(set(found))
    assert found[-1] == 0.5
    assert all(after <= LARGEST_GROWTH * before * (1 + 1e-9) for before, after in pairwise(found))
    for before, share in pairwise((0.0, *found)):
        steps = [each for each in GRID if before < each <= share]
        costs = [
            dearest(release, each, TICK, most=margin_before(release, each) if before else inf)
            for each in steps
        ]
        events = [cost.events for cost in costs if cost is not None]
        assert events[-1] <= max(amount, 1.11 * min(events))


def test_a_smaller_budget_begins_smaller(release_of: MakeRelease) -> None:
    """Who may harm fewer exposes fewer first."""
    firsts = [shares(budget(amount, 1000.0), TICK)[0] for amount in (3000, 300, 60)]
    assert firsts == sorted(firsts, reverse=True)
    assert firsts[0] > firsts[-1]


def test_a_plan_says_whether_the_budget_is_kept(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Within it, or the least that can be had and what would help."""
    kept = plan_of(release_of(rollout={"harm_budget": 100}), "canary").notes
    assert any("Within the harm budget of 100" in note for note in kept)
    broken = plan_of(release_of(rollout={"harm_budget": 5}), "canary").notes
    assert any("The harm budget of 5 cannot be kept" in note for note in broken)


def test_stages_bake_until_incidents_have_shown(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Half of the past ones in each stage, nine in ten in the hold-back; a wish is stronger."""
    past = {"incidents_showed_after": ["5m", "1h", "2h", "6h", "1d"]}
    plan = plan_of(release_of(architecture=past), "canary")
    bakes = {stage.id: stage.bake_seconds for stage in plan.stages}
    assert (bakes["1-percent"], bakes["hold-back"]) == (2 * 3600, 24 * 3600)
    assert any("within 2 hours in half of the cases" in note for note in plan.notes)
    wished = plan_of(release_of(architecture=past, rollout={"bake": "10m"}), "canary")
    assert wished.stages[1].bake_seconds == 600


def test_a_figure_that_needs_its_cycle_is_waited_for(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A gate's cycle in every stage, a brake's in the hold-back; what is only watched waits for nobody."""

    def bakes(say: str) -> dict[str, float]:
        kpis = [ERRORS, {**ERRORS, "name": "orders", "say": say, "cycle": "1d"}]
        return {stage.id: stage.bake_seconds for stage in plan_of(release_of(kpis=kpis), "canary").stages}

    gate, brake, watch = bakes("gate"), bakes("brake"), bakes("watch")
    assert (gate["1-percent"], gate["hold-back"]) == (86400, 86400)
    assert (brake["1-percent"], brake["hold-back"]) == (1200, 86400)
    assert (watch["1-percent"], watch["hold-back"]) == (1200, 3600)


def test_the_last_look_before_most_users_is_long_enough_for_the_effect(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A smaller fault worth catching makes the stage before the widest steps longer, and only that one."""
    thin = {"requests_per_second": 20}
    usual = plan_of(release_of(architecture=thin), "canary")
    small = plan_of(release_of(architecture=thin, rollout={"effect": 1.3}), "canary")
    for stage in usual.stages:
        other = small.stages[small.stage_index(stage.id)]
        assert (other.bake_seconds > stage.bake_seconds) == (stage.id == "50-percent")
