"""What the traffic can show, by the judge's own arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.model import Release
from rollway.judge import requests_to_clear, requests_to_detect
from rollway.planning import Plan
from rollway.planning.evidence import clear_seconds, margins_before

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


def test_a_promise_is_what_the_judge_says_it_needs(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A doubled error rate at 10 percent: the judge's requests, at half of the weight's alpha."""
    plan = plan_of(release_of(), "canary")
    promise = next(p for p in plan.promises if (p.stage, p.kpi, p.ratio) == ("10-percent", "errors", 2.0))
    requests = requests_to_detect(base_rate=0.01, ratio=2.0, share=0.1, alpha=0.005, tolerance=1.1)
    assert promise.requests == pytest.approx(requests, abs=1)
    assert promise.seconds == pytest.approx(requests / 20, abs=0.1)


def test_larger_faults_are_seen_sooner(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """In every stage and for every KPI, ten times as bad needs fewer requests than twice."""
    promises = plan_of(release_of(), "canary").promises
    by_size = {ratio: [p.requests for p in promises if p.ratio == ratio] for ratio in (2.0, 5.0, 10.0)}
    assert by_size[2.0]
    assert all(a > b > c for a, b, c in zip(by_size[2.0], by_size[5.0], by_size[10.0], strict=True))


def test_nothing_is_promised_that_cannot_be_computed(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """No usual rate, no promise; no traffic, no time; faults within the tolerance are no faults."""
    kpis = [
        {"name": "unknown", "kind": "rate", "signal": {"type": "x"}},
        {"name": "lenient", "kind": "rate", "expected": 0.01, "tolerance": 6, "signal": {"type": "x"}},
        {"name": "frequent", "kind": "rate", "expected": 0.3, "signal": {"type": "x"}},
    ]
    plan = plan_of(release_of(kpis=kpis, architecture={"requests_per_second": "unknown"}), "canary")
    promised = {(p.kpi, p.ratio) for p in plan.promises}
    assert promised == {("lenient", 10.0), ("frequent", 1.5), ("frequent", 2.0)}
    assert {p.seconds for p in plan.promises} == {None}


def test_a_brake_is_promised_in_events_but_not_in_time(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """How many users answer a question is not known from the requests they make."""
    kpis = [{"name": "feedback", "kind": "rate", "say": "brake", "expected": 0.1, "signal": {"type": "x"}}]
    plan = plan_of(release_of(kpis=kpis, stakeholders={"users": 100}), "pilot")
    assert plan.promises
    assert {p.seconds for p in plan.promises} == {None}


def test_clearing_takes_as_long_as_the_requests_take_to_come(release_of: MakeRelease) -> None:
    """Seconds are requests over arrivals at the share; nothing can be told at nobody or everyone."""
    release = release_of()
    errors = release.kpis[0]
    requests = requests_to_clear(base_rate=0.01, margin=2.0, share=0.1, alpha_promote=0.05)
    assert clear_seconds(release, errors, 2.0, 0.1) == pytest.approx(requests / 20)
    assert clear_seconds(release, errors, 2.0, 0.0) is None
    assert clear_seconds(release, errors, 2.0, 1.0) is None


def test_brakes_have_no_margin(release_of: MakeRelease) -> None:
    """Only gates have to be shown safe before going on."""
    kpis = [{"name": "slow", "kind": "latency", "say": "brake", "signal": {"type": "x"}}]
    assert margins_before(release_of(kpis=kpis), 0.5) == {}
