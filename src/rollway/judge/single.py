"""`difference.compare` of a single row, in plain numbers: the same formulas, several times as quick.

What does not depend on a bet's size is a plain number. Bets of one sign and ratio are a group; all groups
stand side by side in one table, over which what a group has in common is spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rollway.judge import difference as differences
from rollway.judge import trail as trails
from rollway.judge import wager as wagers
from rollway.judge.band import EFFECTS, Band
from rollway.judge.difference import Asked, Difference, Method
from rollway.judge.logs import FloatArray
from rollway.judge.moments import (
    MEAN_MEMORY,
    ROUNDING,
    SMALLEST_SQUARE,
    SPREAD_MEMORY,
    Memory,
    Seen,
    Units,
    View,
    plain,
)
from rollway.judge.onset import Interval

LEAST = 1e-300
BETS = len(EFFECTS)
# Where the bets upwards and downwards stand, of which the band is made.
SHOWN = slice(0, 2 * BETS)
EIGHT = np.ones(8)
HEAVY, BOUNDED = 3, 16
"""How many numbers a group of bets has in common: see `_heavy` and `_bounded`."""

Arm = tuple[float, float, float, float, float]
"""One arm's interval as `moments.Seen` has it: units, total, squares, variance, level."""
Pair = tuple[Arm, Arm]
"""Candidate and baseline."""
Side = tuple[float, float, float, float, float]
"""See `_side`."""
Group = tuple[float, float, bool]
"""The sign and the ratio of some bets, and whether they are on safety."""
Laid = tuple[FloatArray, FloatArray]
"""Gains and stakes of all bets."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where bets stand side by side: upwards first, then downwards, then those of harm and of safety.

    base: every bet's size before it is scaled to its group, shape (bets,). heavy, bounded: where among the
    numbers of all groups, one group after the other, those of each bet stand, shape (numbers, bets).
    """

    groups: tuple[Group, ...]
    base: FloatArray
    heavy: NDArray[np.intp]
    bounded: NDArray[np.intp]
    ones: FloatArray
    harm: slice
    safe: slice


def begin() -> Difference:
    """Before any interval."""
    known = differences.start(1)
    memories = plain(known.candidate), plain(known.baseline)
    return Difference(known.wager, *memories, known.band, known.trail, trails.NOTHING)


def warm(known: Difference, baseline: Units) -> Difference:
    """After an interval without exposure, which only teaches what the old version is like."""
    learned = learn(known.baseline, baseline)
    return Difference(known.wager, known.candidate, learned, known.band, known.trail, known.whole)


def compare(
    known: Difference, arms: tuple[Units, Units], interval: Interval, method: Method, asked: Asked
) -> Difference:
    """The difference after one more interval of candidate and baseline; all of it in plain numbers."""
    own = known.candidate, known.baseline
    learned = learn(own[0], arms[0]), learn(own[1], arms[1])
    if _may_count(own, arms, method):
        memories = lean(own[0], own[1]), own[1]
        pair = view_arms(memories, arms, method, 1.0)
        level = pair[1][4]
        if math.isfinite(pair[0][4] + level) and (asked.harm.ratio == 1.0 or level > 0):
            return _bet(known, learned, memories, arms, pair, interval, method, asked)
    return Difference(known.wager, *learned, known.band, known.trail, known.whole)


def _may_count(own: tuple[Memory, Memory], arms: tuple[Units, Units], method: Method) -> bool:
    """Whether both arms had units, and enough is known of both."""
    return bool(
        arms[0].units > 0
        and arms[1].units > 0
        and own[0].units >= method.needs[0]
        and own[1].units >= method.needs[1]
        and (method.bound is not None or differences.is_spread_known(own[1]))
    )


