"""Whether a canary can see a fault in time."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.choice.volume import EnoughTraffic, canary_share, sees_faults, sight
from rollway.choice.worlds import Worlds
from rollway.facts.model import Release
from rollway.judge.arithmetic import requests_to_detect
from support.releases import release_with


def _kpi(**more: Any) -> dict[str, Any]:
    return {"name": "errors", "kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}, **more}


def _release(per_second: float, *kpis: dict[str, Any], **rollout: Any) -> Release:
    return release_with(
        {"architecture.requests_per_second": per_second}, kpis=list(kpis or (_kpi(),)), rollout=rollout
    )


def test_hours_are_the_judges_requests_over_the_canarys_traffic() -> None:
    """At 40 requests a second and a tenth of them, the wait is what the judge needs over 14,400 an hour."""
    release = _release(40, _kpi(tolerance=1.5))
    seen = sight(release, release.kpis[0])
    needed = requests_to_detect(base_rate=0.01, ratio=3.0, share=0.1, alpha=0.01, tolerance=1.5)
    assert seen is not None
    assert (seen.requests, seen.hours) == pytest.approx((needed, needed / 14_400))


def test_a_busy_service_sees_a_fault_and_a_sleepy_tool_does_not() -> None:
    """Forty requests a second show it soon; some hundred a day do not show it in three days."""
    assert sees_faults(_release(40)).holds is True
    sleepy = sees_faults(_release(0.005))
    assert sleepy.holds is False
    assert "days at a share of 10%" in sleepy.evidence
    assert "requests per second: 0.005 (facts.yaml:architecture.requests_per_second)" in sleepy.evidence


def test_no_traffic_at_all_never_shows_a_fault() -> None:
    """Zero requests are a known fact, and no division by zero."""
    answer = sees_faults(_release(0))
    assert answer.holds is False
    assert "never" in answer.evidence


@pytest.mark.parametrize(
    "kpi",
    [_kpi(expected=None), _kpi(expected=0), _kpi(kind="latency"), _kpi(say="watch")],
    ids=["no usual rate", "a usual rate of zero", "only latency", "only watched"],
)
def test_without_a_usual_rate_of_a_gate_nothing_can_be_computed(kpi: dict[str, Any]) -> None:
    """Then it is unknown, and the KPIs are asked for."""
    answer = sees_faults(_release(40, kpi))
    assert (answer.holds, answer.facts) == (None, ("kpis",))


def test_a_gate_of_another_part_of_the_rollout_sees_nothing_in_a_canary() -> None:
    """What is compared in a parallel run only says nothing of a canary's traffic."""
    assert sees_faults(_release(40, _kpi(during=["parallel"]))).holds is None
    assert sees_faults(_release(40, _kpi(during=["canary", "everyone"]))).holds is True


def test_one_gate_that_sees_is_enough() -> None:
    """A rare error is out of reach, a frequent one is not."""
    rare, frequent = _kpi(name="rare", expected=1e-7), _kpi(name="frequent", expected=0.05)
    answer = sees_faults(_release(1, rare, frequent))
    assert answer.holds is True
    assert "frequent" in answer.evidence
    assert sees_faults(_release(1, rare)).holds is False


def test_a_gate_among_many_needs_more_requests() -> None:
    """It holds only its part, by weight, of the chance of a false rollback; what is watched holds none."""
    alone = _release(40, _kpi())
    watched = _release(40, _kpi(), _kpi(name="noise", say="watch"))
    shared = _release(40, _kpi(), _kpi(name="refusals", weight=3))
    needs = [sight(release, release.kpis[0]).requests for release in (alone, watched, shared)]
    assert needs[0] == needs[1] < needs[2]


def test_weights_of_any_size_can_be_compared() -> None:
    """A gate that weighs next to nothing beside another still gets a finite answer."""
    for say in ("gate", "watch"):
        release = _release(40, _kpi(weight=1e-300), _kpi(name="refusals", weight=1e300, say=say))
        seen = sight(release, release.kpis[0])
        assert seen is not None
        assert 0 < seen.hours < 24


def test_the_canarys_share_is_the_wish_as_long_as_it_is_a_canary() -> None:
    """Half of all users is no canary, so a wish for 5, 50 and 100 percent means 5."""
    assert canary_share(_release(40, shares=[0.05, 0.5, 1.0])) == 0.05
    assert canary_share(_release(40, shares=[0.5, 1.0])) == 0.1
    assert canary_share(_release(40)) == 0.1


def test_assumed_traffic_leaves_the_question_open() -> None:
    """Enough traffic that is only assumed is no evidence."""
    facts = {"architecture.requests_per_second": {"assume": 40, "because": "like version 1"}}
    assert sees_faults(release_with(facts, kpis=[_kpi()])).holds is None


def _by_hour(*figures: float, **facts: Any) -> Release:
    return release_with(facts, kpis=[_kpi()], architecture={"requests_by_hour": list(figures)})


def test_figures_by_hour_tell_the_traffic_as_they_do_to_the_planner() -> None:
    """Without a number per second they count as they are; with one they are scaled to it."""
    alone, even = _by_hour(*[20.0] * 12, *[60.0] * 12), _release(40)
    seen = [sight(release, release.kpis[0]) for release in (alone, even)]
    assert seen[0] == seen[1]
    answer = sees_faults(alone)
    assert answer.holds is True
    assert "40 per second on average (architecture.requests_by_hour)" in answer.evidence
    scaled = _by_hour(*[20.0] * 12, *[60.0] * 12, **{"architecture.requests_per_second": 0.005})
    assert sees_faults(scaled).holds is False
    assert sees_faults(_by_hour(*[0.005] * 24)).holds is False


@pytest.mark.parametrize(("figure", "expected"), [(40.0, True), (0.005, False)])
def test_worlds_with_figures_by_hour_answer_as_the_release_does(figure: float, expected: bool) -> None:
    """What the closer look says of one release, the columns say of it too."""
    holds, fails = EnoughTraffic().over(Worlds(_by_hour(*[figure] * 24), 1, {}), strict=True)
    assert (bool(holds), bool(fails)) == (expected, not expected)
