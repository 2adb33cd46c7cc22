"""The numbers that the engine works with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.model import MethodName, Release
from rollway.planning import Plan

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


def test_wishes_set_the_pace_and_the_error(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """How often to look and how often to be wrong are the people's to say."""
    policy = plan_of(release_of(rollout={"check_every": "1s", "false_rollback": 0.001}), "canary").policy
    assert (policy.tick_seconds, policy.alpha) == (1.0, 0.001)


@pytest.mark.parametrize(("method", "tick"), [("canary", 10.0), ("blue_green", 10.0), ("pilot", 60.0)])
def test_machines_look_more_often_than_people(
    release_of: MakeRelease, plan_of: MakePlan, method: MethodName, tick: float
) -> None:
    """Ten seconds where machines decide, a minute where people do."""
    assert plan_of(release_of(), method).policy.tick_seconds == tick


@pytest.mark.parametrize(
    ("rps", "seconds"), [(200, 60.0), (0.5, 120.0), (0.00001, 86400.0), ("unknown", 120.0)]
)
def test_blindness_is_judged_by_the_traffic(
    release_of: MakeRelease, plan_of: MakePlan, rps: float | str, seconds: float
) -> None:
    """Six ticks at least, long enough that silence is no chance, and at most a day."""
    assert (
        plan_of(release_of(architecture={"requests_per_second": rps}), "canary").policy.blind_seconds
        == seconds
    )


def test_an_outage_of_the_metrics_sends_no_site_back(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A canary goes back when it is blind for too long; people who moved stay where they are."""
    assert plan_of(release_of(), "canary").policy.on_blind == "rollback"
    assert plan_of(release_of(), "phased").policy.on_blind == "hold"
    assert plan_of(release_of(), "canary", "phased").policy.on_blind == "hold"