def _bet(
    known: Difference,
    learned: tuple[Memory, Memory],
    memories: tuple[Memory, Memory],
    arms: tuple[Units, Units],
    pair: Pair,
    interval: Interval,
    method: Method,
    asked: Asked,
) -> Difference:
    harm, safety, dispersion = asked.harm, asked.safety, asked.dispersion
    safe = (0.0, 1.0) if safety is None else (safety.sign, safety.ratio)
    layout = _layout(harm.sign, harm.ratio, *safe)
    gain, stake = _lay(memories, arms, method, pair, asked, layout)
    if not dispersion.is_none:
        seen = Seen(*pair[0]), Seen(*pair[1])
        dull = 1.0 / differences.noise(dispersion, seen, interval.seconds)
        gain, stake = gain * dull, stake * dull
    against = gain[:, layout.harm]
    if harm.allowance:
        against = against - stake[:, layout.harm] * harm.allowance
    for_safety = None
    if safety is not None:
        for_safety = gain[:, layout.safe] - stake[:, layout.safe] * safety.allowance
        if safety.ratio != 1.0 and pair[1][4] <= 0:
            for_safety = np.zeros_like(for_safety)
    (n_t, total_t, _, _, k_t), (n_c, total_c, _, _, k_c) = pair
    levels = k_t + total_t / max(n_t, 1.0), k_c + total_c / max(n_c, 1.0)
    return Difference(
        wagers.add(known.wager, differences.ODDS, interval, against, for_safety),
        *learned,
        Band(known.band.gain + gain[:, SHOWN], known.band.stake + stake[:, SHOWN]),
        trails.extend_one(known.trail, known.whole, against, interval.start),
        trails.prolong_one(known.whole, (n_t, n_c), levels, interval.start),
    )


# --- what is known, and what is seen ----------------------------------------------------------------


def learn(memory: Memory, seen: Units) -> Memory:
    """`moments.learn`."""
    known, mean, other_mean, variance, other_variance, covariance, doubt = memory
    units, total, squares, other_total, other_squares, products = seen
    if units <= 0:
        return memory
    n = units if units > 1.0 else 1.0
    first, other_first = (mean, other_mean) if known > 0 else (total / n, other_total / n)
    fresh = (squares - 2 * first * total) / n + first * first
    other_fresh = (other_squares - 2 * other_first * other_total) / n + other_first * other_first
    both = (products - first * other_total - other_first * total) / n + first * other_first
    paced = (known if known < MEAN_MEMORY else MEAN_MEMORY) + units
    pace = units / (paced if paced > 1.0 else 1.0)
    slowed = (known if known < SPREAD_MEMORY else SPREAD_MEMORY) + units
    slow = units / (slowed if slowed > 1.0 else 1.0)
    left, surprise = 1 - slow, slow * (fresh - variance)
    return Memory(
        known + units,
        first + pace * (total / n - first),
        other_first + pace * (other_total / n - other_first),
        variance + slow * ((fresh if fresh > 0.0 else 0.0) - variance),
        other_variance + slow * ((other_fresh if other_fresh > 0.0 else 0.0) - other_variance),
        covariance + slow * (both - covariance),
        left * left * doubt + surprise * surprise,
    )


def lean(memory: Memory, on: Memory) -> Memory:
    """`moments.leaning` at the strength of `difference.LEANING`."""
    units, mean, other_mean, variance, other_variance, covariance, doubt = memory
    _, to_mean, to_other, to_variance, to_other_variance, to_covariance, to_doubt = on
    part = differences.LEANING / (units + differences.LEANING)
    return Memory(
        units,
        mean + part * (to_mean - mean),
        other_mean + part * (to_other - other_mean),
        variance + part * (to_variance - variance),
        other_variance + part * (to_other_variance - other_variance),
        covariance + part * (to_covariance - covariance),
        doubt + part * (to_doubt - doubt),
    )


def see(seen: Units, memory: Memory, view: View) -> Arm:
    """`moments.see`."""
    units, total, squares, other_total, other_squares, products = seen
    _, _, _, variance, other_variance, covariance, _ = memory
    level, centre, slope, other_centre, scale = view
    spread, smallest = variance, ROUNDING * variance
    if slope:
        k = centre - slope * other_centre
        off = total - slope * other_total - k * units
        about = squares + slope * slope * other_squares + k * k * units
        about -= 2 * (slope * products + k * total - slope * k * other_total)
        spread = variance - 2 * slope * covariance + slope * slope * other_variance
    else:
        off, about = total - centre * units, squares + centre * centre * units - 2 * (centre * total)
    least, squared = off * off / (units if units > 1.0 else 1.0), scale * scale
    squared = squared if squared > SMALLEST_SQUARE else SMALLEST_SQUARE
    return (
        units,
        off / scale,
        (about if about > least else least) / squared,
        (spread if spread > smallest else smallest) / squared,
        level,
    )


