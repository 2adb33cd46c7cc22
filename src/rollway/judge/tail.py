"""What a slower version's durations could look like, drawn from the old version's own: what to bet on.

Laws are given as survival: the share of requests above each bound, shape (bounds,). Between bounds the
log odds of being slower are taken to fall evenly in log seconds, as they nearly do for log-normal and
log-logistic durations. A poor guess costs evidence, never validity.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from rollway.judge.logs import FloatArray, floats

# Every duration takes this many times as long ...
SCALES = (1.03, 1.08, 1.18, 1.5, 3.0)
# ... or only the slow ones do: not at all for the fastest 90%, wholly for the slowest 1%.
RAMPS = (1.08, 1.2, 1.6)
RAMP_FROM, RAMP_TO = 0.1, 0.01
# ... or the slowest 3% grow in number, the more so the slower they are: S -> S0 (S/S0)^power.
POWERS = (0.5, 0.25)
POWER_FROM = 0.03

LOG_FACTORS = floats(*map(math.log, (*SCALES, *RAMPS)))
BETS = len(SCALES) + len(RAMPS) + len(POWERS)
# Small faults get more, for a large one is found at once whatever its prior.
PRIOR = floats(0.08, 0.23, 0.09, 0.05, 0.02, 0.19, 0.15, 0.04, 0.11, 0.04)

# A share of the old version's that rests on no request at all must not carry a boundless bet.
LARGEST_BEND = 64.0
# Requests that are added to every bucket before shares are taken.
PSEUDO_REQUESTS = 0.25
LEAST_SHARE = 1e-12
# What the log odds fall by per unit of log seconds where there is one bound only.
USUAL_SLOPE = -3.0
# Where in the law the tolerance is turned into a factor of time.
TOLERATED_AT = 0.1
LARGEST_LOG_ODDS = 30.0
# Above these odds of being slower than a bound hardly anything is faster: less than 1%.
FLOOR_LOG_ODDS = math.log(99)


def shares(counts: FloatArray) -> FloatArray:
    """The share of each bucket, shape (buckets,), never quite 0; they add up to 1, or nearly so."""
    found: FloatArray = counts + PSEUDO_REQUESTS
    requests = float(np.add.reduce(found))
    found /= requests
    return found if LEAST_SHARE * requests < PSEUDO_REQUESTS else np.maximum(found, LEAST_SHARE, out=found)


def bends(bounds: FloatArray, counts: FloatArray, tolerance: float) -> FloatArray:
    """For every bet how much likelier than tolerated each bucket becomes, shape (BETS, buckets).

    `counts` are the old version's requests per bucket, shape (buckets,). Each row is positive and never
    falls from one bucket to the next, which is what the bets' validity rests on (see `tilt`).
    """
    old = shares(counts)
    survival = np.clip(np.cumsum(old[::-1])[::-1][1:], LEAST_SHARE, 1 - LEAST_SHARE)
    slower = np.minimum.accumulate(_slower(bounds, survival, tolerance), axis=-1)
    new = -np.diff(slower, axis=-1, prepend=1.0, append=0.0)
    ratio = np.clip(_rising(new, old), 1 / LARGEST_BEND, LARGEST_BEND)
    return _beyond(tolerance, survival, slower, old, new, ratio)


def _slower(bounds: FloatArray, survival: FloatArray, tolerance: float) -> FloatArray:
    """The survival of the slower laws, shape (BETS, bounds).

    All begin where the tolerance ends: with the factor of time that makes the slowest tenth grow by just
    as much, for a law that is wholly within tolerance is nothing to bet on.
    """
    odds = np.log(survival / (1 - survival))
    seconds = np.log(np.maximum(bounds, 1e-9)) + 1e-9 * np.arange(len(bounds))
    begin = _tolerated(seconds, odds, tolerance)
    gentle = _gentle(seconds, odds)
    scaled = np.maximum(_shifted(seconds, gentle, begin + LOG_FACTORS), odds)
    ramp = np.clip(np.log(survival / RAMP_FROM) / math.log(RAMP_TO / RAMP_FROM), 0.0, 1.0)
    scaled[len(SCALES) :] = odds + ramp * (scaled[len(SCALES) :] - odds)
    grown = [
        np.where(
            survival < POWER_FROM,
            np.minimum(POWER_FROM, tolerance * POWER_FROM * (survival / POWER_FROM) ** power),
            survival,
        )
        for power in POWERS
    ]
    return np.concatenate([1 / (1 + np.exp(-scaled)), np.stack(grown)])


def _tolerated(seconds: FloatArray, odds: FloatArray, tolerance: float) -> float:
    """log of the factor of time that makes the share above the old p90 `tolerance` times as large."""
    share = min(tolerance * TOLERATED_AT, 1 - TOLERATED_AT)
    wanted = np.log([TOLERATED_AT / (1 - TOLERATED_AT), share / (1 - share)])
    before, after = np.interp(-wanted, -odds, seconds)
    return max(0.0, float(before - after))


def _gentle(seconds: FloatArray, odds: FloatArray) -> FloatArray:
    """The log odds, but where hardly anything is faster no steeper than twice what is seen further up.

    Durations often have a floor: the least bucket that has requests says that nearly all are slower than
    its lower end, not that they lie in its midst.
    """
    gentle, widths, steepest = odds.tolist(), np.diff(seconds).tolist(), 0.0
    for i in range(len(gentle) - 2, -1, -1):
        slope = (gentle[i] - gentle[i + 1]) / widths[i]
        if gentle[i] > FLOOR_LOG_ODDS and 0 < 2 * steepest < slope:
            slope = 2 * steepest
            gentle[i] = gentle[i + 1] + slope * widths[i]
        steepest = max(steepest, slope)
    return np.array(gentle)


def _shifted(seconds: FloatArray, odds: FloatArray, by: FloatArray) -> FloatArray:
    """log odds of being slower than each bound once everything takes exp(by) as long, shape (*by, bounds).

    Where there is nothing to interpolate between, the slope at the nearer end goes on.
    """
    by = by[:, np.newaxis]
    if len(seconds) < 2:
        return odds - USUAL_SLOPE * by
    wanted = seconds - by
    left = np.clip(np.searchsorted(seconds, wanted) - 1, 0, len(seconds) - 2)
    part = (wanted - seconds[left]) / (seconds[left + 1] - seconds[left])
    found = odds[left] + part * (odds[left + 1] - odds[left])
    return np.clip(found, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)


def _rising(new: FloatArray, old: FloatArray) -> FloatArray:
    """new/old per bucket, made to rise by pooling neighbours where it falls, shape (BETS, buckets).

    Isotonic regression by pooling adjacent violators (Ayer et al. 1955): a block whose ratio of sums is not
    above that of the block before it becomes one with it.
    """
    upto_new, upto_old = (np.cumsum(each, axis=-1) for each in (new, old))
    before_new, before_old = upto_new - new, upto_old - old
    alone = (upto_new - before_new) / (upto_old - before_old)
    ends, begins = upto_old.tolist(), before_old.tolist()
    rows = [
        _pooled(ratios, upto, before, ends, begins)
        for ratios, upto, before in zip(alone.tolist(), upto_new.tolist(), before_new.tolist(), strict=True)
    ]
    return np.maximum.accumulate(np.array(rows), axis=-1)


def _pooled(
    alone: list[float],
    upto_new: list[float],
    before_new: list[float],
    upto_old: list[float],
    before_old: list[float],
) -> list[float]:
    """Isotonic ratios of one row, from each bucket's own, and sums up to and before it of both laws."""
    begins: list[int] = []
    ratios: list[float] = []
    last = -math.inf
    for end, own in enumerate(alone):
        begin, ratio = end, own
        while last >= ratio:
            begin = begins.pop()
            ratios.pop()
            ratio = (upto_new[end] - before_new[begin]) / (upto_old[end] - before_old[begin])
            last = ratios[-1] if ratios else -math.inf
        begins.append(begin)
        ratios.append(ratio)
        last = ratio
    widths = [following - begin for begin, following in pairwise([*begins, len(alone)])]
    return [ratio for ratio, width in zip(ratios, widths, strict=True) for _ in range(width)]


