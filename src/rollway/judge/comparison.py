"""All that comparing the two versions interval by interval teaches: harm, safety, the ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval, Onset, move, spent
from rollway.judge.processes import (
    EFFECTS,
    Arms,
    harm_log_e,
    harm_start,
    harm_step,
    ratio_increment,
    safe_log_e,
    safe_multipliers,
    safe_start,
)
from rollway.judge.ratio import Ratio
from rollway.judge.stretch import Stretch


@dataclass(frozen=True, slots=True)
class Comparison:
    """harm: shape (rows, effects), over the whole exposure. safe: shape (rows, bets), this stage only.

    Safety is shown anew in every stage: a fault that needs load, or other users, to appear must not pass
    on what an earlier stage has earned.
    """

    onset: Onset
    harm: FloatArray
    safe: FloatArray
    ratio: Ratio
    stretch: Stretch


def start(rows: int) -> Comparison:
    return Comparison(Onset(), harm_start(rows), safe_start(rows), ratios.start(rows), stretches.start(rows))


def compare(
    comparison: Comparison, arms: Arms, interval: Interval, *, tolerance: float, margin: float | None
) -> Comparison:
    """The comparison after one more interval. Without trials in both arms of any row nothing changes.

    `tolerance` is the ratio that harm must exceed, `margin` the one that safety must stay below; None
    where the stage asks for none.
    """
    if not arms.comparable.any():
        return comparison
    onset, mass = move(comparison.onset, interval)
    against = ratio_increment(arms, tolerance, EFFECTS)
    is_new_stage = comparison.onset.stage != onset.stage
    safe = safe_start(len(comparison.safe)) if is_new_stage else comparison.safe
    if margin is not None:
        safe = safe + ratio_increment(arms, margin, safe_multipliers(margin))
    return Comparison(
        onset=onset,
        harm=harm_step(comparison.harm, against, mass),
        safe=safe,
        ratio=ratios.add(comparison.ratio, arms),
        stretch=stretches.add(comparison.stretch, arms, against, interval.start),
    )


def harm_of(comparison: Comparison, planned_seconds: float) -> FloatArray:
    """log e-values against `rate_candidate <= tolerance * rate_baseline`, shape (rows,)."""
    return harm_log_e(comparison.harm, 1 - spent(comparison.onset, planned_seconds))


def safe_of(comparison: Comparison, stage: str) -> FloatArray:
    """log e-values against `rate_candidate >= margin * rate_baseline` in this stage, shape (rows,)."""
    if comparison.onset.stage != stage:
        return np.zeros(len(comparison.safe))
    return safe_log_e(comparison.safe)