def view_arms(
    memories: tuple[Memory, Memory], arms: tuple[Units, Units], method: Method, ratio: float
) -> Pair:
    """`difference.view_arms`."""
    views = method.views(*memories, ratio)
    n_t, total_t, squares_t, v_t, k_t = see(arms[0], memories[0], views[0])
    n_c, total_c, squares_c, v_c, k_c = see(arms[1], memories[1], views[1])
    if method.bound is not None:
        more = method.bound**2 / 4
        known_t, known_c = memories[0].units, memories[1].units
        v_t, v_c = (known_t * v_t + more) / (known_t + 1), (known_c * v_c + more) / (known_c + 1)
    v_t, v_c = (v_t if v_t > LEAST else LEAST), (v_c if v_c > LEAST else LEAST)
    if method.bound is None and v_c > v_t:
        v_t = v_c
    return (n_t, total_t, squares_t, v_t, k_t), (n_c, total_c, squares_c, v_c, k_c)


# --- bets --------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _layout(sign: float, ratio: float, safe_sign: float, safe_ratio: float) -> Layout:
    """The layout of the bets against these nulls of harm and of safety; a sign of 0 where none is asked."""
    groups: list[Group] = [(1.0, 1.0, False), (-1.0, 1.0, False)]
    if (sign, ratio, False) not in groups:
        groups.append((sign, ratio, False))
    at = BETS * groups.index((sign, ratio, False))
    parts = [EFFECTS] * len(groups)
    if safe_sign:
        groups.append((safe_sign, safe_ratio, True))
        parts.append(differences.SAFE_PARTS)
    base = np.concatenate(parts)
    group = np.repeat(np.arange(len(groups)), [len(part) for part in parts])
    return Layout(
        groups=tuple(groups),
        base=base,
        heavy=np.arange(HEAVY)[:, None] + HEAVY * group,
        bounded=np.arange(BOUNDED)[:, None] + BOUNDED * group,
        ones=np.ones(2 * len(base)),
        harm=slice(at, at + BETS),
        safe=slice(len(base) - len(differences.SAFE_PARTS), len(base)),
    )


def _lay(
    memories: tuple[Memory, Memory],
    arms: tuple[Units, Units],
    method: Method,
    at_one: Pair,
    asked: Asked,
    layout: Layout,
) -> Laid:
    """Gain and stake of every bet; see `difference.bet`."""
    told: list[float] = []
    bound = method.bound
    sides = None if bound is None else _sides(at_one, bound)
    for sign, ratio, is_safe in layout.groups:
        pair = at_one
        if ratio != 1.0 and not method.is_alike:
            pair = view_arms(memories, arms, method, ratio)
        (n_t, _, _, v_t, k_t), (n_c, _, _, v_c, k_c) = pair
        scale = math.sqrt(v_t)
        if is_safe and asked.safety is not None:
            way = -asked.safety.allowance - sign * (ratio - 1) * k_c
            scale = v_t / max(way, differences.LEAST_WAY * scale)
        heavier = ratio * (n_t / (n_c if n_c > 1.0 else 1.0))
        scale *= 1 + ratio * heavier * (v_c / v_t)
        level = sign * n_t * (k_t - ratio * k_c)
        if sides is None:
            told += _heavy(pair, sign, heavier, scale, level)
        else:
            told += _bounded(sides, sign, heavier, scale, level)
    numbers = np.fromiter(told, float, len(told))
    if sides is None:
        gain, stake = _heavy_gain(numbers.take(layout.heavy), layout, at_one[0][0])
    else:
        gain, stake = _bounded_gain(numbers.take(layout.bounded), layout, at_one[0][0])
    return gain.reshape(1, -1), stake.reshape(1, -1)


def _heavy(pair: Pair, sign: float, heavier: float, scale: float, level: float) -> tuple[float, ...]:
    """The scale of stakes, and a and b of the gain l a - l^2 b on a candidate's stake l (see
    `betting.heavy_gain`)."""
    (n_t, total_t, squares_t, v_t, _), (n_c, total_c, squares_c, v_c, _) = pair
    spent_t, spent_c = squares_t + 2 * n_t * v_t, squares_c + 2 * n_c * v_c
    slope = sign * (total_t - heavier * total_c) + level
    return scale, slope, (spent_t + heavier * heavier * spent_c) / 6


