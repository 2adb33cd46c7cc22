"""The e-processes: wealth that grows only when its null hypothesis is false.

An e-process E starts at 1, never falls below 0 and has expectation at most 1 under its null at every
stopping time, so P(E ever reaches 1/alpha) <= alpha (Ville 1939) however often one looks.

Rows are tests side by side, one for each cut of a histogram (a rate has one). Effects are the
alternatives that one test bets on at once.

    symbol  name                      meaning
    n_t d_t candidate_trials, _bad    the new version's requests in one interval, and the bad ones
    n_c d_c baseline_trials, _bad     the old version's in the same interval
    rho     null                      the ratio of rates that the null hypothesis allows
    m       multiplier                the alternative ratio is rho * m
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

import numpy as np

from rollway.judge.logs import FloatArray, floats, log_or_never, log_sum
from rollway.judge.quick import quick

# Faults from +15% to times 64, a step of about 1.5 apart where faults are common: a fault between two
# grid points costs less than a tenth of the evidence.
EFFECTS = floats(1.15, 1.4, 1.85, 2.7, 4.4, 8.0, 20.0, 64.0)
LOG_EFFECT_PRIOR = np.log(floats(0.14, 0.19, 0.22, 0.17, 0.12, 0.08, 0.05, 0.03))

# Bets on safety, as powers of the margin and as absolute improvements: the new version is a bit worse,
# equal, a fifth better, twice as good.
SAFE_POWERS = floats(-0.6, -1.0, -1.0, -1.0)
SAFE_FACTORS = floats(1.0, 1.0, 0.8, 0.5)
LOG_SAFE_PRIOR = np.log(floats(0.30, 0.45, 0.15, 0.10))
SMALLEST_MARGIN = 1.02

# Evidence of harm that chance alone gives to at most a third of healthy releases.
SUSPICIOUS_LOG_E = log(3)


@quick
@dataclass(frozen=True, slots=True)
class Arms:
    """One interval's counts for all rows: the bad ones of shape (rows,), the trials too, or one number
    where all rows have the same. `both_bad`: the bad ones of both arms, (2, rows), where they lie so."""

    candidate_trials: FloatArray | float
    candidate_bad: FloatArray
    baseline_trials: FloatArray | float
    baseline_bad: FloatArray
    both_bad: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Stakes:
    """Bets with what is reckoned of them once, each of shape (bets,): 1/null, m, log m, and 1 - m."""

    inverse: FloatArray
    multipliers: FloatArray
    logs: FloatArray
    under: FloatArray


def stakes_on(nulls: float | FloatArray, multipliers: FloatArray) -> Stakes:
    """The bets on these multiples of a null for all, or one for each."""
    inverse = 1 / np.broadcast_to(nulls, multipliers.shape)
    return Stakes(inverse, multipliers, np.log(multipliers), 1 - multipliers)


def swapped(arms: Arms) -> Arms:
    """The arms in each other's place."""
    return Arms(arms.baseline_trials, arms.baseline_bad, arms.candidate_trials, arms.candidate_bad)


def comparable(arms: Arms) -> FloatArray | float:
    """1 where both versions had trials, else 0."""
    n_t, n_c = arms.candidate_trials, arms.baseline_trials
    if isinstance(n_t, float) and isinstance(n_c, float):
        return float(n_t > 0 and n_c > 0)
    found: FloatArray = np.logical_and(np.greater(n_t, 0), np.greater(n_c, 0)).astype(np.float64)
    return found


def are_comparable(arms: Arms) -> bool:
    """Whether both versions had trials in any row."""
    n_t, n_c = arms.candidate_trials, arms.baseline_trials
    if isinstance(n_t, float) and isinstance(n_c, float):
        return n_t > 0 and n_c > 0
    return bool(np.any(comparable(arms)))


def strata(arms: Arms) -> FloatArray:
    """n_t, n_t n_c/n, d_t n_c/n and d_c n_t/n with n = n_t + n_c, shape (4, rows), 0 where not comparable.

    Summed over intervals, the third over the second and the fourth over the second are rates over the
    same moments (Mantel & Haenszel 1959).
    """
    n_t, n_c = arms.candidate_trials, arms.baseline_trials
    found = np.empty((4, len(arms.candidate_bad)))
    if isinstance(n_t, float) and isinstance(n_c, float):
        if n_t <= 0 or n_c <= 0:
            found.fill(0.0)
            return found
        trials = n_t + n_c
        part = 1 / (trials if trials > 1.0 else 1.0)
        found[0] = n_t
        found[1] = n_t * part * n_c
        np.multiply(arms.candidate_bad, n_c * part, out=found[2])
        np.multiply(arms.baseline_bad, n_t * part, out=found[3])
        return found
    both = n_t + n_c
    weight = comparable(arms) / np.maximum(both, 1.0)
    found[0] = n_t * (weight > 0)
    found[1] = n_t * weight * n_c
    found[2] = arms.candidate_bad * (n_c * weight)
    found[3] = arms.baseline_bad * (n_t * weight)
    return found


