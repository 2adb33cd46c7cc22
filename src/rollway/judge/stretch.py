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
    """A stretch for each row and each effect.

    score: its evidence (nats); since: its start (unix seconds); both of shape (rows, effects). sums: the
    new version's requests in it and the sums of Arms.strata, shape (4, rows, effects).
    """

    score: FloatArray
    since: FloatArray
    sums: FloatArray


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
    return Stretch(zeros, zeros, np.zeros((4, *zeros.shape)))


def add(stretch: Stretch, arms: Arms, increment: FloatArray, began: float) -> Stretch:
    """One more interval that began at `began`, with this evidence per row and effect."""
    goes_on = stretch.score > 0
    sums = stretch.sums * goes_on
    sums[0] += (arms.candidate_trials * arms.comparable)[:, None]
    sums[1:] += arms.strata[:, :, None]
    return Stretch(
        score=np.maximum(stretch.score + increment, 0.0),
        since=np.where(goes_on, stretch.since, began),
        sums=sums,
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
    trials, overlap, candidate, baseline = (float(each) for each in stretch.sums[:, row, best])
    overlap = max(overlap, 1e-300)
    return Told(
        score=float(stretch.score[row, best]),
        since=float(stretch.since[row, best]),
        trials=round(trials),
        candidate_rate=candidate / overlap,
        baseline_rate=baseline / overlap,
    )
