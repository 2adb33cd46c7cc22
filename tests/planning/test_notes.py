"""What the plan tells its reader without being asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollway.facts.model import Release
from rollway.planning import Plan

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
WINDOW = {"opens": "20:00", "closes": "06:00"}

ERRORS = {"name": "errors", "kind": "rate", "expected": 0.01, "limit": 0.2, "signal": {"type": "scrape"}}
SLOW = {"name": "slow", "kind": "latency", "signal": {"type": "scrape"}}


def test_a_plan_with_everything_stated_has_nothing_to_note(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Notes are for what is missing, not for decoration."""
    kpis = [ERRORS, {**SLOW, "buckets": [0.1, 0.2, 0.4, 0.8]}]
    assert plan_of(release_of(agreements={"windows": [WINDOW]}, kpis=kpis), "canary").notes == ()


DAILY = {"name": "orders", "kind": "rate", "expected": 0.1, "cycle": "1d", "signal": {"type": "scrape"}}


@pytest.mark.parametrize(
    ("rps", "told"),
    [
        (0.3, "At 25% it takes about"),
        (0.05, "No share shows that within a day; what half of the users can show"),
        (0.001, "No share and no margin shows it within a day"),
    ],
)
def test_thin_traffic_is_told_with_what_it_can_carry(
    release_of: MakeRelease, plan_of: MakePlan, rps: float, told: str
) -> None:
    """A larger share, else a wider margin, else another method."""
    wishes = {"shares": [0.01], "hold_back": 0}
    notes = plan_of(release_of(architecture={"requests_per_second": rps}, rollout=wishes), "canary").notes
    assert any("The traffic is thin" in note and told in note for note in notes), notes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"architecture": {"requests_per_second": "unknown"}}, "requests per second is not known"),
        ({"kpis": []}, "No KPI is a gate"),
        ({"target": None}, "No target is named"),
        ({"done": {"tests": {"rollback_tested": "unknown"}}}, "rollback is not shown to be tested"),
        ({"agreements": {"operators": []}}, "No operators are named"),
        ({}, "No change windows are agreed"),
        ({"rollout": {"hold_back": 0}}, "No hold-back"),
        (
            {"architecture": {"requests_by_hour": [1] * 24}},
            "promises are for an entry at 00:00 UTC",
        ),
        ({"architecture": {"requests_by_hour": [2] * 24 + [1] * 144}}, "for an entry at Tue 00:00 UTC"),
        ({"rollout": {"bake": "1h"}, "kpis": [DAILY]}, "shorter than the cycle of orders"),
        ({"kpis": [{**DAILY, "baseline": "history", "limit": 0.1}]}, "past weeks only is weak evidence"),
        ({"kpis": [{**DAILY, "kind": "mean", "bound": 5}]}, "depends on its spread: nothing is promised"),
        ({"rollout": {"shares": [1.0], "hold_back": 0}}, "one was added"),
        ({"rollout": {"patience": "1s", "bake": "1s"}}, "longer than its patience"),
        ({"rollout": {"false_rollback": 0.5}}, "One rollout in 2"),
        ({"rollout": {"check_every": "3h"}}, "less than once an hour"),
        ({"rollout": {"check_every": "3d"}}, "once a day, more often than wished"),
        ({"kpis": [SLOW]}, "The buckets of slow are not stated (kpis.buckets)"),
    ],
)
def test_each_gap_and_each_wish_with_a_price_is_named(
    release_of: MakeRelease, plan_of: MakePlan, changes: dict[str, Any], told: str
) -> None:
    """A reader learns it here, not when it hurts."""
    assert any(told in note for note in plan_of(release_of(**changes), "canary").notes)


def test_stated_buckets_are_planned_with_and_change_nothing_else(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A fault is found sooner with finer ones; what was not stated is not in the content."""
    fine = [round(0.05 * 1.1**n, 4) for n in range(40)]
    unsaid, said = (
        plan_of(release_of(kpis=[{**SLOW, **more}], architecture={"requests_per_second": 4}), "canary")
        for more in ({}, {"buckets": fine})
    )
    assert "buckets" not in unsaid.to_json()["guards"][0]
    assert said.to_json()["guards"][0]["buckets"] == fine
    assert not any("buckets" in note for note in said.notes)
    wide, narrow = (
        next(one.rollback_seconds for one in plan.plan_promises if one.ratio == 5) for plan in (unsaid, said)
    )
    assert wide is not None
    assert narrow is not None
    assert narrow < wide / 1.4


def test_a_hold_back_without_margins_is_never_too_thin(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """What asks for no proof has none to wait for, however small the traffic."""
    changes = {"architecture": {"requests_per_second": 0.05}, "rollout": {"shares": [0.5]}}
    notes = plan_of(release_of(**changes), "canary").notes
    assert any("at 50% it takes" in note for note in notes)
    assert not any("95%" in note or "Hold-back" in note for note in notes)


def test_a_share_of_named_groups_is_not_taken_for_a_random_share(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Rollway tells a target how much, not whom; the plan says who must see to it."""
    release = release_of(
        stakeholders={"users": 10, "groups": [{"name": "A", "users": 1, "representative": True}]}
    )
    assert any("target's own rule" in note for note in plan_of(release, "pilot").notes)


def test_the_point_of_no_return_is_noted(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The stage from which on there is no way back is named."""
    notes = plan_of(release_of(risks={"reversible": False}), "big_bang").notes
    assert any("'Switch everyone' on there is no way back" in note for note in notes)
