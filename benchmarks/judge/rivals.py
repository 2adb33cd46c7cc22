"""Rules in use elsewhere, from their documentation: fixed thresholds, peeked tests, confidence sequences.

Scores have shape (ticks, runs) and grow with what speaks against the new version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.judge.streams import Counts, FloatArray

LEAST_SUCCESS = 0.99
MOST_SECONDS_P99 = 0.5
FLAGGER_THRESHOLD = 5
ARGO_FAILURE_LIMIT = 0
TUNED_UNITS = 5000.0
TUNED_EVENTS = 10.0
TUNED_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each tick and arm: units, the sum of their figures and of the squares, shape (ticks, runs)."""

    candidate: tuple[FloatArray, FloatArray, FloatArray]
    baseline: tuple[FloatArray, FloatArray, FloatArray]


def sums_of(counts: Counts) -> Sums:
    """A rate as the mean of figures 0 and 1."""
    return Sums(
        (counts.candidate_trials, counts.candidate_bad, counts.candidate_bad),
        (counts.baseline_trials, counts.baseline_bad, counts.baseline_bad),
    )


def failed_rate_checks(counts: Counts) -> FloatArray:
    """1 where the new version's success rate of the tick is below 99%, or where it had no request.

    Without requests the query gives no number: Flagger counts that as a failed check, and in Argo a
    comparison with NaN is false, which a success condition alone takes for a failure.
    """
    good = counts.candidate_trials - counts.candidate_bad
    rate = good / np.maximum(counts.candidate_trials, 1.0)
    failed: FloatArray = ((rate < LEAST_SUCCESS) | (counts.candidate_trials == 0)).astype(np.float64)
    return failed


def failed_latency_checks(p99: FloatArray) -> FloatArray:
    """1 where the new version's p99 of the tick is above 500 ms, or unknown."""
    failed: FloatArray = (~(p99 <= MOST_SECONDS_P99)).astype(np.float64)
    return failed


def flagger(failed: FloatArray) -> FloatArray:
    """Failed checks so far, which never decrease; acted upon at the tick after the threshold is met."""
    total = np.cumsum(failed, axis=0)
    return np.concatenate([np.zeros((1, failed.shape[1])), total[:-1]])


def argo(failed: FloatArray) -> FloatArray:
    """Failed measurements so far; more than `failureLimit` abort the rollout."""
    return np.cumsum(failed, axis=0)


def pooled_z(sums: Sums) -> FloatArray:
    """z of the difference of means over all that was served so far; 0 until both arms vary."""
    return _pooled(sums)[0]


def pooled_sequence(sums: Sums) -> FloatArray:
    """Asymptotic confidence sequence of the pooled difference of means, as a log e-value.

        -log(1 + N rho^2)/2 + z^2/2 * N rho^2/(1 + N rho^2),   rho^2 = (a + log(1 + a))/5000, a = -2 log .05

    The two-sided interval of Waudby-Smith et al. (2024), as products for experiments use it, excludes
    zero exactly where this reaches log(1/alpha); N counts the units of both arms. 0 where z <= 0.
    """
    z, units = _pooled(sums)
    spread = units * _tuned(TUNED_UNITS)
    told = -0.5 * np.log1p(spread) + 0.5 * z**2 * spread / (1 + spread)
    return np.where(z > 0, told, 0.0)


def stratified_sequence(sums: Sums, tuned_variance: float = TUNED_EVENTS) -> FloatArray:
    """The same tick by tick, one-sided: a normal mixture over the score (Robbins 1970), a log e-value.

    U = sum of h (mean_t - mean_c), V = sum of h s^2, h = n_t n_c/n, s^2 the tick's pooled variance;
    E = 2 (1 + V/eta)^(-1/2) exp(U^2/(2 (V + eta))) Phi(U/sqrt(V + eta)). What both arms share cancels.
    """
    (n_t, sum_t, square_t), (n_c, sum_c, square_c) = sums.candidate, sums.baseline
    both = np.maximum(n_t + n_c, 1.0)
    weight = np.where((n_t > 0) & (n_c > 0), n_t * n_c / both, 0.0)
    difference = sum_t / np.maximum(n_t, 1.0) - sum_c / np.maximum(n_c, 1.0)
    variance = (square_t + square_c) / both - ((sum_t + sum_c) / both) ** 2
    score = np.cumsum(weight * difference, axis=0)
    clock = np.cumsum(weight * np.maximum(variance, 0.0), axis=0)
    eta = 1 / _tuned(tuned_variance)
    z = score / np.sqrt(clock + eta)
    return math.log(2) - 0.5 * np.log1p(clock / eta) + z**2 / 2 + _log_normal_cdf(z)


def _pooled(sums: Sums) -> tuple[FloatArray, FloatArray]:
    """z and the units of both arms."""
    n_t, sum_t, square_t = (np.cumsum(each, axis=0) for each in sums.candidate)
    n_c, sum_c, square_c = (np.cumsum(each, axis=0) for each in sums.baseline)
    means = sum_t / np.maximum(n_t, 1.0), sum_c / np.maximum(n_c, 1.0)
    variance = (square_t / np.maximum(n_t, 1.0) - means[0] ** 2) / np.maximum(n_t, 1.0)
    variance += (square_c / np.maximum(n_c, 1.0) - means[1] ** 2) / np.maximum(n_c, 1.0)
    is_known = (n_t > 1) & (n_c > 1) & (variance > 0)
    deviation = np.sqrt(np.where(is_known, variance, 1.0))
    return np.where(is_known, (means[0] - means[1]) / deviation, 0.0), n_t + n_c


def _tuned(expected: float) -> float:
    """The mixture's rho^2 that makes the sequence narrowest at `expected` units (or variance)."""
    nats = -2 * math.log(TUNED_ALPHA)
    return (nats + math.log(1 + nats)) / expected


def _log_normal_cdf(z: FloatArray) -> FloatArray:
    """log Phi(z), by Abramowitz and Stegun 26.2.17 (absolute error below 1e-7); floored far below zero."""
    size = np.abs(z)
    t = 1 / (1 + 0.2316419 * size)
    coefficients = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)
    tail = np.zeros_like(z)
    for coefficient in coefficients:
        tail = (tail + coefficient) * t
    tail = tail * np.exp(-(size**2) / 2) / math.sqrt(2 * math.pi)
    cdf: FloatArray = np.where(z >= 0, 1 - tail, tail)
    return np.log(np.maximum(cdf, 1e-300))
