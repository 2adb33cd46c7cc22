"""Sums over units: what an interval holds, what those before it taught, and how its figures are seen."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TypeGuard

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.model import Counts, Moments, Sample
from rollway.judge.plausible import LARGEST_COUNT, are_counts, is_finite

# The mean follows the last units or so, for means drift; the spread changes less and is harder to learn.
MEAN_MEMORY = 2_000.0
SPREAD_MEMORY = 50_000.0
# Sums of floats are exact to about this part of their largest term.
ROUNDING = 1e-6
# No sum is larger, so that squares of them are still numbers.
LARGEST_SUM = 1e120
# Squares below this are no longer numbers with digits.
SMALLEST_SQUARE = 1e-300


@dataclass(frozen=True, slots=True)
class Units:
    """The sums of `Moments` of one arm and interval, each of shape (rows,)."""

    units: FloatArray
    total: FloatArray
    squares: FloatArray
    other_total: FloatArray
    other_squares: FloatArray
    products: FloatArray


@dataclass(frozen=True, slots=True)
class Memory:
    """What one arm's earlier intervals taught of a single unit's figures y and x, each of shape (rows,).

    variance, other_variance and covariance are taken about the mean as it was known beforehand. doubt: the
    squared standard error of `variance`, from how it differed from interval to interval.
    """

    units: FloatArray
    mean: FloatArray
    other_mean: FloatArray
    variance: FloatArray
    other_variance: FloatArray
    covariance: FloatArray
    doubt: FloatArray


@dataclass(frozen=True, slots=True)
class View:
    """How a unit's figures y and x are seen: f = (y - centre - slope (x - other_centre)) / scale.

    level: what the arm's mean (or quotient) is when f is 0 on average; NaN where f is not known yet. scale
    is above 0. Each of shape (rows,).
    """

    level: FloatArray
    centre: FloatArray
    slope: FloatArray
    other_centre: FloatArray
    scale: FloatArray


@dataclass(frozen=True, slots=True)
class Seen:
    """One arm's interval as seen: units, the sums of f and f^2, and what was known of f beforehand.

    variance: of f; level: see View. Each of shape (rows,).
    """

    units: FloatArray
    total: FloatArray
    squares: FloatArray
    variance: FloatArray
    level: FloatArray


def units_of(sample: Sample | None) -> Units:
    """The sample's sums, one row; bad among trials are figures of 0 and 1, and no sample is no units."""
    if isinstance(sample, Counts):
        sample = Moments(sample.trials, float(sample.bad), float(sample.bad))
    if not isinstance(sample, Moments):
        sample = Moments(0, 0.0, 0.0)
    return Units(*(np.array([float(value)]) for value in astuple(sample)))


def nothing(rows: int) -> Units:
    """No units, `rows` times."""
    return Units(*(np.zeros(rows) for _ in range(6)))


def plus(first: Units, second: Units) -> Units:
    """Both together."""
    return Units(*(a + b for a, b in zip(_values(first), _values(second), strict=True)))


def are_moments(sample: Sample | None) -> TypeGuard[Moments | Counts | None]:
    """Whether there can be figures with these sums; an absent sample can.

    None is beyond all measure; no units have no sums; and the mean of squares is never below the square
    of the mean (Cauchy & Schwarz), which bounds the products too.
    """
    if sample is None or are_counts(sample):
        return True
    if not isinstance(sample, Moments):
        return False
    values = astuple(sample)
    if not all(is_finite(value) and abs(value) <= LARGEST_SUM for value in values):
        return False
    n, total, squares, other_total, other_squares, products = values
    if not (0 <= n <= LARGEST_COUNT and squares >= 0 and other_squares >= 0):
        return False
    if n == 0:
        return not any(values)
    # Squares of the smallest figures may have been lost.
    root, other_root = (math.sqrt(value + n * SMALLEST_SQUARE) for value in (squares, other_squares))
    pairs = (
        (abs(total), math.sqrt(n) * root),
        (abs(other_total), math.sqrt(n) * other_root),
        (abs(products), root * other_root),
    )
    return all(left <= right * (1 + ROUNDING) for left, right in pairs)


