"""Does each version get the users it was meant to get? If not, comparing the two means nothing.

A sample ratio mismatch is no fault of the new version by itself: telemetry is lost, a redirect or a bot
filter treats one version differently, or a version fails before it can report. So it pauses, and is never
a reason to go back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import wager as wagers
from rollway.judge.logs import FloatArray, floats
from rollway.judge.onset import Interval
from rollway.judge.quick import quick
from rollway.judge.wager import Odds, Wager
from rollway.judge.words import percent

# What the odds of falling to the new version are multiplied by: it reports nothing, it loses a half to a
# fiftieth, the old version loses as much, the old version reports nothing.
TIMES = floats(0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.25, 2.0, math.inf)
PRIOR = floats(0.08, 0.14, 0.14, 0.12, 0.10, 0.06, 0.04, 0.06, 0.06, 0.08, 0.08, 0.04)
ODDS = Odds(np.log(PRIOR), floats(0.0))


@quick
@dataclass(frozen=True, slots=True)
class Mismatch:
    """The test since it began, and what it was told: units of the new version, as planned, of both.

    `found` is the sentence once it has alarmed, `found_stage` the stage it alarmed in.
    """

    wager: Wager
    candidate: float = 0.0
    planned: float = 0.0
    units: float = 0.0
    found: str = ""
    found_stage: str = ""
    found_log_e: float = 0.0


def start() -> Mismatch:
    """Before any unit was assigned."""
    return Mismatch(wagers.start(1, ODDS))


def increment(candidate: FloatArray, baseline: FloatArray, share: float) -> FloatArray:
    """What one interval's units, each of shape (rows,), add to the log wealth, shape (rows, effects).

        a log r - N log(w r + 1 - w)        for each r of TIMES, with a of N = a + c units, w the share

    Given N and the past, a is binomial(N, w) under the null, so E[r^a] = (w r + 1 - w)^N: the expectation
    of exp(increment) is exactly 1, whatever the shares were before and however they were chosen. r = 0
    bets that no unit reaches the new version: -N log(1 - w), and -inf as soon as one does; r = inf,
    its limit, that none reaches the old one: -N log w.
    """
    units = candidate + baseline
    inner = TIMES[1:-1]
    logs = candidate[:, np.newaxis] * np.log(inner) - units[:, np.newaxis] * np.log1p(share * (inner - 1))
    none_new = np.where(candidate == 0, -units * math.log1p(-share), -np.inf)
    none_old = np.where(baseline == 0, -units * math.log(share), -np.inf)
    return np.column_stack([none_new, logs, none_old])


def add(
    test: Mismatch, candidate: float, baseline: float, share: float, interval: Interval, alpha: float
) -> Mismatch:
    """The test after one more interval's newly assigned units; at share 0 and 1 there is nothing to test.

    Wealth is carried over changes of stage and share. Once it has alarmed, what it said holds for the
    stage; people have to promote it, and the next stage is tested anew.
    """
    if not 0 < share < 1 or candidate + baseline <= 0:
        return test
    if test.found and test.found_stage != interval.stage:
        test = start()
    units = candidate + baseline
    against = increment(floats(candidate), floats(baseline), share)
    test = replace(
        test,
        wager=wagers.add(test.wager, ODDS, interval, against, None),
        candidate=test.candidate + candidate,
        planned=test.planned + share * units,
        units=test.units + units,
    )
    log_e = log_e_of(test, interval.planned_seconds)
    if test.found or log_e < math.log(1 / alpha):
        return test
    return replace(test, found=_tell(test), found_stage=interval.stage, found_log_e=log_e)


def log_e_of(test: Mismatch, planned_seconds: float) -> float:
    """log e-value against "each unit falls to the new version with the planned probability"."""
    return float(wagers.harm_of(test.wager, planned_seconds)[0])


def _tell(test: Mismatch) -> str:
    planned, seen = test.planned / test.units, test.candidate / test.units
    return (
        f"the new version was planned to get {percent(planned)} and got {percent(seen)} of "
        f"{test.units:,.0f}; look for lost telemetry, a redirect, a bot filter, or a crash before the "
        "first event"
    )
