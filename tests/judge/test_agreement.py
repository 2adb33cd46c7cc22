"""Where other people's sequential tests answer the same question, ours give the same evidence.

Their tests mix over all effects with a smooth prior, ours over a few. So our increments are mixed here
over a fine grid with their prior: then the evidence must be theirs.
"""

from __future__ import annotations

import numpy as np
import pytest
from ortools.sat.python import cp_model  # noqa: F401 -- before savvi: each brings a libhighs, and the first one stays
from savvi.multinomial import Multinomial
from scipy.stats import beta
from ville import BernoulliTest

from rollway.judge import mismatch
from rollway.judge.logs import FloatArray, floats, log_sum
from rollway.judge.processes import Arms, limit_increment, ratio_increment

SHARES = (0.01, 0.1, 0.5)
POINTS = (np.arange(40_000) + 0.5) / 40_000


def mixed(log_wealth: FloatArray, log_prior: FloatArray) -> float:
    return float(log_sum(log_wealth + log_prior) - log_sum(log_prior))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("times", [1.0, 3.0])
def test_comparing_rates_is_a_test_of_whose_the_bad_events_are(share: float, times: float) -> None:
    """Interval by interval the evidence is that of a multinomial test on the labels of the bad events."""
    rng, concentration = np.random.default_rng(5), 100.0
    theirs = Multinomial(0.05, np.array([share, 1 - share]), k=concentration)
    multipliers = POINTS * (1 - share) / ((1 - POINTS) * share)
    wealth = np.zeros((1, len(POINTS)))
    n_t, n_c = floats(1e4 * share), floats(1e4 * (1 - share))
    for _ in range(12):
        bad = rng.binomial(1e4 * share, 0.02 * times), rng.binomial(1e4 * (1 - share), 0.02)
        wealth = wealth + ratio_increment(Arms(n_t, floats(bad[0]), n_c, floats(bad[1])), 1.0, multipliers)
        theirs.update(np.array(bad))
        prior = beta(concentration * share, concentration * (1 - share)).logpdf(POINTS)
        assert mixed(wealth[0], prior) == pytest.approx(np.log(theirs.odds), abs=2e-3)
    assert (theirs.odds > 1e6) == (times > 1)


@pytest.mark.parametrize("rate", [0.05, 0.12])
def test_a_limit_is_a_test_of_one_proportion(rate: float) -> None:
    """Against a limit the evidence is that of a Bernoulli test, request by request."""
    limit = 0.05
    seen = np.random.default_rng(3).random(2000) < rate
    theirs = BernoulliTest(limit, prior=(1.0, 1.0)).fit(seen.astype(float)).log_e_values_
    for start, end in ((0, 200), (0, 900), (0, 2000)):
        wealth = limit_increment(end - start, float(seen[start:end].sum()), limit, POINTS)
        assert mixed(wealth, np.zeros(len(POINTS))) == pytest.approx(theirs[end - 1], abs=2e-3)
    assert (theirs[-1] > np.log(1e6)) == (rate > limit)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kept", [1.0, 0.8])
def test_the_split_of_users_is_a_multinomial_test(
    share: float, kept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interval by interval the evidence that users do not fall as planned is that of a multinomial test."""
    rng, concentration = np.random.default_rng(7), 100.0
    theirs = Multinomial(0.001, np.array([share, 1 - share]), k=concentration)
    odds = POINTS * (1 - share) / ((1 - POINTS) * share)
    # The first and the last bet are that one version reports nothing, and are no part of a smooth prior.
    monkeypatch.setattr(mismatch, "TIMES", floats(0.0, *odds, np.inf))
    wealth = np.zeros((1, len(POINTS)))
    for _ in range(12):
        units = rng.poisson(400.0 / share)
        new = rng.binomial(units, share)
        old, new = units - new, rng.binomial(new, kept)
        told = mismatch.increment(floats(new), floats(old), share)
        wealth = wealth + told[:, 1:-1]
        theirs.update(np.array([new, old]))
        prior = beta(concentration * share, concentration * (1 - share)).logpdf(POINTS)
        assert mixed(wealth[0], prior) == pytest.approx(np.log(theirs.odds), abs=2e-3)
    assert (theirs.odds > 1e6) == (kept < 1)


@pytest.mark.parametrize("share", SHARES)
def test_a_version_that_reports_nothing_is_a_multinomial_test_too(share: float) -> None:
    """The two outermost bets are the multinomial test whose prior is that only one version ever reports."""
    for arms, bet in (((0, 60), 0), ((60, 0), -1)):
        theirs = Multinomial(0.001, np.array([share, 1 - share]), k=1e-9)
        theirs.update(np.array(arms))
        reported = share if bet else 1 - share
        told = mismatch.increment(floats(arms[0]), floats(arms[1]), share)[0, bet]
        # With k near 0 each version is the only one with the probability that is planned for it.
        assert told + np.log(reported) == pytest.approx(np.log(theirs.odds), rel=1e-6)
