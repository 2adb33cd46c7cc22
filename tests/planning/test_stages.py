"""Joining methods into one rising sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollway.facts.model import Release
from rollway.planning import Plan

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
SITES: dict[str, Any] = {
    "users": 1000,
    "groups": [
        {"name": "Oslo", "users": 100, "representative": True},
        {"name": "Köln", "users": 400},
        {"name": "Rom", "users": 500},
    ],
}


def shape(plan: Plan) -> list[tuple[str, float]]:
    return [(stage.id, stage.exposure.share) for stage in plan.stages]


def test_a_pilot_before_waves_is_not_repeated_as_a_wave(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The old version is looked at once, and the pilot's group does not come again."""
    plan = plan_of(release_of(stakeholders=SITES), "pilot", "phased")
    assert shape(plan) == [("baseline", 0.0), ("pilot", 0.1), ("koln", 0.5), ("rom", 1.0)]


def test_a_canary_inside_blue_green_keeps_the_old_one_warm_at_the_end(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Blue-green opens and closes; the canary makes the switch."""
    plan = plan_of(release_of(rollout={"shares": [0.1]}), "blue_green", "canary")
    assert [stage.id for stage in plan.stages] == [
        "warm-up",
        "baseline",
        "10-percent",
        "hold-back",
        "100-percent",
        "keep-warm",
    ]


def test_a_hold_back_whose_earlier_shares_are_left_out_asks_for_the_proof(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A pilot with most of the users leaves the canary nothing but its hold-back to show anything in."""
    users = {"users": 1000, "groups": [{"name": "Rom", "users": 600, "representative": True}]}
    thin = {"requests_per_second": 2}
    plan = plan_of(release_of(stakeholders=users, architecture=thin), "pilot", "canary")
    assert shape(plan) == [("baseline", 0.0), ("pilot", 0.6), ("hold-back", 0.95), ("100-percent", 1.0)]
    held = plan.stages[2]
    assert held.margins == {"errors": 1.5, "latency": 1.5}
    assert held.patience_seconds > 4 * held.bake_seconds, "the proof is waited for"


def test_a_canary_hands_over_where_the_waves_begin(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The canary's larger shares give way to the groups."""
    plan = plan_of(release_of(stakeholders=SITES), "canary", "phased")
    assert shape(plan) == [
        ("baseline", 0.0),
        ("1-percent", 0.01),
        ("10-percent", 0.1),
        ("koln", 0.5),
        ("rom", 1.0),
    ]


def test_a_pilot_before_a_parallel_run_runs_both_versions_too(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Nobody depends on the new version alone before the results were compared."""
    plan = plan_of(release_of(stakeholders=SITES), "pilot", "parallel")
    assert shape(plan) == [
        ("baseline", 0.0),
        ("pilot", 0.0),
        ("parallel-run", 0.0),
        ("cutover", 1.0),
        ("old-kept", 1.0),
    ]
    pilot = plan.stages[1]
    assert (pilot.exposure.mode, pilot.advance, pilot.margins) == ("dual", "person", {})


def test_those_who_have_it_keep_it_while_the_next_method_is_prepared(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A go-or-no-go after a pilot does not take the pilot's users back."""
    plan = plan_of(release_of(stakeholders=SITES), "pilot", "big_bang")
    decision = plan.stages[2]
    assert (decision.id, decision.exposure.share, decision.exposure.mode) == ("go-no-go", 0.1, "live")
