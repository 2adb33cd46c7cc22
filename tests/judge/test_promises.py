"""The judge's promises, by simulation: false rollbacks, found faults, healthy releases."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rollway.judge import GuardRule, Rules, begin, replay, update, verdict
from rollway.judge import comparison as comparisons
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

RUNS = 1000
TICKS = 30
STAGES = (("one", 0.01), ("ten", 0.1), ("half", 0.5))
PLANNED = 10.0 * TICKS * len(STAGES)
RULES = Rules(
    guards=(GuardRule("errors", "rate"), GuardRule("logins", "rate"), GuardRule("latency", "latency")),
    margins={
        "one": {"errors": 3.0, "logins": 3.0, "latency": 3.0},
        "ten": {"errors": 1.6, "logins": 1.6, "latency": 1.6},
    },
    planned_seconds=1200,
)


def ramp(rng: np.random.Generator, *, ratio: float, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Evidence of harm at every look of a ramp, shape (looks, RUNS), and the most of safety at half: logs.

    The base rate of 1% triples and falls again during the ramp and shakes by 40% from tick to tick.
    """
    compared = comparisons.start(RUNS)
    harm, safe = [], np.zeros(RUNS)
    for tick in range(TICKS * len(STAGES)):
        stage, share = STAGES[tick // TICKS]
        drift = 1 + 2 * math.sin(math.pi * tick / (TICKS * len(STAGES)))
        rate = np.minimum(0.01 * drift * np.exp(rng.normal(0, 0.4, RUNS)), 0.3)
        new, old = rng.poisson(2000 * share, RUNS), rng.poisson(2000 * (1 - share), RUNS)
        counts = new, rng.binomial(new, rate * ratio), old, rng.binomial(old, rate)
        arms = Arms(*(count.astype(np.float64) for count in counts))
        interval = Interval(stage, 10.0 * tick, 10.0, PLANNED)
        compared = comparisons.compare(compared, arms, interval, tolerance=tolerance, margin=1.5)
        harm.append(comparisons.harm_of(compared, PLANNED))
        safe = np.maximum(safe, comparisons.safe_of(compared, "half"))
    return np.stack(harm), safe


def tolerated(alpha: float) -> float:
    """A frequency of alpha, and three standard errors for the luck of RUNS simulations."""
    return alpha + 3 * math.sqrt(alpha * (1 - alpha) / RUNS)


@pytest.mark.parametrize("tolerance", [1.0, 1.1])
def test_a_version_that_is_just_tolerable_is_seldom_rolled_back(tolerance: float) -> None:
    """Over a whole ramp with 90 looks at a drifting baseline false rollbacks stay within alpha."""
    harm, _ = ramp(np.random.default_rng(29), ratio=tolerance, tolerance=tolerance)
    for alpha in (0.05, 0.01):
        assert np.mean(harm.max(axis=0) >= math.log(1 / alpha)) <= tolerated(alpha)


def test_a_version_at_its_margin_is_seldom_passed() -> None:
    """At 1.5 times the old rate a margin of 1.5 is excluded, wrongly, in at most 5% of the runs."""
    _, safe = ramp(np.random.default_rng(31), ratio=1.5, tolerance=10.0)
    assert np.mean(safe >= math.log(20)) <= tolerated(0.05)


def test_many_guards_share_one_promise() -> None:
    """The average over three KPIs rolls back no more often than alpha allows for all of them together."""
    rng = np.random.default_rng(37)
    logs = np.stack([ramp(rng, ratio=1.0, tolerance=1.0)[0] for _ in range(3)])
    average = np.logaddexp.reduce(logs - math.log(3), axis=0)
    assert np.mean(average.max(axis=0) >= math.log(20)) <= tolerated(0.05)


def test_faults_are_found_early() -> None:
    """A rate that doubles is found in 99 of 100 ramps at alpha 0.01, one that is five times in all."""
    twice, _ = ramp(np.random.default_rng(41), ratio=2.0, tolerance=1.1)
    five, _ = ramp(np.random.default_rng(43), ratio=5.0, tolerance=1.1)
    assert np.mean(twice.max(axis=0) >= math.log(100)) >= 0.99
    assert np.mean(five.max(axis=0) >= math.log(100)) == 1.0


@pytest.mark.parametrize(("times", "most"), [(5.0, 700), (2.0, 8000)])
def test_the_whole_judge_stops_a_fault_among_three_guards(service: Any, times: float, most: int) -> None:
    """From readings to verdict: errors that are 2 or 5 times as frequent are stopped, and named."""
    service.errors_times = times
    readings = [r for tick in service.ticks(10, "zero", 0.0) for r in tick]
    readings += [r for tick in service.ticks(120, "ten", 0.1) for r in tick]
    said = next(v for v in replay(RULES, readings) if v.kind == "harmful")
    assert said.drivers == ("errors",)
    assert said.guards[0].candidate_trials < most


def test_a_healthy_release_with_three_guards_goes_through(service: Any) -> None:
    """Of 6 healthy releases, all pass both stages within an hour at 100 requests per second."""
    for _ in range(6):
        state = begin(RULES)
        for readings in service.ticks(10, "zero", 0.0):
            state = update(RULES, state, readings)
        for stage, share, most in (("one", 0.01, 240), ("ten", 0.1, 120)):
            for readings in service.ticks(most, stage, share):
                state = update(RULES, state, readings)
                said = verdict(RULES, state, now=service.at, stage=stage, share=share)
                if said.kind != "undecided":
                    break
            assert said.kind == "healthy", said.reason


def test_a_strict_alpha_asks_for_more_evidence(service: Any) -> None:
    """The same readings that stop a release at alpha 0.05 need not stop it at 0.0001."""
    service.errors_times = 3.0
    readings = [r for tick in service.ticks(8, "ten", 0.1) for r in tick]
    said = [replay(replace(RULES, alpha=alpha), readings) for alpha in (0.05, 0.0001)]
    first = [next((v.at for v in course if v.kind == "harmful"), math.inf) for course in said]
    assert first[0] < first[1]
