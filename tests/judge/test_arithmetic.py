"""Planning arithmetic: how many requests an answer takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge import requests_to_clear, requests_to_detect
from rollway.judge.arithmetic import information
from rollway.judge.onset import Interval, Onset, move, spent
from rollway.judge.processes import (
    EFFECTS,
    Arms,
    harm_log_e,
    harm_start,
    harm_step,
    ratio_increment,
    safe_log_e,
    safe_multipliers,
    safe_start,
)

RUNS = 300


def draw(rng: np.random.Generator, requests: float, share: float, base: float, ratio: float) -> Arms:
    new, old = rng.poisson(requests, RUNS), rng.poisson(requests * (1 - share) / share, RUNS)
    counts = new, rng.binomial(new, base * ratio), old, rng.binomial(old, base)
    return Arms(*(count.astype(float) for count in counts))


@pytest.mark.parametrize(
    ("base", "ratio", "share", "expected"),
    [(0.01, 2, 0.01, 786), (0.01, 2, 0.1, 887), (0.01, 2, 0.5, 1763), (0.001, 10, 0.1, 277)],
)
def test_the_limit_is_that_of_two_samples(base: float, ratio: float, share: float, expected: float) -> None:
    """The information of a request agrees with the published table of limits at alpha 0.05."""
    told = information(base_rate=base, truth=ratio, null=1.0, share=share)
    assert math.log(20) / told == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("base", "ratio", "share", "alpha"), [(0.01, 2, 0.1, 0.01), (0.05, 3, 0.01, 0.05), (0.01, 1.3, 0.5, 0.01)]
)
def test_detection_takes_what_is_promised(base: float, ratio: float, share: float, alpha: float) -> None:
    """The promised number of requests is within 15% of what simulated faults took on average."""
    promised = requests_to_detect(base_rate=base, ratio=ratio, share=share, alpha=alpha)
    rng, per_tick, planned = np.random.default_rng(17), promised / 100, 3600.0
    onset, wealth = Onset(), harm_start(RUNS)
    served, found = np.zeros(RUNS), np.full(RUNS, np.nan)
    for _ in range(800):
        arms = draw(rng, per_tick, share, base, ratio)
        onset, mass = move(onset, Interval("one", 0, planned / 800, planned))
        wealth = harm_step(wealth, ratio_increment(arms, 1.0, EFFECTS), mass)
        served += arms.candidate_trials
        enough = harm_log_e(wealth, 1 - spent(onset, planned)) >= math.log(1 / alpha)
        found = np.where(np.isnan(found) & enough, served, found)
    assert np.mean(found) == pytest.approx(promised, rel=0.15)


@pytest.mark.parametrize(("base", "margin", "share"), [(0.01, 3, 0.01), (0.02, 1.5, 0.1), (0.1, 1.2, 0.5)])
def test_clearing_takes_what_is_promised(base: float, margin: float, share: float) -> None:
    """The promised number of requests is within 15% of what equal versions took on average."""
    promised = requests_to_clear(base_rate=base, margin=margin, share=share, alpha_promote=0.05)
    rng, wealth = np.random.default_rng(19), safe_start(RUNS)
    served, found = np.zeros(RUNS), np.full(RUNS, np.nan)
    for _ in range(1000):
        arms = draw(rng, promised / 100, share, base, 1.0)
        wealth = wealth + ratio_increment(arms, margin, safe_multipliers(margin))
        served += arms.candidate_trials
        found = np.where(np.isnan(found) & (safe_log_e(wealth) >= math.log(20)), served, found)
    assert np.mean(found) == pytest.approx(promised, rel=0.15)


@given(base=st.floats(1e-6, 0.5), share=st.floats(0.001, 0.9), ratio=st.floats(1.05, 50))
def test_larger_faults_are_found_sooner(base: float, share: float, ratio: float) -> None:
    """A larger ratio, a larger alpha or a laxer margin never takes more requests."""
    need = requests_to_detect(base_rate=base, ratio=ratio, share=share, alpha=0.01)
    assert need >= requests_to_detect(base_rate=base, ratio=ratio * 1.5, share=share, alpha=0.01)
    assert need >= requests_to_detect(base_rate=base, ratio=ratio, share=share, alpha=0.05)
    clear = requests_to_clear(base_rate=base, margin=ratio, share=share, alpha_promote=0.05)
    assert clear >= requests_to_clear(base_rate=base, margin=ratio * 2, share=share, alpha_promote=0.05)


@given(
    base=st.floats(1e-12, 1.0),
    share=st.floats(1e-9, 1 - 1e-9),
    ratio=st.floats(1e-9, 1e15),
    alpha=st.floats(1e-300, 0.99),
)
def test_no_question_is_too_strange(base: float, share: float, ratio: float, alpha: float) -> None:
    """Whatever is asked, the answer is a number of requests above zero, or never."""
    assert requests_to_detect(base_rate=base, ratio=ratio, share=share, alpha=alpha) > 0
    assert requests_to_clear(base_rate=base, margin=ratio, share=share, alpha_promote=alpha) > 0


def test_a_fault_that_no_bet_gains_from_is_never_found() -> None:
    """A fault of a twentieth is less than half of the smallest bet, and bets on it lose: it takes forever."""
    assert requests_to_detect(base_rate=0.01, ratio=1.05, share=0.1, alpha=0.01) == math.inf
    assert requests_to_detect(base_rate=0.01, ratio=1.1, share=0.1, alpha=0.01) < math.inf


def test_what_can_never_be_answered_is_infinite() -> None:
    """No old version, no bad requests, or a fault within tolerance: no number of requests is enough."""
    assert requests_to_detect(base_rate=0.01, ratio=2, share=1.0, alpha=0.01) == math.inf
    assert requests_to_detect(base_rate=0.0, ratio=2, share=0.1, alpha=0.01) == math.inf
    assert requests_to_detect(base_rate=0.01, ratio=1.1, share=0.1, alpha=0.01, tolerance=1.1) == math.inf
    assert requests_to_clear(base_rate=0.01, margin=1.0, share=0.1, alpha_promote=0.05) == math.inf
