"""The stretch of intervals that speaks against the new version: the numbers to show when it is stopped.

A fault that begins late drowns in totals. Page's cumulative sum (1954) finds where it began: evidence
is added up, and whenever the sum falls to zero the stretch begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.processes import EFFECTS
from rollway.judge.quick import quick

NEARLY_ALL = 0.7


@quick
@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch for each row and each effect.

    score: its evidence (nats), shape (rows, effects). totals: the sums of `processes.strata` over all
    intervals, shape (4, rows). begun: the unix seconds at which the stretch began, and what `totals` were
    then, shape (5, rows, effects).
    """

    score: FloatArray
    totals: FloatArray
    begun: FloatArray


@dataclass(frozen=True, slots=True)
class Told:
    """What the stretch of one row says."""

    score: float
    since: float
    trials: int
    candidate_rate: float
    baseline_rate: float


def start(rows: int) -> Stretch:
    effects = len(EFFECTS)
    return Stretch(np.zeros((rows, effects)), np.zeros((4, rows)), np.zeros((5, rows, effects)))


def add(stretch: Stretch, strata: FloatArray, increment: FloatArray, began: float) -> Stretch:
    """One more interval that began at `began`, with this evidence per row and effect."""
    now = np.empty((5, strata.shape[1], 1))
    now[0], now[1:, :, 0] = began, stretch.totals
    score, begun = stretch.score + increment, stretch.begun.copy()
    # Scores are never below 0, so only those at 0 are false.
    np.copyto(begun, now, where=np.logical_not(stretch.score))
    return Stretch(np.maximum(score, _zeros(score.shape), out=score), stretch.totals + strata, begun)


@lru_cache(maxsize=64)
def _zeros(shape: tuple[int, ...]) -> FloatArray:
    return np.zeros(shape)


def choose(score: FloatArray, since: FloatArray) -> int:
    """The effect whose stretch is told: the longest of those that hold most of the evidence.

    The strongest stretch alone would be a lucky burst, and overstate the fault.
    """
    is_strong = score >= NEARLY_ALL * score.max()
    return int(np.argmin(np.where(is_strong, since, np.inf)))


def tell(stretch: Stretch, row: int) -> Told:
    """The numbers of one row's stretch."""
    best = choose(stretch.score[row], stretch.begun[0, row])
    sums = stretch.totals[:, row] - stretch.begun[1:, row, best]
    trials, overlap, candidate, baseline = sums.tolist()
    overlap = max(overlap, 1e-300)
    return Told(
        score=float(stretch.score[row, best]),
        since=float(stretch.begun[0, row, best]),
        trials=round(trials),
        candidate_rate=candidate / overlap,
        baseline_rate=baseline / overlap,
    )