def _beyond(
    tolerance: float,
    survival: FloatArray,
    slower: FloatArray,
    old: FloatArray,
    new: FloatArray,
    ratio: FloatArray,
) -> FloatArray:
    """The ratio of shares beyond tolerance, with all buckets up to the best k taken as one.

        m_j = r_j / rho above k,    m_0 = (1 - S'_k) / (1 - rho S_k) up to k

    is the likelihood ratio of the slower law S' and of the law nearest to it that is tolerated: rho times
    the old one above k, like the slower one below. k is where the bet, once `tilt.normed`, grows fastest
    under the slower law: (1 - S'_k) log m_0 + sum_{j>k} new_j log m_j - log(price). Where no k makes it
    grow the row is 1: no bet.
    """
    ratio = ratio / tolerance
    is_room = tolerance * survival < 1
    first = np.where(is_room, (1 - slower) / np.where(is_room, 1 - tolerance * survival, 1.0), 1.0)
    is_room = is_room & (first <= ratio[:, 1:] * (1 + 1e-9))
    gain = np.cumsum((new * np.log(ratio))[:, ::-1], axis=-1)[:, ::-1][:, 1:]
    cost = tolerance * np.cumsum((old * ratio)[:, ::-1], axis=-1)[:, ::-1][:, 1:]
    price = np.where(is_room, (1 - tolerance * survival) * first + cost, 1.0)
    growth = np.where(is_room, (1 - slower) * np.log(np.maximum(first, 1e-12)) + gain - np.log(price), 0.0)
    best = np.argmax(growth, axis=-1)[:, np.newaxis]
    is_bet = np.take_along_axis(growth, best, axis=-1) > 0
    lowest = np.where(is_bet, np.take_along_axis(first, best, axis=-1), 1.0)
    is_low = np.arange(len(old)) <= np.where(is_bet, best, len(old))
    return np.where(is_low, lowest, np.maximum(lowest, ratio))
