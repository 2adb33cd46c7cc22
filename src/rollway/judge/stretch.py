"""The stretch of intervals that speaks against the new version: the numbers to show when it is stopped.

A fault that begins late drowns in totals. Page's cumulative sum (1954) finds where it began: evidence
is added up, and whenever the sum falls to zero the stretch begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.processes import EFFECTS, Arms

NEARLY_ALL = 0.7


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch for each row and each effect, all of shape (rows, effects).

    score: its evidence (nats); since: its start (unix seconds); trials: of the new version;
    weight, candidate_weighted, baseline_weighted: sums of n_t n_c/n, d_t n_c/n and d_c n_t/n, whose
    quotients are rates compared over the same moments (Mantel-Haenszel).
    """

    score: FloatArray
    since: FloatArray
    trials: FloatArray
    weight: FloatArray
    candidate_weighted: FloatArray
    baseline_weighted: FloatArray


@dataclass(frozen=True, slots=True)
class Told:
    """What the stretch of one row says."""

    score: float
    since: float
    trials: int
    candidate_rate: float
    baseline_rate: float


def start(rows: int) -> Stretch:
    zeros = np.zeros((rows, len(EFFECTS)))
    return Stretch(zeros, zeros, zeros, zeros, zeros, zeros)


def add(stretch: Stretch, arms: Arms, increment: FloatArray, began: float) -> Stretch:
    """One more interval that began at `began`, with this evidence per row and effect."""
    goes_on = (stretch.score > 0).astype(np.float64)
    weight = arms.comparable / np.maximum(arms.candidate_trials + arms.baseline_trials, 1.0)

    def total(before: FloatArray, now: FloatArray) -> FloatArray:
        return goes_on * before + now[:, np.newaxis]

    return Stretch(
        score=np.maximum(stretch.score + increment, 0.0),
        since=np.where(goes_on > 0, stretch.since, began),
        trials=total(stretch.trials, arms.candidate_trials * arms.comparable),
        weight=total(stretch.weight, arms.candidate_trials * arms.baseline_trials * weight),
        candidate_weighted=total(
            stretch.candidate_weighted, arms.candidate_bad * arms.baseline_trials * weight
        ),
        baseline_weighted=total(
            stretch.baseline_weighted, arms.baseline_bad * arms.candidate_trials * weight
        ),
    )


def choose(score: FloatArray, since: FloatArray) -> int:
    """The effect whose stretch is told: the longest of those that hold most of the evidence.

    The strongest stretch alone would be a lucky burst, and overstate the fault.
    """
    is_strong = score >= NEARLY_ALL * score.max()
    return int(np.argmin(np.where(is_strong, since, np.inf)))


def tell(stretch: Stretch, row: int) -> Told:
    """The numbers of one row's stretch."""
    best = choose(stretch.score[row], stretch.since[row])
    weight = max(float(stretch.weight[row, best]), 1e-300)
    return Told(
        score=float(stretch.score[row, best]),
        since=float(stretch.since[row, best]),
        trials=round(float(stretch.trials[row, best])),
        candidate_rate=float(stretch.candidate_weighted[row, best]) / weight,
        baseline_rate=float(stretch.baseline_weighted[row, best]) / weight,
    )