def ratio_increment(arms: Arms, null: float | FloatArray, multipliers: FloatArray) -> FloatArray:
    """What one interval adds to the log wealth, shape (rows, multipliers); a null for all or one for each.

        d_t log m - (d_t + d_c) log( (n_t rho m + n_c) / (n_t rho + n_c) )

    Conditional two-sample test. For m > 1 it is an e-process for every ratio of rates <= rho, for m < 1
    for every ratio >= rho, whatever the rate itself is and however it drifts between intervals: with
    a = m q, b = q, q = (n_t rho + n_c)/(n_t rho m + n_c), the expectation of exp(increment) is
    (1 + ratio p (a-1))^n_t (1 + p (b-1))^n_c <= exp(p (n_t ratio (a-1) + n_c (b-1))), and the bracket is
    0 at ratio = rho and falls as the ratio moves into the null. Exactly 0 where one version had no trials.
    """
    n_t, n_c = arms.candidate_trials, arms.baseline_trials
    if isinstance(n_t, float) and isinstance(n_c, float):
        return increments(arms, n_t, n_c, stakes_on(null, multipliers))
    weight = np.asarray(n_t)[..., None] * null
    share = weight / np.maximum(weight + np.asarray(n_c)[..., None], 1e-300)
    is_told = comparable(arms)
    bad = arms.candidate_bad * is_told
    events = bad + arms.baseline_bad * is_told
    price = events[:, None] * np.log1p(share * (multipliers - 1))
    increment: FloatArray = bad[:, None] * np.log(multipliers) - price
    return increment


def increments(arms: Arms, n_t: float, n_c: float, stakes: Stakes) -> FloatArray:
    """The same where all rows have the trials n_t and n_c. What an event tells is reckoned once for all rows:
    of the old version's log((x + 1)/(x + m)) with x = n_c/(n_t rho), and log m more of the new one's."""
    if n_t <= 0 or n_c <= 0:
        return np.zeros((len(arms.candidate_bad), len(stakes.logs)))
    told = np.empty((2, len(stakes.logs)))
    of_old = np.multiply(stakes.inverse, n_c / n_t, out=told[1])
    of_old += stakes.multipliers
    np.divide(stakes.under, of_old, out=of_old)
    np.log1p(of_old, out=of_old)
    np.add(of_old, stakes.logs, out=told[0])
    both = arms.both_bad
    if both is None:
        both = np.array((arms.candidate_bad, arms.baseline_bad))
    increment: FloatArray = both.T.dot(told)
    return increment


def limit_increment(trials: float, bad: float, limit: float, rates: FloatArray) -> FloatArray:
    """What one interval adds to the log wealth against `rate <= limit`, shape (rates,).

        d log(q/L) + (n - d) log((1-q)/(1-L))        for each alternative rate q > L

    Wald's likelihood ratio: given the past, each request multiplies the wealth by a factor whose
    expectation is 1 + (rate - L)(q - L)/(L(1-L)), at most 1 while the rate is at most L.
    """
    gain: FloatArray = bad * np.log(rates / limit) + (trials - bad) * np.log((1 - rates) / (1 - limit))
    return gain


def increment_above(trials: float, bad: float, limit: float) -> FloatArray:
    """`limit_increment` for the rates of `rates_above`."""
    of_bad, of_others = _logs_above(limit)
    gain: FloatArray = of_bad * bad
    gain += of_others * (trials - bad)
    return gain


@lru_cache(maxsize=256)
def _logs_above(limit: float) -> tuple[FloatArray, FloatArray]:
    """What a bad request and any other add to the log wealth."""
    rates = rates_above(limit)
    return np.log(rates / limit), np.log((1 - rates) / (1 - limit))


@lru_cache(maxsize=256)
def rates_above(limit: float) -> FloatArray:
    """The alternatives to a limit in (0, 1): its odds times each of EFFECTS, so they stay below 1."""
    odds = EFFECTS * limit / (1 - limit)
    rates: FloatArray = odds / (1 + odds)
    return rates


def harm_start(rows: int, effects: int = len(EFFECTS)) -> FloatArray:
    """Log wealth of the harm mixture before any mass is spent, shape (rows, effects)."""
    return np.full((rows, effects), -np.inf)


def harm_step(
    log_wealth: FloatArray, increment: FloatArray, mass: float, log_prior: FloatArray = LOG_EFFECT_PRIOR
) -> FloatArray:
    """Let faults of prior mass `mass` begin now, then add the interval's increment.

    W_k <- (W_k + mass * g_k) exp(increment_k)
    """
    if mass > 0:
        log_wealth = np.logaddexp(log_wealth, log(mass) + log_prior)
        log_wealth += increment
        return log_wealth
    return log_wealth + increment


def harm_log_e(log_wealth: FloatArray, unspent: float) -> FloatArray:
    """log of the mixture E = sum of W_k + the mass not spent yet, shape (rows,)."""
    total: FloatArray = np.logaddexp(log_sum(log_wealth), log_or_never(unspent))
    return total


def harm_at_most(log_wealth: FloatArray) -> float:
    """What no row's `harm_log_e` can exceed: the log of the largest wealth for every bet, plus 1."""
    largest, bets = log_wealth.item(log_wealth.argmax()), log_wealth.shape[1]
    return largest + log(bets + exp(-largest)) if largest > 0 else log(bets + 1)


def safe_start(rows: int, log_prior: FloatArray = LOG_SAFE_PRIOR) -> FloatArray:
    """Log wealth of the safety mixture at the start of a stage, shape (rows, bets)."""
    return np.tile(log_prior, (rows, 1))


def safe_multipliers(margin: float) -> FloatArray:
    """The safety bets as multiples of the margin; all below 1, for any margin above 0."""
    multipliers: FloatArray = max(margin, SMALLEST_MARGIN) ** SAFE_POWERS * SAFE_FACTORS
    return multipliers


def safe_log_e(log_wealth: FloatArray) -> FloatArray:
    """log of the safety mixture, shape (rows,): evidence that the ratio is below the margin."""
    return log_sum(log_wealth)
