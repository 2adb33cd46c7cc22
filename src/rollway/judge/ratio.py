"""The ratio of the two rates with its confidence sequence: for people to look at, not for deciding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.processes import Arms

CONFIDENCE = 0.95
STEP = 0.05
# Bets in steps of the grid, so that rho * m is again on the grid and one profile serves them all.
BETS = (1, 3, 7, 15, 30)
HALF = 50
_EDGE = max(BETS)
GRID = np.exp(STEP * np.arange(-HALF - _EDGE, HALF + _EDGE + 1))
RATIOS = GRID[_EDGE:-_EDGE]
_GRID_LESS_ONE = GRID - 1
_BOTH_WAYS = np.array([*BETS, *(-bet for bet in BETS)])[:, None]
_MOVED = _EDGE + _BOTH_WAYS + np.arange(len(RATIOS))
_GAINS = STEP * _BOTH_WAYS


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sums over all comparable intervals, from which every ratio can be tested.

    candidate_bad: S = sum of d_t, shape (rows,).
    profile: G(r) = sum of (d_t + d_c) log((n_t r + n_c)/(n_t + n_c)) for r in GRID, shape (rows, grid).
    strata: the sums of Arms.strata, shape (3, rows).
    """

    candidate_bad: FloatArray
    profile: FloatArray
    strata: FloatArray


def start(rows: int) -> Ratio:
    return Ratio(np.zeros(rows), np.zeros((rows, len(GRID))), np.zeros((3, rows)))


def add(ratio: Ratio, arms: Arms) -> Ratio:
    """One more interval; rows that are not comparable stay as they were."""
    bad = arms.candidate_bad * arms.comparable
    events = bad + arms.baseline_bad * arms.comparable
    share = arms.candidate_trials / np.maximum(arms.candidate_trials + arms.baseline_trials, 1.0)
    bent = np.log1p(share[:, None] * _GRID_LESS_ONE)
    bent *= events[:, None]
    bent += ratio.profile
    return Ratio(ratio.candidate_bad + bad, bent, ratio.strata + arms.strata)


def estimate(ratio: Ratio, row: int) -> float | None:
    """The Mantel-Haenszel ratio of rates; None while the old version had no bad trial.

    sum(d_t n_c/n) / sum(d_c n_t/n) (Mantel & Haenszel 1959). Stratified by interval, so neither a
    drifting baseline nor a changing share distorts it; it need not equal the quotient of pooled rates.
    """
    above, below = ratio.strata[1, row], ratio.strata[2, row]
    return float(above) / float(below) if below > 0 else None


def rates(ratio: Ratio, row: int) -> tuple[float, float]:
    """The rates of candidate and baseline over the same moments; 0 before any comparable interval."""
    overlap, candidate, baseline = (float(each) for each in ratio.strata[:, row])
    overlap = max(overlap, 1e-300)
    return candidate / overlap, baseline / overlap


def bounds(ratio: Ratio, row: int) -> tuple[float | None, float | None]:
    """The ratios that the data leave open at 95%, at every look at once; None where open-ended.

    Each rho in RATIOS is tested upwards and downwards with an even mixture of BETS:
    log E = log mean over m of exp(S log m - (G(rho m) - G(rho))); both sides at 2/(1 - CONFIDENCE).
    E is monotone in rho, so the crossing is found by interpolating in log rho.
    """
    above, below = _log_e(ratio, row)
    threshold = math.log(2 / (1 - CONFIDENCE))
    low = _last_above(above, threshold)
    high = _last_above(below[::-1], threshold)
    first = math.log(RATIOS[0])
    return (
        None if low is None else math.exp(first + STEP * low),
        None if high is None else math.exp(-first - STEP * high),
    )


def _log_e(ratio: Ratio, row: int) -> FloatArray:
    """log E for every ratio of RATIOS, upwards and downwards, shape (2, ratios)."""
    profile = ratio.profile[row]
    moved = profile.take(_MOVED) - profile[_EDGE:-_EDGE]
    logs = (float(ratio.candidate_bad[row]) * _GAINS - moved).reshape(2, len(BETS), len(RATIOS))
    largest = logs.max(axis=1)
    log_e: FloatArray = largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))
    return log_e


def _last_above(log_e: FloatArray, threshold: float) -> float | None:
    """The position, between grid points, up to which a falling curve is at or above the threshold."""
    reached = np.flatnonzero(log_e >= threshold)
    if len(reached) == 0:
        return None
    # Counts beyond all measure leave rounding that does not fall; the last one reached is above the next.
    last = int(reached[-1])
    if last + 1 == len(log_e):
        return float(last)
    return last + float((log_e[last] - threshold) / (log_e[last] - log_e[last + 1]))