def is_within(sample: Sample | None, low: float, high: float) -> bool:
    """Whether the sums allow that every figure y lies between `low` <= 0 and `high` >= 0."""
    seen = units_of(sample)
    n, total, squares = float(seen.units[0]), float(seen.total[0]), float(seen.squares[0])
    slack = ROUNDING * max(high, -low) * n
    largest = max(high, -low)
    most = (low + high) * total - low * high * n
    return low * n - slack <= total <= high * n + slack and squares <= most + slack * largest


def no_memory(rows: int) -> Memory:
    return Memory(*(np.zeros(rows) for _ in range(7)))


def learn(memory: Memory, seen: Units) -> Memory:
    """The memory after one more interval; rows without units stay as they were.

    Mean and spread are running averages over units. Spread is taken about the mean known beforehand, so
    a drift between intervals counts as spread: that makes the tests slower, never rasher.
    """
    n = np.maximum(seen.units, 1.0)
    is_first = memory.units <= 0
    mean = np.where(is_first, seen.total / n, memory.mean)
    other = np.where(is_first, seen.other_total / n, memory.other_mean)
    fresh = (
        (seen.squares - 2 * mean * seen.total) / n + mean**2,
        (seen.other_squares - 2 * other * seen.other_total) / n + other**2,
        (seen.products - mean * seen.other_total - other * seen.total) / n + mean * other,
    )
    pace = seen.units / np.maximum(np.minimum(memory.units, MEAN_MEMORY) + seen.units, 1.0)
    slow = seen.units / np.maximum(np.minimum(memory.units, SPREAD_MEMORY) + seen.units, 1.0)
    return Memory(
        units=memory.units + seen.units,
        mean=np.where(seen.units > 0, mean + pace * (seen.total / n - mean), memory.mean),
        other_mean=np.where(seen.units > 0, other + pace * (seen.other_total / n - other), memory.other_mean),
        variance=memory.variance + slow * (np.maximum(fresh[0], 0.0) - memory.variance),
        other_variance=memory.other_variance + slow * (np.maximum(fresh[1], 0.0) - memory.other_variance),
        covariance=memory.covariance + slow * (fresh[2] - memory.covariance),
        doubt=(1 - slow) ** 2 * memory.doubt + (slow * (fresh[0] - memory.variance)) ** 2,
    )


def leaning(memory: Memory, on: Memory, strength: float) -> Memory:
    """The memory with what `on` knows added, as if `strength` units had taught it."""
    part = strength / (memory.units + strength)
    pairs = zip(_values(memory)[1:], _values(on)[1:], strict=True)
    return Memory(memory.units, *(own + part * (other - own) for own, other in pairs))


def see(seen: Units, memory: Memory, view: View) -> Seen:
    """The interval's f, with its variance from memory: never less than rounding leaves of that of y."""
    n, slope = seen.units, view.slope
    k = view.centre - slope * view.other_centre
    total = seen.total - slope * seen.other_total - k * n
    squares = (
        seen.squares
        + slope**2 * seen.other_squares
        + k**2 * n
        - 2 * (slope * seen.products + k * seen.total - slope * k * seen.other_total)
    )
    squares = np.maximum(squares, total**2 / np.maximum(n, 1.0))
    variance = memory.variance - 2 * slope * memory.covariance + slope**2 * memory.other_variance
    variance = np.maximum(variance, ROUNDING * memory.variance)
    scale = view.scale
    return Seen(n, total / scale, squares / scale**2, variance / scale**2, view.level)


def _values(of: Units | Memory) -> tuple[FloatArray, ...]:
    return tuple(getattr(of, name) for name in of.__slots__)
