"""The absolute stop: is the new version's rate above a limit, whatever the old version does?

One-sample test, so it also works when nothing of the old version is left to compare with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval, Onset, move, spent
from rollway.judge.processes import (
    EFFECTS,
    harm_at_most,
    harm_log_e,
    harm_start,
    harm_step,
    increment_above,
)
from rollway.judge.quick import quick
from rollway.judge.stretch import choose

# Of a guard's say in harm, this part belongs to its limit, the rest to the comparison. Both are
# e-processes, and so is their average: a limit spends nothing of alpha beyond the guard's own weight.
LIMIT_WEIGHT = 0.25
LARGEST_LIMIT = 1 - 1e-9


@quick
@dataclass(frozen=True, slots=True)
class LimitTest:
    """harm: log wealth, shape (1, effects).

    score, since, trials, bad: for each effect, shape (effects,), the stretch of intervals that speaks
    against the version (see `stretch`), with the requests and the bad ones in it.
    """

    onset: Onset
    harm: FloatArray
    score: FloatArray
    since: FloatArray
    trials: FloatArray
    bad: FloatArray


def start() -> LimitTest:
    zeros = np.zeros(len(EFFECTS))
    return LimitTest(Onset(), harm_start(1), zeros, zeros, zeros, zeros)


def is_active(limit: float | None) -> TypeGuard[float]:
    """Whether there is a limit that can be exceeded."""
    return limit is not None and 0 < limit < LARGEST_LIMIT


def add(test: LimitTest, trials: float, bad: float, interval: Interval, *, limit: float) -> LimitTest:
    """The test after one more interval of the new version's requests; no request changes nothing."""
    if trials <= 0:
        return test
    onset, mass = move(test.onset, interval)
    increment = increment_above(trials, bad, limit)
    harm, score = harm_step(test.harm, increment, mass), test.score + increment
    np.maximum(score, 0.0, out=score)
    if not np.count_nonzero(test.score):
        # As most often: nothing speaks against the version, and every stretch begins with this interval.
        begun = np.empty((3, len(score)))
        begun[0], begun[1], begun[2] = interval.start, trials, bad
        return LimitTest(onset, harm, score, begun[0], begun[1], begun[2])
    goes_on = test.score > 0
    since = np.where(goes_on, test.since, interval.start)
    return LimitTest(onset, harm, score, since, goes_on * test.trials + trials, goes_on * test.bad + bad)


def log_e(test: LimitTest, planned_seconds: float) -> float:
    """log e-value against `rate_candidate <= limit`."""
    return float(harm_log_e(test.harm, 1 - spent(test.onset, planned_seconds))[0])


def at_most(test: LimitTest) -> float:
    """What `log_e` cannot exceed; it costs less."""
    return harm_at_most(test.harm)


def tell(test: LimitTest) -> tuple[float, int, float]:
    """The stretch that is told: since when (unix seconds), of how many requests, at which rate."""
    best = choose(test.score, test.since)
    trials = float(test.trials[best])
    return float(test.since[best]), round(trials), float(test.bad[best]) / max(trials, 1.0)


def combine(comparison_log_e: float, limit_log_e: float | None) -> float:
    """One guard's evidence of harm: the weighted average of its comparison and its limit, if it has one."""
    if limit_log_e is None:
        return comparison_log_e
    parts = math.log(1 - LIMIT_WEIGHT) + comparison_log_e, math.log(LIMIT_WEIGHT) + limit_log_e
    return float(np.logaddexp(*parts))
