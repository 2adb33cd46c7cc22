"""The absolute stop."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from rollway.judge import Counts, GuardRule, Histogram, Reading, Rules, begin, replay, update, verdict
from rollway.judge import limit as limits
from rollway.judge.onset import Interval

BOUNDS = (0.1, 0.5, 1.0)
RATE = Rules(guards=(GuardRule("errors", "rate", limit=0.05),))
LATENCY = Rules(guards=(GuardRule("latency", "latency", limit=0.05, limit_seconds=0.5),))


def alone(kpi: str, number: int, sample: Any, share: float = 1.0) -> list[Reading]:
    """The new version without the old one."""
    return [Reading(kpi, 10.0 * n, 10.0 * n + 10, "full", share, sample) for n in range(number)]


def test_a_limit_stops_when_there_is_nothing_to_compare_with() -> None:
    """At share 1 a rate above the limit is harmful, and the sentence names the limit."""
    said = replay(RATE, alone("errors", 20, Counts(100, 12)))[-1]
    assert said.kind == "harmful"
    assert said.reason.startswith("errors: the new version's rate is 12.0% (")
    assert "above the limit of 5.0%" in said.reason


def test_a_limit_stops_slow_requests_too() -> None:
    """The share of requests slower than limit_seconds is held against the limit."""
    said = replay(LATENCY, alone("latency", 20, Histogram(BOUNDS, (50, 38, 8, 4))))[-1]
    assert said.kind == "harmful"
    assert "slower than 0.5 s is 12.0%" in said.reason


def test_a_late_fault_is_found_and_told_with_its_own_numbers() -> None:
    """After an hour at 1% a rate of 12% is found within minutes, and not told as a rate of 2%."""
    calm, worse = Counts(100, 1), Counts(100, 12)
    readings = [
        Reading("errors", 10.0 * n, 10.0 * n + 10, "full", 1.0, calm if n < 360 else worse)
        for n in range(380)
    ]
    said = [v for v in replay(RATE, readings) if v.kind == "harmful"]
    assert said[0].at < 3600 + 180
    assert "12.0%" in said[0].reason


def test_a_limit_is_an_exactly_fair_bet() -> None:
    """Over every outcome of two intervals, in two stages, a rate at the limit gains nothing on average."""
    limit, trials, expected = 0.3, 4, 0.0
    chance = [math.comb(trials, k) * limit**k * (1 - limit) ** (trials - k) for k in range(trials + 1)]
    for first, second in product(range(trials + 1), repeat=2):
        test = limits.start()
        for bad, stage in ((first, "half"), (second, "full")):
            test = limits.add(test, trials, bad, Interval(stage, 0.0, 30.0, 100.0), limit=limit)
        expected += chance[first] * chance[second] * math.exp(limits.log_e(test, 100.0))
    assert expected == pytest.approx(1.0, abs=1e-12)


def test_a_limit_that_is_kept_stops_nobody() -> None:
    """Of 200 versions that sit exactly at the limit for 50 looks, at most 5% are stopped at alpha 0.05."""
    rng, runs, interval = np.random.default_rng(23), 200, Interval("full", 0.0, 10.0, 1000.0)
    stopped = 0
    for _ in range(runs):
        test, most = limits.start(), 0.0
        for bad in rng.binomial(100, 0.05, 50):
            test = limits.add(test, 100.0, float(bad), interval, limit=0.05)
            most = max(most, limits.log_e(test, 1000.0))
        stopped += most >= math.log(20)
    assert stopped / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_a_limit_is_no_excuse_for_testers() -> None:
    """At share 0 whoever tries the new version is no evidence."""
    assert replay(RATE, alone("errors", 20, Counts(100, 50), share=0.0))[-1].harm_log_e == pytest.approx(0.0)


@pytest.mark.parametrize(("seconds", "slow"), [(0.5, 12), (0.3, 12), (0.6, 4), (20.0, None)])
def test_a_limit_between_two_bounds_takes_the_higher_one(seconds: float, slow: int | None) -> None:
    """A fast request is never counted as slow; beyond the last bound nothing can be counted."""
    rules = Rules(guards=(GuardRule("latency", "latency", limit=0.06, limit_seconds=seconds),))
    readings = alone("latency", 30, Histogram(BOUNDS, (50, 38, 8, 4)))
    said = replay(rules, readings)[-1]
    assert (said.kind == "harmful") is (slow == 12)


def test_the_limit_joins_the_comparison_within_one_guard() -> None:
    """A guard with a limit spends no more of alpha than one without: both share its evidence."""
    both = [Reading("errors", 0, 10, "one", 0.5, Counts(100, 4), Counts(100, 4))]
    state = update(RATE, begin(RATE), both)
    said = verdict(RATE, state, now=10, stage="one", share=0.5)
    assert said.harm_log_e < 0