def _heavy_gain(columns: FloatArray, layout: Layout, units: float) -> Laid:
    scale, slope, spent = columns
    size = layout.base / scale
    gain = slope - size * spent
    gain *= size
    return gain, size * units


def _sides(pair: Pair, bound: float) -> tuple[tuple[Side, Side], tuple[Side, Side]]:
    """Bets upwards and downwards, each on the figures of both arms: of the baseline the other way."""
    (n_t, total_t, squares_t, v_t, k_t), (n_c, total_c, squares_c, v_c, k_c) = pair
    below_t = (k_t if k_t < bound else bound) if k_t > 0.0 else 0.0
    below_c = (k_c if k_c < bound else bound) if k_c > 0.0 else 0.0
    above_t, above_c = bound - below_t, bound - below_c
    return (
        (
            _side(n_t, total_t, squares_t, v_t, below_t, above_t),
            _side(n_c, -total_c, squares_c, v_c, above_c, below_c),
        ),
        (
            _side(n_t, -total_t, squares_t, v_t, above_t, below_t),
            _side(n_c, total_c, squares_c, v_c, below_c, above_c),
        ),
    )


def _side(units: float, total: float, squares: float, variance: float, floor: float, ceiling: float) -> Side:
    """What `betting.bounded_gain` needs of one arm's figures f that lie above -b, b being `floor`: b, t, and
    what comes before log(1 + l t), log(1 - l b) and m = l/(1 + l t) in the gain.

    With u = m (b + t) and s the sum of (f - t)^2 over (b + t)^2 its m^2 h(u) (b + t)^2 is -log(1 - u) - u,
    where 1 - u = (1 - l b)/(1 + l t). So the gain is (n - s) log(1 + l t) + s log(1 - l b) + m (sum of
    (f - t) + s (b + t)). That loses no digits that the gain as a whole still has.
    """
    touch = variance / (floor if floor > LEAST else LEAST)
    touch = touch if touch < ceiling else ceiling
    touching, reach = units * touch, floor + touch
    off = squares + touch * (touching - 2 * total)
    off = off / reach / reach if off > 0.0 else 0.0
    return floor, touch, units - off, off, total - touching + off * reach


def _bounded(
    sides: tuple[tuple[Side, Side], tuple[Side, Side]],
    sign: float,
    heavier: float,
    scale: float,
    level: float,
) -> tuple[float, ...]:
    """The scale of stakes, what a bet can lose per stake, its largest stake, the baseline's part of it, and
    what `_bounded_gain` takes of both arms."""
    own, other = sides[0] if sign > 0 else sides[1]
    (floor_t, touch_t, *weights_t), (floor_c, touch_c, *weights_c) = own, other
    loss = heavier * floor_c
    loss = floor_t if floor_t > loss else loss
    largest = differences.LARGEST_RISK / (loss if loss > LEAST else LEAST)
    (up_t, down_t, bent_t), (up_c, down_c, bent_c) = weights_t, weights_c
    of_logs = touch_t, touch_c, -floor_t, -floor_c
    return scale, loss, largest, heavier, *of_logs, up_t, up_c, down_t, down_c, bent_t, bent_c, level, 0.0


def _bounded_gain(columns: FloatArray, layout: Layout, units: float) -> Laid:
    """As `difference.bet` and `betting.bounded_gain`, with both arms and all terms side by side."""
    bets = layout.base.size
    told, size = np.empty((8, bets)), columns[0]
    flat = told.ravel()
    arms, logs, bent, stakes = flat[: 2 * bets], flat[: 4 * bets], flat[4 * bets : 6 * bets], flat[6 * bets :]
    np.add(layout.base * columns[1], size, out=size)
    np.divide(layout.base, size, out=size)
    size = np.minimum(size, columns[2], out=told[6])
    np.multiply(size, columns[3], out=told[7])
    np.multiply(stakes, columns[4:6].ravel(), out=arms)
    np.multiply(stakes, columns[6:8].ravel(), out=logs[2 * bets :])
    np.divide(stakes, arms + layout.ones, out=bent)
    np.log1p(logs, out=logs)
    stake = size * units
    told *= columns[8:]
    return EIGHT.dot(told), stake
