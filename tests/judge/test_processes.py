"""The e-processes keep their word exactly: expected wealth is at most 1 under the null."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval, Onset, move, spent
from rollway.judge.processes import (
    EFFECTS,
    Arms,
    are_comparable,
    harm_log_e,
    harm_start,
    harm_step,
    limit_increment,
    rates_above,
    ratio_increment,
    safe_log_e,
    safe_multipliers,
    safe_start,
    strata,
)

RATES = (0.0, 0.003, 0.05, 0.2, 0.5, 0.8, 1.0)
counts = st.integers(0, 10**12)


def binomial(trials: int, rate: float) -> FloatArray:
    return np.array([comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(trials + 1)])


def outcomes(trials: tuple[int, int]) -> Arms:
    """Every outcome of one interval as a row."""
    pairs = np.array(list(product(range(trials[0] + 1), range(trials[1] + 1))), dtype=float)
    full = np.ones(len(pairs))
    return Arms(full * trials[0], pairs[:, 0], full * trials[1], pairs[:, 1])


def chances(trials: tuple[int, int], candidate: float, baseline: float) -> FloatArray:
    """The probability of each row of `outcomes`."""
    return np.outer(binomial(trials[0], candidate), binomial(trials[1], baseline)).ravel()


def then(first: FloatArray, second: FloatArray) -> FloatArray:
    """Rows for each outcome of a first interval followed by each of a second."""
    return np.repeat(first, len(second), axis=0) + np.tile(second, (len(first), 1))


@pytest.mark.parametrize("tolerance", [0.7, 1.0, 1.1, 3.0])
@pytest.mark.parametrize("trials", [(1, 1), (1, 9), (6, 2), (5, 5)])
def test_harm_is_worth_at_most_one_while_within_tolerance(trials: tuple[int, int], tolerance: float) -> None:
    """Whatever the base rate and however good the new version, no bet on harm gains on average."""
    wealth = np.exp(ratio_increment(outcomes(trials), tolerance, EFFECTS))
    for base, fraction in product(RATES, (0.0, 0.5, 1.0)):
        candidate = min(1.0, base * tolerance) * fraction
        assert (chances(trials, candidate, base) @ wealth <= 1 + 1e-12).all()


@pytest.mark.parametrize("margin", [0.9, 1.0, 1.3, 3.0])
@pytest.mark.parametrize("trials", [(1, 1), (1, 9), (6, 2), (5, 5)])
def test_safety_is_worth_at_most_one_when_as_bad_as_the_margin(
    trials: tuple[int, int], margin: float
) -> None:
    """A new version at the margin or beyond it never earns evidence of safety on average."""
    wealth = np.exp(ratio_increment(outcomes(trials), margin, safe_multipliers(margin)))
    for base, excess in product(RATES, (1.0, 1.5, 10.0)):
        if base * margin <= 1:
            candidate = min(1.0, base * margin * excess)
            assert (chances(trials, candidate, base) @ wealth <= 1 + 1e-12).all()


@pytest.mark.parametrize("limit", [0.001, 0.2, 0.9])
def test_a_limit_is_worth_at_most_one_while_it_is_kept(limit: float) -> None:
    """No bet against a limit gains on average while the rate is at or below it."""
    wealth = np.stack([np.exp(limit_increment(7, bad, limit, rates_above(limit))) for bad in range(8)])
    for fraction in (0.0, 0.3, 1.0):
        assert (binomial(7, limit * fraction) @ wealth <= 1 + 1e-12).all()


def test_the_mixture_over_onsets_is_worth_at_most_one_over_two_stages() -> None:
    """With the base rate, the share and the stage changing in between, the whole mixture stays fair."""
    first, second = (2, 4), (4, 2)
    onset, mass = move(Onset(), Interval("one", 0, 10, 60))
    after, later = move(onset, Interval("ten", 10, 30, 60))
    increments = [ratio_increment(outcomes(trials), 1.0, EFFECTS) for trials in (first, second)]
    started = harm_step(harm_start(len(increments[0])), increments[0], mass)
    rows = np.repeat(started, len(increments[1]), axis=0)
    wealth = harm_step(rows, np.tile(increments[1], (len(increments[0]), 1)), later)
    e = np.exp(harm_log_e(wealth, 1 - spent(after, 60)))
    for base, next_base in product((0.01, 0.3, 0.9), repeat=2):
        chance = np.outer(chances(first, base, base), chances(second, next_base, next_base)).ravel()
        assert chance @ e <= 1 + 1e-12


def test_a_single_trial_each_is_exactly_fair() -> None:
    """At the boundary of the null the smallest experiment loses only the square of the base rate."""
    wealth = np.exp(ratio_increment(outcomes((1, 1)), 1.0, EFFECTS))
    expected = chances((1, 1), 0.001, 0.001) @ wealth
    assert (expected <= 1).all()
    assert expected == pytest.approx(np.ones(len(EFFECTS)), abs=1e-5)


@given(trials=counts, bad=counts, is_candidate=st.booleans())
def test_one_version_alone_is_no_evidence(trials: int, bad: int, is_candidate: bool) -> None:
    """With no trials in one arm every increment is exactly zero."""
    seen, none = np.array([float(trials)]), np.zeros(1)
    failed = np.array([float(min(trials, bad))])
    arms = Arms(seen, failed, none, none) if is_candidate else Arms(none, none, seen, failed)
    assert (ratio_increment(arms, 1.1, EFFECTS) == 0).all()


@given(candidate=st.tuples(counts, counts), baseline=st.tuples(counts, counts), null=st.floats(0.01, 100))
def test_no_count_is_too_large(candidate: tuple[int, int], baseline: tuple[int, int], null: float) -> None:
    """A million million requests in one interval overflow nothing and give a number."""
    arms = Arms(
        *(np.array([float(n)]) for n in (max(candidate), min(candidate), max(baseline), min(baseline)))
    )
    wealth = harm_step(harm_start(1), ratio_increment(arms, null, EFFECTS), 0.4)
    assert np.isfinite(harm_log_e(wealth, 0.6)).all()
    safe = safe_start(1) + ratio_increment(arms, null, safe_multipliers(null))
    assert np.isfinite(safe_log_e(safe)).all()
    limit = limit_increment(max(candidate), min(candidate), 0.05, rates_above(0.05))
    assert np.isfinite(limit).all()


def test_bets_point_the_right_way() -> None:
    """More failures of the new version feed the evidence of harm and starve that of safety."""

    def arms(bad: float) -> Arms:
        return Arms(np.array([100.0]), np.array([bad]), np.array([900.0]), np.array([18.0]))

    harm = [
        harm_log_e(harm_step(harm_start(1), ratio_increment(arms(bad), 1.0, EFFECTS), 0.4), 0.6)
        for bad in (0, 2, 9, 20)
    ]
    safe = [
        safe_log_e(safe_start(1) + ratio_increment(arms(bad), 1.5, safe_multipliers(1.5)))
        for bad in (0, 2, 9, 20)
    ]
    assert harm == sorted(harm)
    assert harm[-1] > np.log(100)
    assert safe == sorted(safe, reverse=True)
    assert safe[0] > 0 > safe[-1]


counted = st.integers(0, 2000).map(float)


@given(counted, counted, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_rows_with_the_same_trials_are_reckoned_as_each_by_itself(
    new: float, old: float, parts: list[tuple[float, float]]
) -> None:
    """Trials given once for all rows, or for each row again: the same evidence and the same sums."""
    bad = np.round(np.array(parts).T * np.array([[new], [old]]))
    rows = np.ones(len(parts))
    once, each = Arms(new, bad[0], old, bad[1]), Arms(new * rows, bad[0], old * rows, bad[1])
    nulls = np.full(len(EFFECTS), 1.1)
    assert np.allclose(
        ratio_increment(once, nulls, EFFECTS), ratio_increment(each, nulls, EFFECTS), atol=1e-9
    )
    assert np.allclose(strata(once), strata(each), rtol=1e-12)
    assert are_comparable(once) == are_comparable(each) == (new > 0 and old > 0)
