"""Sums over units: what an interval holds, what those before it taught, and how its figures are seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple, TypeGuard, TypeVar, cast

import numpy as np

from rollway.judge.model import Counts, Moments, Sample
from rollway.judge.plausible import LARGEST_COUNT, NUMBER, are_counts
from rollway.judge.rows import Row, either, larger, smaller

# The mean follows the last units or so, for means drift; the spread changes less and is harder to learn.
MEAN_MEMORY = 2_000.0
SPREAD_MEMORY = 50_000.0
# Sums of floats are exact to about this part of their largest term.
ROUNDING = 1e-6
# No sum is larger, so that squares of them are still numbers.
LARGEST_SUM = 1e120
# Squares below this are no longer numbers with digits.
SMALLEST_SQUARE = 1e-300
NO_SUMS = (0.0,) * 6
NUMBERS = frozenset({int, float})


class Units(NamedTuple):
    """The sums of `Moments` of one arm and interval, each of shape (rows,)."""

    units: Row
    total: Row
    squares: Row
    other_total: Row
    other_squares: Row
    products: Row


NOTHING = Units(*NO_SUMS)
"""No units, as plain numbers."""


class Memory(NamedTuple):
    """What one arm's earlier intervals taught of a single unit's figures y and x, each of shape (rows,).

    variance, other_variance and covariance are taken about the mean as it was known beforehand. doubt: the
    squared standard error of `variance`, from how it differed from interval to interval.
    """

    units: Row
    mean: Row
    other_mean: Row
    variance: Row
    other_variance: Row
    covariance: Row
    doubt: Row


S = TypeVar("S", Units, Memory)
Six = tuple[float, float, float, float, float, float]


class View(NamedTuple):
    """How a unit's figures y and x are seen: f = (y - centre - slope (x - other_centre)) / scale.

    level: what the arm's mean (or quotient) is when f is 0 on average; NaN where f is not known yet. scale
    is above 0. Each of shape (rows,).
    """

    level: Row
    centre: Row
    slope: Row
    other_centre: Row
    scale: Row


class Seen(NamedTuple):
    """One arm's interval as seen: units, the sums of f and f^2, and what was known of f beforehand.

    variance: of f; level: see View. Each of shape (rows,).
    """

    units: Row
    total: Row
    squares: Row
    variance: Row
    level: Row


def units_of(sample: Sample | None) -> Units:
    """The sample's sums as plain numbers; bad among trials are figures of 0 and 1, no sample is no units."""
    return Units(*map(float, _sums(sample)))


def plain(of: S) -> S:
    """One row's sums or memory as plain numbers."""
    return type(of)(*[each.item() for each in of])


def tables(of: S) -> S:
    """Plain numbers as tables of one row again."""
    return type(of)(*np.array(of)[:, np.newaxis])


def number_of(sample: Sample | None) -> float:
    """How many units the sample has."""
    return float(sample.units) if isinstance(sample, Moments) else float(_sums(sample)[0])


def _sums(sample: Sample | None) -> Six:
    if isinstance(sample, Moments):
        return _of_moments(sample)
    if isinstance(sample, Counts):
        return sample.trials, sample.bad, sample.bad, 0.0, 0.0, 0.0
    return NO_SUMS


def plus(first: Units, second: Units) -> Units:
    """Both together."""
    n, total, squares, other_total, other_squares, products = first
    m, more, more_squares, more_other, more_other_squares, more_products = second
    return Units(
        n + m,
        total + more,
        squares + more_squares,
        other_total + more_other,
        other_squares + more_other_squares,
        products + more_products,
    )


def are_moments(sample: Sample | None) -> TypeGuard[Moments | Counts | None]:
    """Whether there can be figures with these sums; an absent sample can.

    None is beyond all measure; no units have no sums; and the mean of squares is never below the square
    of the mean (Cauchy & Schwarz), which bounds the products too.
    """
    if not isinstance(sample, Moments):
        return sample is None or are_counts(sample)
    values = n, total, squares, other_total, other_squares, products = _of_moments(sample)
    if not (NUMBERS.issuperset(map(type, values)) or all(isinstance(value, NUMBER) for value in values)):
        return False
    if not (0 <= n <= LARGEST_COUNT and 0 <= squares <= LARGEST_SUM and 0 <= other_squares <= LARGEST_SUM):
        return False
    if n == 0:
        return not any(values)
    # Squares of the smallest figures may have been lost.
    lost, most = n * SMALLEST_SQUARE, math.sqrt(n) * (1 + ROUNDING)
    root, other_root = math.sqrt(squares + lost), math.sqrt(other_squares + lost)
    # With squares that are no larger than LARGEST_SUM, these bounds are not either.
    most_product = root * other_root * (1 + ROUNDING)
    return (
        -most * root <= total <= most * root
        and -most * other_root <= other_total <= most * other_root
        and -most_product <= products <= most_product
    )


