"""Plain totals of both arms, for people: per bucket, how many requests fell into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Tally:
    """Arrays of shape (buckets,), in rising order of badness; a rate has the buckets good and bad.

    Once the new version is exposed, only intervals with exposure count.
    """

    candidate: FloatArray
    baseline: FloatArray
    is_exposed: bool = False


def start(buckets: int) -> Tally:
    return Tally(np.zeros(buckets), np.zeros(buckets))


def count(tally: Tally, candidate: FloatArray, baseline: FloatArray, share: float) -> Tally:
    """The totals after one more interval."""
    if share > 0 and not tally.is_exposed:
        return Tally(candidate, baseline, is_exposed=True)
    if share <= 0 and tally.is_exposed:
        return tally
    return Tally(tally.candidate + candidate, tally.baseline + baseline, tally.is_exposed)


def above(buckets: FloatArray, cut: int) -> float:
    """How many fell into the buckets above `cut`."""
    return float(buckets[cut + 1 :].sum())


def rate(buckets: FloatArray, cut: int) -> float | None:
    """The share above `cut`; None without any trial."""
    trials = float(buckets.sum())
    return above(buckets, cut) / trials if trials > 0 else None
