"""All that comparing the two versions' rates interval by interval teaches: harm, safety, the ratio."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import wager as wagers
from rollway.judge.dispersion import NONE, Dispersion, factor
from rollway.judge.logs import FloatArray
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


def start(rows: int) -> Comparison:
    return Comparison(wagers.start(rows, ODDS), ratios.start(rows), stretches.start(rows))


def compare(
    comparison: Comparison,
    arms: Arms,
    interval: Interval,
    *,
    tolerance: float,
    margin: float | None,
    dispersion: Dispersion = NONE,
) -> Comparison:
    """The comparison after one more interval. Without trials in both arms of any row nothing changes.

    `tolerance` is the ratio that harm must exceed, `margin` the one that safety must stay below; None
    where the stage asks for none.
    """
    if not arms.comparable.any():
        return comparison
    against = ratio_increment(arms, tolerance, EFFECTS)
    safe = None if margin is None else ratio_increment(arms, margin, safe_multipliers(margin))
    if not dispersion.is_none:
        against = against / factor(dispersion, arms, tolerance, interval.seconds)[:, None]
        if safe is not None and margin is not None:
            safe = safe / factor(dispersion, arms, margin, interval.seconds)[:, None]
    return Comparison(
        wager=wagers.add(comparison.wager, ODDS, interval, against, safe),
        ratio=ratios.add(comparison.ratio, arms),
        stretch=stretches.add(comparison.stretch, arms, against, interval.start),
    )


def harm_of(comparison: Comparison, planned_seconds: float) -> FloatArray:
    """log e-values against `rate_candidate <= tolerance * rate_baseline`, shape (rows,)."""
    return wagers.harm_of(comparison.wager, planned_seconds)


def safe_of(comparison: Comparison, stage: str) -> FloatArray:
    """log e-values against `rate_candidate >= margin * rate_baseline` in this stage, shape (rows,)."""
    return wagers.safe_of(comparison.wager, stage)
