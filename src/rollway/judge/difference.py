"""The difference of two means, compared interval by interval: harm, safety, and the difference itself.

symbol   meaning
n_t n_c  units of candidate and baseline in an interval
m_t m_c  their means in that interval, unknown and free to drift
s r a    the null: s (m_t - r m_c) <= a
l_t l_c  stakes on a unit's figure, upwards for the candidate where s is 1
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rollway.judge import trail as trails
from rollway.judge import wager as wagers
from rollway.judge.betting import bounded_gain, heavy_gain, reach
from rollway.judge.dispersion import NONE, Dispersion
from rollway.judge.logs import FloatArray, floats, log_sum
from rollway.judge.model import GuardRule
from rollway.judge.moments import Memory, Seen, Units, View, leaning, learn, no_memory, see
from rollway.judge.onset import Interval
from rollway.judge.trail import Trail
from rollway.judge.wager import Odds, Wager

CONFIDENCE = 0.95
# Bets on differences of so many standard deviations of one unit; a factor of 2 between two of them costs
# at most a ninth of the evidence.
EFFECTS = floats(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
LOG_EFFECT_PRIOR = np.log(floats(0.04, 0.08, 0.12, 0.16, 0.18, 0.16, 0.12, 0.08, 0.06))
# Bets on safety, as parts of the way from equality to the margin.
SAFE_PARTS = floats(0.3, 0.6, 1.0, 1.6)
LOG_SAFE_PRIOR = np.log(floats(0.2, 0.3, 0.35, 0.15))
LEAST_WAY = 0.01
ODDS = Odds(LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR)
# With how many units' weight the new version's mean and spread lean on the old one's.
LEANING = 30.0
# How large the standard error of the variance may be, as a part of it, where bets rest on it.
LARGEST_DOUBT = 0.5
# How much of its wealth a bounded bet may lose to a single figure.
LARGEST_RISK = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Null:
    """s (m_t - r m_c) <= a, with sign s, ratio r and allowance a (in the KPI's unit)."""

    sign: float
    ratio: float
    allowance: float


@dataclass(frozen=True, slots=True)
class Method:
    """How a kind looks at units and bets on them.

    views(candidate, baseline, ratio) says how each arm's figures are seen, such that what both have in
    common cancels in f_t - ratio f_c. bound: all figures lie in 0..bound, and bets are exact; None: they
    are asymptotic. needs: units of candidate and baseline that must be known before anything counts.
    """

    views: Callable[[Memory, Memory, float], tuple[View, View]]
    bound: float | None
    needs: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an interval is tested for; safety None where the stage asks for no proof."""

    harm: Null
    safety: Null | None = None
    dispersion: Dispersion = NONE


@dataclass(frozen=True, slots=True)
class Band:
    """Sums over all intervals of gains and stakes against m_t - m_c <= a and >= a, for any a.

    Each of shape (rows, effects): log wealth is gain - stake a upwards, gain + stake a downwards.
    """

    up_gain: FloatArray
    up_stake: FloatArray
    down_gain: FloatArray
    down_stake: FloatArray


@dataclass(frozen=True, slots=True)
class Difference:
    """All that comparing two means teaches. `whole` is a trail that never begins anew: shape (rows, 1)."""

    wager: Wager
    candidate: Memory
    baseline: Memory
    band: Band
    trail: Trail
    whole: Trail


def harm_null(rule: GuardRule) -> Null:
    """What harm must refute.

    A rule with a `tolerance_difference` above 0 speaks in differences, in the KPI's unit, and so do its
    margins; any other speaks in ratios of the means. A ratio needs no known mean of the old version: the
    baseline's stake is `ratio` times the candidate's, and the unknown mean cancels all the same.
    """
    sign = sign_of(rule)
    if rule.tolerance_difference > 0:
        return Null(sign, 1.0, rule.tolerance_difference)
    return Null(sign, rule.tolerance**sign, 0.0)


def safety_null(rule: GuardRule, margin: float) -> Null:
    """What safety must refute: that the new version is as bad as the margin."""
    sign = sign_of(rule)
    if rule.tolerance_difference > 0:
        return Null(-sign, 1.0, -margin)
    return Null(-sign, margin**sign, 0.0)


def sign_of(rule: GuardRule) -> float:
    """1 where more is worse, -1 where less is."""
    return 1.0 if rule.direction == "more_is_worse" else -1.0


def start(rows: int) -> Difference:
    """Before any interval."""
    bets = len(EFFECTS)
    return Difference(
        wagers.start(rows, ODDS),
        no_memory(rows),
        no_memory(rows),
        Band(*(np.zeros((rows, bets)) for _ in range(4))),
        trails.start(rows, bets),
        trails.start(rows, 1),
    )


def warm(known: Difference, baseline: Units) -> Difference:
    """After an interval without exposure, which only teaches what the old version is like."""
    return replace(known, baseline=learn(known.baseline, baseline))


def compare(
    known: Difference,
    arms: tuple[Units, Units],
    interval: Interval,
    method: Method,
    asked: Asked,
) -> Difference:
    """The difference after one more interval of candidate and baseline.

    Bets rest on earlier intervals only; afterwards this one is learned from. Nothing counts where an arm
    had no units, or is not known well enough yet.
    """
    counted = _counted(known, arms, method, asked)
    if counted.any():
        known = _bet(known, arms, interval, method, asked, counted[:, None])
    return replace(known, candidate=learn(known.candidate, arms[0]), baseline=learn(known.baseline, arms[1]))


def _counted(known: Difference, arms: tuple[Units, Units], method: Method, asked: Asked) -> FloatArray:
    """1 where an interval counts, shape (rows,). A ratio says nothing unless the old mean is above 0."""
    counts = (arms[0].units > 0) & (arms[1].units > 0)
    counts &= (known.candidate.units >= method.needs[0]) & (known.baseline.units >= method.needs[1])
    levels = method.views(leaning(known.candidate, known.baseline, LEANING), known.baseline, 1.0)
    counts &= np.isfinite(levels[0].level + levels[1].level)
    if asked.harm.ratio != 1.0:
        counts &= levels[1].level > 0
    if method.bound is None:
        counts &= is_spread_known(known.baseline)
    return counts.astype(np.float64)


def _bet(
    known: Difference,
    arms: tuple[Units, Units],
    interval: Interval,
    method: Method,
    asked: Asked,
    counted: FloatArray,
) -> Difference:
    plain = view_arms(known, arms, method, 1.0)
    dull = counted / noise(asked.dispersion, plain, interval.seconds)[:, None]
    gains = {}
    for sign, ratio in {(1.0, 1.0), (-1.0, 1.0), (asked.harm.sign, asked.harm.ratio)}:
        pair = plain if ratio == 1.0 else view_arms(known, arms, method, ratio)
        sizes = EFFECTS / np.sqrt(pair[0].variance)[:, None]
        gain, stake = bet(pair, sizes, sign, ratio, method.bound)
        gains[sign, ratio] = _only(counted, gain) * dull, _only(counted, stake) * dull
    gain, stake = gains[asked.harm.sign, asked.harm.ratio]
    against = gain - stake * asked.harm.allowance
    for_safety = None
    if asked.safety is not None:
        is_told = counted * ((asked.safety.ratio == 1.0) | (plain[1].level > 0))[:, None]
        for_safety = _only(is_told, _safety(known, arms, method, asked.safety)) * dull
    up, down = gains[1.0, 1.0], gains[-1.0, 1.0]
    band = Band(
        known.band.up_gain + up[0],
        known.band.up_stake + up[1],
        known.band.down_gain + down[0],
        known.band.down_stake + down[1],
    )
    levels = trails.means(plain)
    return replace(
        known,
        wager=wagers.add(known.wager, ODDS, interval, against, for_safety),
        band=band,
        trail=trails.extend(known.trail, plain, levels, against, interval.start, counted),
        whole=trails.extend(known.whole, plain, levels, np.ones((len(counted), 1)), interval.start, counted),
    )


def _only(counted: FloatArray, values: FloatArray) -> FloatArray:
    """The values of rows that count, and 0 elsewhere, whatever stands there."""
    return np.where(counted > 0, values, 0.0)


def _safety(known: Difference, arms: tuple[Units, Units], method: Method, null: Null) -> FloatArray:
    """What the interval adds to safety, shape (rows, bets)."""
    pair = view_arms(known, arms, method, null.ratio)
    way = np.maximum(way_to(null, pair[1].level), LEAST_WAY * np.sqrt(pair[0].variance))
    gain, stake = bet(
        pair, SAFE_PARTS * (way / pair[0].variance)[:, None], null.sign, null.ratio, method.bound
    )
    return gain - stake * null.allowance


def way_to(null: Null, level: FloatArray) -> FloatArray:
    """How far equal means are from the null of safety, in the KPI's unit, where the old mean is `level`."""
    return -null.allowance - null.sign * (null.ratio - 1) * level


def view_arms(
    known: Difference, arms: tuple[Units, Units], method: Method, ratio: float
) -> tuple[Seen, Seen]:
    """Both arms' interval as the method sees it, given only what was known before.

    Where bets are asymptotic the new version's variance is taken to be no smaller than the old one's, of
    which more is known: a few quiet units must not make it look calm.
    """
    memories = leaning(known.candidate, known.baseline, LEANING), known.baseline
    views = method.views(*memories, ratio)
    seen = []
    for units, memory, view in zip(arms, memories, views, strict=True):
        found = see(units, memory, view)
        variance = found.variance
        if method.bound is not None:
            # As if one more figure had come, half the bound away: exact bets only need a sensible size.
            variance = (memory.units * variance + method.bound**2 / 4) / (memory.units + 1)
        seen.append(replace(found, variance=np.maximum(variance, 1e-300)))
    candidate, baseline = seen
    if method.bound is None:
        candidate = replace(candidate, variance=np.maximum(candidate.variance, baseline.variance))
    return candidate, baseline


def is_spread_known(memory: Memory) -> NDArray[np.bool_]:
    """Whether an asymptotic bet may rest on the memory's variance, shape (rows,).

    The variance of a heavy tail, or of rare events, is learned late: until enough of them have come it
    looks too small, and a bet that takes it for smaller than it is gains on average.
    """
    is_small = np.sqrt(memory.doubt) <= LARGEST_DOUBT * memory.variance
    known: NDArray[np.bool_] = is_small & (memory.variance > 0)
    return known


def bet(
    pair: tuple[Seen, Seen], sizes: FloatArray, sign: float, ratio: float, bound: float | None
) -> tuple[FloatArray, FloatArray]:
    """gain and stake, each (rows, bets): gain - stake a is log wealth against s (m_t - r m_c) <= a.

        l_t = size / (1 + r^2 v_c n_t/(v_t n_c)),     l_c = r l_t n_t/n_c,     stake = l_t n_t
        gain = g_t(s l_t) + g_c(-s l_c) + s stake (k_t - r k_c)

    g are the gains of `betting`, k what the figures are centred at, v their variances: all known before.
    Proof: E[exp(g_t)] <= exp(s l_t n_t (m_t - k_t)) and E[exp(g_c)] <= exp(-s l_c n_c (m_c - k_c)), so with
    l_c n_c = r l_t n_t the expectation of exp(gain - stake a) is at most
    exp(stake (s (m_t - r m_c) - a)) <= 1 under the null, whatever m_c is and however it drifts. `sizes` are
    stakes (rows, bets) as if the old version were fully known. A bounded bet takes l/(1 + l b) in place of
    l, where b is the loss that ruins it first: the best stake d/v on a difference d becomes d/(v + b d),
    which is the best one for figures that are nearly all 0, and never ruins it.
    """
    candidate, baseline = pair
    heavier = candidate.units / np.maximum(baseline.units, 1.0)
    spread = ratio**2 * baseline.variance / candidate.variance
    candidate_stake = sizes / (1 + spread * heavier)[:, None]
    if bound is not None:
        loss = _ruinous(pair, sign, ratio * heavier, bound)[:, None]
        # Rounding must not take the last step to ruin.
        largest = LARGEST_RISK / np.maximum(loss, 1e-300)
        candidate_stake = np.minimum(candidate_stake / (1 + candidate_stake * loss), largest)
    baseline_stake = candidate_stake * (ratio * heavier)[:, None]
    stake = candidate_stake * candidate.units[:, None]
    if bound is None:
        gain = heavy_gain(candidate, sign * candidate_stake) + heavy_gain(baseline, -sign * baseline_stake)
    else:
        gain = bounded_gain(candidate, sign * candidate_stake, bound)
        gain = gain + bounded_gain(baseline, -sign * baseline_stake, bound)
    return gain + sign * stake * (candidate.level - ratio * baseline.level)[:, None], stake


def _ruinous(pair: tuple[Seen, Seen], sign: float, heavier: FloatArray, bound: float) -> FloatArray:
    """What a figure in 0..bound can take from either arm's bet per stake of the candidate, shape (rows,)."""
    candidate, baseline = reach(pair[0], bound), reach(pair[1], bound)
    losses = (candidate[0], baseline[1]) if sign > 0 else (candidate[1], baseline[0])
    return np.maximum(losses[0], heavier * losses[1])


def noise(dispersion: Dispersion, pair: tuple[Seen, Seen], seconds: float) -> FloatArray:
    """By what the evidence of an interval of `seconds` is divided, shape (rows,), each >= 1.

        floor + growth k_c^2 / V,      V = (v_t/n_t + v_c/n_c) * interval / block

    V is the variance that chance gives to the difference over a block in which the arms keep their luck;
    growth k_c^2 is that of the luck, k_c being the old version's mean. It is known before the figures
    are, so the log of an e-value divided by it is that of an e-value (Jensen), as it is at least 1.
    """
    if dispersion.is_none:
        return np.ones(len(pair[0].units))
    candidate, baseline = pair
    chance = candidate.variance / np.maximum(candidate.units, 1.0)
    chance = chance + baseline.variance / np.maximum(baseline.units, 1.0)
    chance = chance * min(1.0, max(seconds, 1e-9) / max(dispersion.block_seconds, 1e-9))
    luck = max(dispersion.growth, 0.0) * baseline.level**2
    found: FloatArray = max(dispersion.floor, 1.0) + luck / np.maximum(chance, 1e-300)
    return found


def bounds(band: Band, row: int) -> tuple[float | None, float | None]:
    """The differences m_t - m_c that the data leave open at 95%, at every look at once; None: open-ended.

    Against each difference the wealth of the even-handed mixture over EFFECTS must stay below
    2/(1 - CONFIDENCE) on either side (Ville's inequality), for a difference that stays the same.
    """
    low = _lowest(band.up_gain[row], band.up_stake[row])
    high = _lowest(band.down_gain[row], band.down_stake[row])
    return low, None if high is None else -high


def _lowest(gain: FloatArray, stake: FloatArray) -> float | None:
    """Where the falling log of sum of p exp(gain - stake x) meets the threshold, by bisection."""
    if not (stake > 0).all():
        return None
    threshold = math.log(2 / (1 - CONFIDENCE))
    low = float(np.max((gain + LOG_EFFECT_PRIOR - threshold) / stake))
    high = float(np.max((gain - threshold) / stake))
    for _ in range(60):
        middle = (low + high) / 2
        if log_sum(LOG_EFFECT_PRIOR + gain - stake * middle) >= threshold:
            low = middle
        else:
            high = middle
    return low
