"""The numbers that the engine works with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rollway.approvals import Approval, approval_state
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


def test_guards_say_what_the_facts_say(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """What a KPI is compared with and what is done about it reach the plan."""
    kpi = {
        "name": "tickets",
        "kind": "rate",
        "aspect": "human",
        "baseline": "absolute",
        "limit": 0.03,
        "say": "brake",
        "on_harm": "hold",
        "on_undecided": "tell",
        "on_blind": "ask",
        "signal": {"type": "scrape"},
    }
    guard = plan_of(release_of(kpis=[kpi]), "pilot").guards[0]
    assert {key: getattr(guard, key) for key in kpi if key not in ("name", "signal")} == {
        key: value for key, value in kpi.items() if key not in ("name", "signal")
    }


@pytest.mark.parametrize(
    "change", [{"on_harm": "hold"}, {"on_blind": "ask"}, {"on_undecided": "tell"}, {"aspect": "human"}]
)
def test_a_guard_that_is_changed_needs_a_new_approval(
    release_of: MakeRelease, plan_of: MakePlan, change: dict[str, str]
) -> None:
    """A yes is to one plan's hash: what is done about harm cannot be changed behind it."""
    plan = plan_of(release_of(), "canary")
    guards = (plan.guards[0].model_copy(update=change), *plan.guards[1:])
    other = plan.model_copy(update={"guards": guards})
    given = {plan.hash: (Approval("ines", "yes", datetime(2026, 1, 5, tzinfo=UTC)),)}
    assert approval_state(plan, given.get(plan.hash, ())).is_approved
    assert not approval_state(other, given.get(other.hash, ())).is_approved


def test_the_quietest_hour_is_no_blindness(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Silence is judged by the hour with the fewest requests, not by the average day."""
    hours = [0.01] * 6 + [300.0] * 18
    busy = plan_of(release_of(), "canary").policy.blind_seconds
    night = plan_of(
        release_of(architecture={"requests_by_hour": hours, "requests_per_second": "unknown"}), "canary"
    )
    assert night.policy.blind_seconds > 10 * busy
