"""All that comparing the two versions' rates interval by interval teaches: harm, safety, the ratio."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rollway.judge import dispersion as dispersions
from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import wager as wagers
from rollway.judge.dispersion import NONE, Dispersion, Pace, factor
from rollway.judge.logs import FloatArray
from rollway.judge.model import Direction
from rollway.judge.onset import Interval
from rollway.judge.processes import (
    EFFECTS,
    LOG_EFFECT_PRIOR,
    LOG_SAFE_PRIOR,
    Arms,
    ratio_increment,
    safe_multipliers,
)
from rollway.judge.ratio import Ratio
from rollway.judge.stretch import Stretch
from rollway.judge.wager import Odds, Wager

ODDS = Odds(LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test per row: a rate has one, the durations of requests one for each cut."""

    wager: Wager
    ratio: Ratio
    stretch: Stretch
    pace: Pace


def start(rows: int) -> Comparison:
    return Comparison(
        wagers.start(rows, ODDS), ratios.start(rows), stretches.start(rows), dispersions.start(rows)
    )


def compare(
    comparison: Comparison,
    arms: Arms,
    interval: Interval,
    *,
    tolerance: float,
    margin: float | None,
    dispersion: Dispersion = NONE,
    direction: Direction = "more_is_worse",
) -> Comparison:
    """The comparison after one more interval. Without trials in both arms of any row nothing changes.

    `tolerance` is the ratio candidate/baseline that harm must exceed, `margin` the one that safety must
    stay below; None where the stage asks for none. Where less is worse the events are good ones, the
    arms change places in the tests, and both bound baseline/candidate: the proof in `ratio_increment`
    names no arm, so it holds for them as they are handed over. Ratio and stretch, which people see,
    keep the arms as they are.
    """
    if not arms.comparable.any():
        return comparison
    tested = arms if direction == "more_is_worse" else swapped(arms)
    nulls, multipliers = _bets(tolerance, margin)
    increments = ratio_increment(tested, nulls, multipliers)
    against = increments[:, : len(EFFECTS)]
    safe = None if margin is None else increments[:, len(EFFECTS) :]
    pace, ratio = comparison.pace, ratios.add(comparison.ratio, arms)
    if not dispersion.is_none:
        pace = dispersions.move(pace, dispersion, tested, interval.seconds)

        def over(null: float) -> FloatArray:
            return factor(dispersion, tested, null, interval.seconds, pace)

        against = against / over(tolerance)[:, None]
        if safe is not None and margin is not None:
            safe = safe / over(margin)[:, None]
        ratio = _part_of(comparison.ratio, ratio, over(1.0))
    return Comparison(
        wager=wagers.add(comparison.wager, ODDS, interval, against, safe),
        ratio=ratio,
        stretch=stretches.add(comparison.stretch, arms, against, interval.start),
        pace=pace,
    )


@lru_cache(maxsize=256)
def _bets(tolerance: float, margin: float | None) -> tuple[FloatArray, FloatArray]:
    """The nulls and multipliers of harm, and behind them those of safety, to be counted in one go."""
    harm = np.full(len(EFFECTS), tolerance)
    if margin is None:
        return harm, EFFECTS
    safe = safe_multipliers(margin)
    return np.concatenate((harm, np.full(len(safe), margin))), np.concatenate((EFFECTS, safe))


def swapped(arms: Arms) -> Arms:
    """The arms in each other's place."""
    return Arms(arms.baseline_trials, arms.baseline_bad, arms.candidate_trials, arms.candidate_bad)


def _part_of(before: Ratio, after: Ratio, divisor: FloatArray) -> Ratio:
    """What an interval added to the ratio's sums, divided, so that its bounds are as wide as the noise."""
    return Ratio(
        before.candidate_bad + (after.candidate_bad - before.candidate_bad) / divisor,
        before.profile + (after.profile - before.profile) / divisor[:, None],
        before.strata + (after.strata - before.strata) / divisor,
    )


def harm_of(comparison: Comparison, planned_seconds: float) -> FloatArray:
    """log e-values against `rate_candidate <= tolerance * rate_baseline`, shape (rows,).

    Where less is worse: against `rate_baseline <= tolerance * rate_candidate`.
    """
    return wagers.harm_of(comparison.wager, planned_seconds)


def safe_of(comparison: Comparison, stage: str) -> FloatArray:
    """log e-values against `rate_candidate >= margin * rate_baseline` in this stage, shape (rows,).

    Where less is worse: against `rate_baseline >= margin * rate_candidate`.
    """
    return wagers.safe_of(comparison.wager, stage)
