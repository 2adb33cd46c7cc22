"""Many rollouts at once, a row each, whose units are drawn with a seed; and readings of one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rollway.judge import Moments, Reading, Rules, begin, dump, load, update, verdict
from rollway.judge import difference as differences
from rollway.judge import wager as wagers
from rollway.judge.difference import Asked, Method
from rollway.judge.logs import FloatArray
from rollway.judge.moments import Units
from rollway.judge.onset import Interval

Draw = Callable[[bool, int, int], Units]
"""Units of an arm (is it the candidate's?), of the interval with this number, this many for each row."""


@dataclass(frozen=True)
class Course:
    """The most evidence at any look, logs; units of the new version until alpha 0.05, inf for never."""

    harm: FloatArray
    safe: FloatArray
    found: FloatArray
    end: differences.Difference


def units(y: FloatArray, x: FloatArray | None = None) -> Units:
    """Sums of figures of shape (rows, units)."""
    x = np.zeros_like(y) if x is None else x
    n = np.full(len(y), float(y.shape[1]))
    return Units(n, y.sum(1), (y * y).sum(1), x.sum(1), (x * x).sum(1), (x * y).sum(1))


def moments(y: FloatArray, x: FloatArray | None = None) -> Moments:
    """The sample of one arm's figures, shape (units,)."""
    x = np.zeros_like(y) if x is None else x
    return Moments(len(y), *(float(value) for value in (y.sum(), y @ y, x.sum(), x @ x, x @ y)))


def follow(
    draw: Draw, method: Method, asked: Asked, *, sizes: tuple[int, int], intervals: int, rows: int
) -> Course:
    """Rollouts of one stage; five intervals of the old version alone come before."""
    known = differences.start(rows)
    for number in range(-5, 0):
        known = differences.warm(known, draw(False, number, sizes[1]))
    harm, safe, found = np.full(rows, -np.inf), np.full(rows, -np.inf), np.full(rows, np.inf)
    planned = 10.0 * intervals
    for number in range(intervals):
        arms = draw(True, number, sizes[0]), draw(False, number, sizes[1])
        interval = Interval("one", 10.0 * number, 10.0, planned)
        known = differences.compare(known, arms, interval, method, asked)
        harm = np.maximum(harm, wagers.harm_of(known.wager, planned))
        safe = np.maximum(safe, wagers.safe_of(known.wager, "one"))
        is_new = (harm >= math.log(20)) & np.isinf(found)
        found = np.where(is_new, (number + 1.0) * sizes[0], found)
    return Course(harm, safe, found, known)


def frequency(log_e: FloatArray, alpha: float) -> float:
    """How often the evidence reached 1/alpha."""
    return float(np.mean(log_e >= math.log(1 / alpha)))


def tolerated(alpha: float, rows: int) -> float:
    """A frequency of alpha, and three standard errors for the luck of the simulation."""
    return alpha + 3 * math.sqrt(alpha * (1 - alpha) / rows)


def limit_units(deviation: float, gap: float, sizes: tuple[int, int], alpha: float = 0.05) -> float:
    """Units of the new version that Wald's test of a known gap and spread needs on average."""
    return math.log(1 / alpha) * 2 * deviation**2 * (1 + sizes[0] / sizes[1]) / gap**2


def reading(
    at: float,
    arms: tuple[Moments | None, Moments | None],
    *,
    seconds: float = 10.0,
    stage: str = "one",
    share: float = 0.1,
) -> Reading:
    """The reading of `seconds` before `at`."""
    return Reading("kpi", at - seconds, at, stage, share, *arms)


def assert_survives_restarts(rules: Rules, readings: Iterable[Reading]) -> None:
    """Dumped as JSON and loaded before every reading, the judge says the very same, and grows not."""
    kept, restarted = begin(rules), begin(rules)
    for each in readings:
        kept = update(rules, kept, [each])
        raw = json.loads(json.dumps(dump(restarted), allow_nan=False))
        restarted = update(rules, load(rules, raw), [each])
        said, again = (
            verdict(rules, state, now=each.end, stage=each.stage, share=each.share)
            for state in (kept, restarted)
        )
        assert said == again
    assert dump(kept) == dump(restarted)
    assert len(json.dumps(dump(kept))) < 8_000
