"""Both versions' histograms as one table: checked, added up and turned into numbers once for a reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct, error

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.model import Histogram
from rollway.judge.plausible import LARGEST_COUNT
from rollway.judge.quick import quick

Bounds = tuple[float, ...]

NUMBERS = frozenset({int, float})


@quick
@dataclass(frozen=True, slots=True)
class Pair:
    """The samples, the bounds that both have, their counts, shape (2, buckets), and what these add up to.

    Where there is no sample nothing is counted.
    """

    new: object
    old: object
    bounds: Bounds
    counts: FloatArray
    trials: tuple[float, float]


# What was paired last: a reading is first checked and then judged, and turning 150 counts into numbers
# twice would cost as much as all bets on the cuts. Whether it is kept changes no result.
_LAST = [Pair(None, None, (), np.zeros((2, 1)), (0.0, 0.0))]


def pair(new: object, old: object, bounds: Bounds) -> Pair | None:
    """Both samples, where each is None or sure to be plausible: with these bounds, which were checked
    before, and counts that look right at first sight. Else None; then `plausible.is_histogram` tells."""
    last = _LAST[0]
    if new is last.new and old is last.old and bounds is last.bounds:
        return last
    size = len(bounds) + 1
    try:
        first, second = _counts(new, bounds, size), _counts(old, bounds, size)
        if first is None or second is None:
            return None
        total, other = sum(first), sum(second)
        # A sum of whole numbers is one, and one with floats among them is a float; of anything else it is
        # neither. With a NaN among them it is no number that is below another.
        if type(total) not in NUMBERS or type(other) not in NUMBERS:
            return None
        if not (total <= LARGEST_COUNT and other <= LARGEST_COUNT):
            return None
        pack = _doubles(size).pack
        packed = pack(*first) + pack(*second)
    except (TypeError, OverflowError, error):
        return None
    counts = np.ndarray((2, size), np.float64, packed)
    if np.count_nonzero(np.signbit(counts)):
        return None
    made = Pair(new, old, bounds, counts, (float(total), float(other)))
    _LAST[0] = made
    return made


def trials_of(sample: Histogram) -> float:
    """How many requests it has."""
    last = _LAST[0]
    if sample is last.new:
        return last.trials[0]
    return last.trials[1] if sample is last.old else float(sum(sample.counts))


def _counts(sample: object, bounds: Bounds, size: int) -> tuple[float, ...] | None:
    """The counts of a sample with these bounds, or of no sample; None for any other."""
    if not isinstance(sample, Histogram):
        return _nothing(size) if sample is None else None
    is_same = sample.bounds is bounds or sample.bounds == bounds
    return sample.counts if is_same and len(sample.counts) == size else None


@lru_cache(maxsize=64)
def _nothing(size: int) -> tuple[float, ...]:
    return (0.0,) * size


@lru_cache(maxsize=64)
def _doubles(number: int) -> Struct:
    """Packs so many numbers as an array has them: the quickest way from a tuple to a table."""
    return Struct(f"{number}d")