def is_within(sample: Sample | None, low: float, high: float) -> bool:
    """Whether the sums allow that every figure y lies between `low` <= 0 and `high` >= 0."""
    if isinstance(sample, Moments):
        n, total, squares = float(sample.units), float(sample.total), float(sample.squares)
    else:
        n, total, squares, *_ = _sums(sample)
    largest = high if high > -low else -low
    slack = ROUNDING * largest * n
    most = (low + high) * total - low * high * n
    return low * n - slack <= total <= high * n + slack and squares <= most + slack * largest


def no_memory(rows: int) -> Memory:
    return Memory(*(np.zeros(rows) for _ in range(7)))


def learn(memory: Memory, seen: Units) -> Memory:
    """The memory after one more interval; rows without units stay as they were.

    Mean and spread are running averages over units. Spread is taken about the mean known beforehand, so
    a drift between intervals counts as spread: that makes the tests slower, never rasher.
    """
    n = larger(seen.units, 1.0)
    is_first, is_seen = memory.units <= 0, seen.units > 0
    mean = either(is_first, seen.total / n, memory.mean)
    other = either(is_first, seen.other_total / n, memory.other_mean)
    fresh = (
        (seen.squares - 2 * mean * seen.total) / n + mean * mean,
        (seen.other_squares - 2 * other * seen.other_total) / n + other * other,
        (seen.products - mean * seen.other_total - other * seen.total) / n + mean * other,
    )
    pace = seen.units / larger(smaller(memory.units, MEAN_MEMORY) + seen.units, 1.0)
    slow = seen.units / larger(smaller(memory.units, SPREAD_MEMORY) + seen.units, 1.0)
    left, surprise = 1 - slow, slow * (fresh[0] - memory.variance)
    return Memory(
        units=memory.units + seen.units,
        mean=either(is_seen, mean + pace * (seen.total / n - mean), memory.mean),
        other_mean=either(is_seen, other + pace * (seen.other_total / n - other), memory.other_mean),
        variance=memory.variance + slow * (larger(fresh[0], 0.0) - memory.variance),
        other_variance=memory.other_variance + slow * (larger(fresh[1], 0.0) - memory.other_variance),
        covariance=memory.covariance + slow * (fresh[2] - memory.covariance),
        doubt=left * left * memory.doubt + surprise * surprise,
    )


def leaning(memory: Memory, on: Memory, strength: float) -> Memory:
    """The memory with what `on` knows added, as if `strength` units had taught it."""
    part = strength / (memory.units + strength)
    pairs = zip(memory[1:], on[1:], strict=True)
    return Memory(memory.units, *[own + part * (others - own) for own, others in pairs])


def see(seen: Units, memory: Memory, view: View) -> Seen:
    """The interval's f, with its variance from memory: never less than rounding leaves of that of y."""
    n, slope = seen.units, view.slope
    k = view.centre - slope * view.other_centre
    total = seen.total - slope * seen.other_total - k * n
    squares = (
        seen.squares
        + slope * slope * seen.other_squares
        + k * k * n
        - 2 * (slope * seen.products + k * seen.total - slope * k * seen.other_total)
    )
    squares = larger(squares, total * total / larger(n, 1.0))
    variance = memory.variance - 2 * slope * memory.covariance + slope * slope * memory.other_variance
    variance = larger(variance, ROUNDING * memory.variance)
    scale, squared = view.scale, larger(view.scale * view.scale, SMALLEST_SQUARE)
    return Seen(n, total / scale, squares / squared, variance / squared, view.level)


_of_moments = cast("Callable[[Moments], Six]", attrgetter(*Moments.__slots__))
