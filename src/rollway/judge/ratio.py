"""The ratio of the two rates with its confidence sequence: for people to look at, not for deciding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from rollway.judge.logs import FloatArray
from rollway.judge.processes import Arms, ratio_increment, strata
from rollway.judge.quick import quick

CONFIDENCE = 0.95
STEP = 0.05
# Bets in steps of the grid, so that rho * m is again on the grid and A serves them all.
BETS = (1, 3, 7, 15, 30)
HALF = 50
_EDGE = max(BETS)
_REACH = STEP * (HALF + _EDGE)
_LOG_GRID = STEP * np.arange(-HALF - _EDGE, HALF + _EDGE + 1)
RATIOS = np.exp(_LOG_GRID[_EDGE:-_EDGE])
# A is as smooth in log r as can be: no singularity is nearer than pi off the real axis. So its
# values at so many Chebyshev points give it everywhere on the grid to the last digits of a float.
POINTS = 49
_AT = chebyshev.chebpts1(POINTS)
NODES = np.exp(_REACH * _AT)
_TO_GRID = chebyshev.chebvander(_LOG_GRID / _REACH, POINTS - 1) @ np.linalg.inv(
    chebyshev.chebvander(_AT, POINTS - 1)
)
_BOTH_WAYS = np.array([*BETS, *(-bet for bet in BETS)])[:, None]
_MOVED = _EDGE + _BOTH_WAYS + np.arange(len(RATIOS))


@quick
@dataclass(frozen=True, slots=True)
class Ratio:
    """Sums over all comparable intervals, from which every ratio can be tested.

    gains: A(r) = sum of d_t log r - (d_t + d_c) log((n_t r + n_c)/(n_t + n_c)) for r in NODES, shape
    (rows, nodes): what `processes.ratio_increment` adds up to against a ratio of 1.
    strata: the sums of `processes.strata`, shape (4, rows).
    """

    gains: FloatArray
    strata: FloatArray


def start(rows: int) -> Ratio:
    return Ratio(np.zeros((rows, len(NODES))), np.zeros((4, rows)))


def add(ratio: Ratio, arms: Arms) -> Ratio:
    """One more interval; rows that are not comparable stay as they were."""
    return Ratio(ratio.gains + ratio_increment(arms, 1.0, NODES), ratio.strata + strata(arms))


def estimate(ratio: Ratio, row: int) -> float | None:
    """The Mantel-Haenszel ratio of rates; None while the old version had no bad trial.

    sum(d_t n_c/n) / sum(d_c n_t/n) (Mantel & Haenszel 1959). Stratified by interval, so neither a
    drifting baseline nor a changing share distorts it; it need not equal the quotient of pooled rates.
    """
    above, below = ratio.strata[2:, row].tolist()
    return above / below if below > 0 else None


def rates(ratio: Ratio, row: int) -> tuple[float, float]:
    """The rates of candidate and baseline over the same moments; 0 before any comparable interval."""
    overlap, candidate, baseline = ratio.strata[1:, row].tolist()
    overlap = max(overlap, 1e-300)
    return candidate / overlap, baseline / overlap


def bounds(ratio: Ratio, row: int) -> tuple[float | None, float | None]:
    """The ratios that the data leave open at 95%, at every look at once; None where open-ended.

    Each rho in RATIOS is tested upwards and downwards with an even mixture of BETS:
    log E = log mean over m of exp(A(rho m) - A(rho)); both sides at 2/(1 - CONFIDENCE). E is monotone in
    rho, so the crossing is found by interpolating in log rho.
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


def on_grid(ratio: Ratio, row: int) -> FloatArray:
    """A(r) of one row for every ratio between exp(-4) and exp(4), a STEP apart in logs."""
    found: FloatArray = _TO_GRID.dot(ratio.gains[row])
    return found


def _log_e(ratio: Ratio, row: int) -> FloatArray:
    """log E for every ratio of RATIOS, upwards and downwards, shape (2, ratios)."""
    gains = on_grid(ratio, row)
    logs = (gains.take(_MOVED) - gains[_EDGE:-_EDGE]).reshape(2, len(BETS), len(RATIOS))
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
