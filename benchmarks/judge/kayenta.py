"""The rule of Kayenta's NetflixACAJudge, looked at after every point: Mann-Whitney with a tolerance.

A metric is "High" where the 98% confidence interval of the shift between the two series lies above a
quarter of the estimated shift (Hodges-Lehmann), and the mean has not fallen. The interval's lower end is
above the bound exactly where the statistic at the bound exceeds the normal quantile, so no root is sought.
"""

from __future__ import annotations

import numpy as np

from benchmarks.judge.streams import FloatArray

TOLERANCE = 0.25
QUANTILE = 2.3263478740408408
"""z of 0.99: confidence 0.98, two-sided."""
LEAST = 1.0
FIRST_LOOK = 5
"""With fewer points two series that do not overlap are "High" by construction, at any confidence."""


def scores(candidate: FloatArray, baseline: FloatArray) -> FloatArray:
    """The statistic at the bound after each point, shape (points, runs); "High" above QUANTILE.

    Both arguments have shape (points, runs). The window grows from the start. A missing value is 0
    (`nanStrategy: replace`). -inf before FIRST_LOOK points, where the mean has fallen, and where even a
    bound of zero gives at most LEAST, which no threshold in use is below.
    """
    new, old = np.nan_to_num(candidate.T), np.nan_to_num(baseline.T)
    found = np.full(candidate.shape, -np.inf)
    for points in range(FIRST_LOOK, len(candidate) + 1):
        x, y = new[:, :points], old[:, :points]
        is_told = (_statistic(x, y, np.zeros(len(x))) > LEAST) & (x.mean(axis=1) >= y.mean(axis=1))
        if is_told.any():
            x, y = x[is_told], y[is_told]
            found[points - 1, is_told] = _statistic(x, y, TOLERANCE * np.abs(_shift(x, y)))
    return found


def _shift(new: FloatArray, old: FloatArray) -> FloatArray:
    """Hodges-Lehmann: the median of all pairs' differences, shape (runs,)."""
    pairs = new[:, :, np.newaxis] - old[:, np.newaxis, :]
    shift: FloatArray = np.median(pairs.reshape(len(new), -1), axis=1)
    return shift


def _statistic(new: FloatArray, old: FloatArray, bound: FloatArray) -> FloatArray:
    """(R - m(2m + 1)/2 -+ 1/2)/sigma with new shifted down by the bound; new and old are (runs, m).

    R is the rank sum of the shifted series among both, with average ranks for ties.
    """
    points = new.shape[1]
    both = 2 * points
    ranks, ties = _ranks(np.concatenate([new - bound[:, np.newaxis], old], axis=1))
    excess = ranks[:, :points].sum(axis=1) - points * (both + 1) / 2
    variance = points**2 / 12 * ((both + 1) - ties / (both * (both - 1)))
    deviation = np.sqrt(np.maximum(variance, 0.0))
    told: FloatArray = (excess - 0.5 * np.sign(excess)) / np.where(deviation > 0, deviation, np.inf)
    return told


def _ranks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average ranks in each row, and the sum of t^3 - t over its groups of t equal values, shape (runs,)."""
    runs, size = values.shape
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    is_new = np.ones((runs, size), dtype=np.int64)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    groups = is_new.cumsum(axis=1) - 1 + np.arange(runs)[:, np.newaxis] * size
    sizes = np.bincount(groups.ravel(), minlength=runs * size).astype(np.float64).reshape(runs, size)
    last = sizes.cumsum(axis=1)
    averages = (last - (sizes - 1) / 2).ravel()[groups]
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, averages, axis=1)
    return ranks, (sizes**3 - sizes).sum(axis=1)
