"""What a plan will see: chances of catching a fault, how soon, and who meets it first. Before anything runs.

The answers come from drawn courses of the judge's own e-process. The seed is fixed: the same question
has the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rollway.judge.arithmetic import requests_to_detect
from rollway.judge.courses import Setting, Step, Truth, found_at, served_by, start_of
from rollway.judge.logs import FloatArray
from rollway.judge.truths import Durations, Means, Shares, rate_fault, slower

SEED = 20_261
ROWS = 12_000
"""Courses times cuts that are drawn: a chance of 50% is then known to within 0.5 points."""
FEWEST_PATHS = 4000
QUANTILES = (0.1, 0.5, 0.9)
LARGEST_RATIO = 1000.0

__all__ = [
    "QUANTILES",
    "Durations",
    "Means",
    "Power",
    "Setting",
    "Shares",
    "Step",
    "foresee",
    "rate_fault",
    "slower",
    "smallest_ratio",
]


@dataclass(frozen=True, slots=True)
class Power:
    """What a plan does to a fault.

    caught_by: probability that it is caught by the end of each stage. seconds, requests: from the fault's
    onset until it is caught, and what the new version served meanwhile, at QUANTILES; infinite where
    that part of the courses ends before it is caught. met, exposed: requests of the new version that the
    fault meets, and the share that the new version has been given, when it is caught or the plan ends,
    on average.
    """

    caught_by: tuple[float, ...]
    seconds: tuple[float, ...]
    requests: tuple[float, ...]
    met: float
    exposed: float

    @property
    def caught(self) -> float:
        """Probability that the plan catches it at all."""
        return self.caught_by[-1]


def foresee(setting: Setting, truth: Truth, *, paths: int | None = None, seed: int = SEED) -> Power:
    """How a plan would meet a fault, from `paths` drawn courses. Deterministic; about a quarter of a second.

    Beside courses that were drawn tick by tick chances are within 3 points (`benchmarks.judge_power`).
    """
    count = paths or max(FEWEST_PATHS, ROWS // sum(panel.rows for panel in truth.panels))
    found = found_at(setting, truth, paths=count, seed=seed)
    starts = np.cumsum([0.0, *(stage.seconds for stage in setting.stages)])
    lasted = np.maximum(found - truth.onset_seconds, 0.0)
    met = _served(setting, np.minimum(found, starts[-1])) - served_by(setting, truth.onset_seconds)
    requests = np.where(np.isfinite(found), np.maximum(met, 0.0), np.inf)
    return Power(
        caught_by=tuple(float(np.mean(found <= end)) for end in starts[1:]),
        seconds=_quantiles(lasted),
        requests=_quantiles(requests),
        met=float(np.mean(np.maximum(met, 0.0))),
        exposed=_exposed(setting, found),
    )


def smallest_ratio(
    setting: Setting, base_rate: float, stage: int, *, chance: float = 0.9, paths: int = 600
) -> float:
    """The smallest fault of a rate that the stage catches by its end with probability `chance`.

    The fault begins with the stage; earlier stages were healthy. To 2% of what it has above the tolerance
    (in logs); infinite where none up to a rate of 1 (or LARGEST_RATIO) is caught.
    """
    here = setting.stages[stage]
    top = min(LARGEST_RATIO, 1 / base_rate)
    if not 0 < here.share < 1 or top <= setting.tolerance:
        return math.inf

    def is_caught(log_ratio: float) -> bool:
        truth = rate_fault(base_rate, math.exp(log_ratio), onset_seconds=start_of(setting, stage))
        found = found_at(setting, truth, paths=paths, seed=SEED, last=stage)
        return bool(np.mean(np.isfinite(found)) >= chance)

    bottom, top = math.log(setting.tolerance), math.log(top)
    low, high = _bracket(is_caught, bottom, top, _expected(setting, base_rate, here))
    while high - low > 0.02 * (high - bottom) and high < math.inf:
        middle = (low + high) / 2
        low, high = (low, middle) if is_caught(middle) else (middle, high)
    return math.exp(high)


def _bracket(
    is_caught: Callable[[float], bool], bottom: float, top: float, guess: float
) -> tuple[float, float]:
    """A log ratio that is not caught and one that is, near a guess; (top, inf) where none is."""
    low = high = min(max(guess, bottom), top)
    reach = 0.15 * (high - bottom) + 0.02
    while not is_caught(high):
        if high >= top:
            return top, math.inf
        low, high, reach = high, min(high + reach, top), 2 * reach
    if low < high:
        return low, high
    while low > bottom and is_caught(low):
        low, high, reach = max(low - reach, bottom), low, 2 * reach
    return low, high


def _expected(setting: Setting, base_rate: float, stage: Step) -> float:
    """The log ratio for which the stage's requests are what detection takes on average, by bisection."""
    served = setting.pace(stage) * stage.share * stage.seconds
    low, high = math.log(setting.tolerance), math.log(LARGEST_RATIO)
    while high - low > 0.01:
        middle = (low + high) / 2
        needed = requests_to_detect(
            base_rate=base_rate,
            ratio=math.exp(middle),
            share=stage.share,
            alpha=setting.alpha,
            tolerance=setting.tolerance,
        )
        low, high = (low, middle) if needed <= served else (middle, high)
    return high


def _served(setting: Setting, until: FloatArray) -> FloatArray:
    """Requests that the new version is expected to have served by these moments (seconds), (courses,)."""
    ends = np.cumsum([0.0, *(stage.seconds for stage in setting.stages)])
    return np.interp(until, ends, [served_by(setting, end) for end in ends])


def _exposed(setting: Setting, found: FloatArray) -> float:
    """The largest share up to these moments, on average."""
    ends = np.cumsum([stage.seconds for stage in setting.stages])
    largest = np.maximum.accumulate([stage.share * stage.compared for stage in setting.stages])
    return float(np.mean(largest[np.minimum(np.searchsorted(ends, found), len(ends) - 1)]))


def _quantiles(values: FloatArray) -> tuple[float, ...]:
    """The values at QUANTILES, as one of them, so that infinity stays infinity."""
    return tuple(float(each) for each in np.quantile(values, QUANTILES, method="inverted_cdf"))
