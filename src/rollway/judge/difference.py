"""The difference of two means, compared interval by interval: harm, safety, and the difference itself.

symbol   meaning
n_t n_c  units of candidate and baseline in an interval
m_t m_c  their means in that interval, unknown and free to drift
s r a    the null: s (m_t - r m_c) <= a
l_t l_c  stakes on a unit's figure, upwards for the candidate where s is 1
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np

from rollway.judge import band as bands
from rollway.judge import trail as trails
from rollway.judge import wager as wagers
from rollway.judge.band import CONFIDENCE, EFFECTS, LOG_EFFECT_PRIOR, Band, bounds
from rollway.judge.betting import bounded_gain, heavy_gain, reach
from rollway.judge.dispersion import NONE, Dispersion
from rollway.judge.logs import FloatArray, floats
from rollway.judge.model import Direction, GuardRule
from rollway.judge.moments import Memory, Seen, Units, View, leaning, learn, no_memory, see
from rollway.judge.onset import Interval
from rollway.judge.quick import quick
from rollway.judge.rows import Row, all_of, column, either, is_number, larger, root
from rollway.judge.trail import Trail, Whole
from rollway.judge.wager import Odds, Wager

__all__ = ["CONFIDENCE", "EFFECTS", "LOG_EFFECT_PRIOR", "Band", "bounds"]

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
    is_alike: views are the same whatever the ratio.
    """

    views: Callable[[Memory, Memory, float], tuple[View, View]]
    bound: float | None
    needs: tuple[float, float]
    is_alike: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Asked:
    """What an interval is tested for; safety None where the stage asks for no proof."""

    harm: Null
    safety: Null | None = None
    dispersion: Dispersion = NONE


Laid = tuple[float, float, Null | None]
"""A bet's sign and ratio, and the null of safety where it is on that."""


@quick
@dataclass(frozen=True, slots=True)
class Difference:
    """All that comparing two means teaches. `whole` is a trail that never begins anew."""

    wager: Wager
    candidate: Memory
    baseline: Memory
    band: Band
    trail: Trail
    whole: Whole


def harm_null(rule: GuardRule) -> Null:
    """What harm must refute.

    A rule with a `tolerance_difference` above 0 speaks in differences, in the KPI's unit, and so do its
    margins; any other speaks in ratios of the means. A ratio needs no known mean of the old version: the
    baseline's stake is `ratio` times the candidate's, and the unknown mean cancels all the same.
    """
    return nulls(rule.direction, rule.tolerance, rule.tolerance_difference, None)[0]


def safety_null(rule: GuardRule, margin: float) -> Null:
    """What safety must refute: that the new version is as bad as the margin."""
    return cast("Null", nulls(rule.direction, rule.tolerance, rule.tolerance_difference, margin)[1])


@lru_cache(maxsize=256)
def nulls(
    direction: Direction, tolerance: float, tolerance_difference: float, margin: float | None
) -> tuple[Null, Null | None]:
    """Those of harm and of safety; the latter None where the stage has no margin."""
    sign = 1.0 if direction == "more_is_worse" else -1.0
    if tolerance_difference > 0:
        safety = None if margin is None else Null(-sign, 1.0, -margin)
        return Null(sign, 1.0, tolerance_difference), safety
    safety = None if margin is None else Null(-sign, margin**sign, 0.0)
    return Null(sign, tolerance**sign, 0.0), safety


def start(rows: int) -> Difference:
    """Before any interval."""
    bets = len(EFFECTS)
    return Difference(
        wagers.start(rows, ODDS),
        no_memory(rows),
        no_memory(rows),
        bands.start(rows),
        trails.start(rows, bets),
        trails.whole(rows),
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
    had no units, or is not known well enough yet. For rows side by side; one row in plain numbers is
    compared by `single`.
    """
    own = known.candidate, known.baseline
    memories = leaning(own[0], own[1], LEANING), own[1]
    alike = view_arms(memories, arms, method, 1.0)
    counted = _counted(alike, own, arms, method, asked)
    if counted.any():
        known = _bet(known, memories, arms, interval, method, asked, alike, column(counted))
    learned = learn(own[0], arms[0]), learn(own[1], arms[1])
    return Difference(known.wager, *learned, known.band, known.trail, known.whole)


def memories_of(known: Difference) -> tuple[Memory, Memory]:
    """What bets rest on: hardly anything is known of the new version at first, so it leans on the old one."""
    return leaning(known.candidate, known.baseline, LEANING), known.baseline


def _counted(
    alike: tuple[Seen, Seen],
    own: tuple[Memory, Memory],
    arms: tuple[Units, Units],
    method: Method,
    asked: Asked,
) -> Row:
    """1 where an interval counts, shape (rows,). A ratio says nothing unless the old mean is above 0."""
    counts = (arms[0].units > 0) & (arms[1].units > 0)
    counts &= (own[0].units >= method.needs[0]) & (own[1].units >= method.needs[1])
    counts &= is_number(alike[0].level + alike[1].level)
    if asked.harm.ratio != 1.0:
        counts &= alike[1].level > 0
    if method.bound is None:
        counts &= is_spread_known(own[1])
    return either(counts, 1.0, 0.0)


def _bet(
    known: Difference,
    memories: tuple[Memory, Memory],
    arms: tuple[Units, Units],
    interval: Interval,
    method: Method,
    asked: Asked,
    alike: tuple[Seen, Seen],
    counted: Row,
) -> Difference:
    dull = counted / column(noise(asked.dispersion, alike, interval.seconds))
    bets: list[Laid] = [(1.0, 1.0, None), (-1.0, 1.0, None), (asked.harm.sign, asked.harm.ratio, None)]
    if asked.safety is not None:
        bets.append((asked.safety.sign, asked.safety.ratio, asked.safety))
    told = _lay(memories, arms, method, alike, bets)
    up, down, harm = [[_worth(counted, dull, each) for each in laid] for laid in told[:3]]
    against = harm[0] - harm[1] * asked.harm.allowance
    for_safety = None
    if asked.safety is not None:
        is_positive = alike[1].level > 0
        is_told = counted if asked.safety.ratio == 1.0 else counted * column(either(is_positive, 1.0, 0.0))
        for_safety = _worth(is_told, dull, told[3][0] - told[3][1] * asked.safety.allowance)
    gain, stake = (np.concatenate(each, axis=1) for each in zip(up, down, strict=True))
    band = Band(known.band.gain + gain, known.band.stake + stake)
    levels = trails.means(alike)
    return Difference(
        wagers.add(known.wager, ODDS, interval, against, for_safety),
        known.candidate,
        known.baseline,
        band,
        trail=trails.extend(known.trail, known.whole, against, interval.start, counted),
        whole=trails.prolong(known.whole, alike, levels, interval.start, counted[:, 0]),
    )


def _worth(counted: Row, dull: Row, values: FloatArray) -> FloatArray:
    """The values of rows that count, made smaller, and 0 elsewhere, whatever stands there."""
    found: FloatArray = either(counted > 0, values, 0.0) * dull
    return found


def _lay(
    memories: tuple[Memory, Memory],
    arms: tuple[Units, Units],
    method: Method,
    at_one: tuple[Seen, Seen],
    bets: list[Laid],
) -> list[tuple[FloatArray, FloatArray]]:
    """gain and stake of each of the bets; those that see the arms alike are reckoned in one go.

    Figures that are bounded are seen alike whatever the ratio (see `kinds.mean`).
    """
    found: dict[int, tuple[FloatArray, FloatArray]] = {}
    alike = [1.0 if method.bound is not None else ratio for _, ratio, _ in bets]
    for seen_at in dict.fromkeys(alike):
        pair = at_one if seen_at == 1.0 else view_arms(memories, arms, method, seen_at)
        chosen = [i for i, each in enumerate(alike) if each == seen_at]
        spread = column(root(pair[0].variance))
        of_harm = EFFECTS / spread
        sizes = [
            of_harm if safety is None else _safe_sizes(pair, safety, spread)
            for _, _, safety in map(bets.__getitem__, chosen)
        ]
        widths = tuple([each.shape[-1] for each in sizes])
        signs, ratios = _side_by_side(tuple([bets[i][:2] for i in chosen]), widths)
        told = bet(pair, np.concatenate(sizes, axis=-1), signs, ratios, method.bound)
        end = 0
        for i, width in zip(chosen, widths, strict=True):
            end += width
            found[i] = told[0][..., end - width : end], told[1][..., end - width : end]
    return [found[i] for i in range(len(bets))]


@lru_cache(maxsize=256)
def _side_by_side(
    bets: tuple[tuple[float, float], ...], widths: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """The signs and the ratios of bets that are laid on so many sizes each."""
    signs, ratios = np.repeat(bets, widths, axis=0).T
    return signs, ratios


def _safe_sizes(pair: tuple[Seen, Seen], safety: Null, spread: Row) -> FloatArray:
    """Stakes on SAFE_PARTS of the way to a null, as if the old version were fully known."""
    way = column(way_to(safety, pair[1].level))
    found: FloatArray = SAFE_PARTS * (larger(way, LEAST_WAY * spread) / column(pair[0].variance))
    return found


def way_to(null: Null, level: FloatArray) -> FloatArray:
    """How far equal means are from the null of safety, in the KPI's unit, where the old mean is `level`."""
    return -null.allowance - null.sign * (null.ratio - 1) * level


def view_arms(
    memories: tuple[Memory, Memory], arms: tuple[Units, Units], method: Method, ratio: float
) -> tuple[Seen, Seen]:
    """Both arms' interval as the method sees it, given only what was known before.

    Where bets are asymptotic the new version's variance is taken to be no smaller than the old one's, of
    which more is known: a few quiet units must not make it look calm.
    """
    views = method.views(*memories, ratio)
    seen = [see(*each) for each in zip(arms, memories, views, strict=True)]
    variances = [each.variance for each in seen]
    if method.bound is not None:
        # As if one more figure had come, half the bound away: exact bets only need a sensible size.
        pairs = zip(memories, variances, strict=True)
        variances = [(memory.units * v + method.bound**2 / 4) / (memory.units + 1) for memory, v in pairs]
    new, old = (larger(variance, 1e-300) for variance in variances)
    if method.bound is None:
        new = larger(new, old)
    return _with_variance(seen[0], new), _with_variance(seen[1], old)


def _with_variance(seen: Seen, variance: FloatArray) -> Seen:
    return Seen(seen.units, seen.total, seen.squares, variance, seen.level)


def is_spread_known(memory: Memory) -> Any:
    """Whether an asymptotic bet may rest on the memory's variance, shape (rows,).

    The variance of a heavy tail, or of rare events, is learned late: until enough of them have come it
    looks too small, and a bet that takes it for smaller than it is gains on average.
    """
    is_small = root(memory.doubt) <= LARGEST_DOUBT * memory.variance
    return is_small & (memory.variance > 0)


def bet(
    pair: tuple[Seen, Seen],
    sizes: FloatArray,
    sign: FloatArray | float,
    ratio: FloatArray | float,
    bound: float | None,
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
    heavier = ratio * column(candidate.units / larger(baseline.units, 1.0))
    spread = ratio * heavier * column(baseline.variance / candidate.variance)
    candidate_stake = sizes / (1 + spread)
    if bound is not None:
        loss = _ruinous(pair, sign, heavier, bound)
        # Rounding must not take the last step to ruin.
        largest = LARGEST_RISK / np.maximum(loss, 1e-300)
        candidate_stake = np.minimum(candidate_stake / (1 + candidate_stake * loss), largest)
    baseline_stake = candidate_stake * heavier
    stake, signed = candidate_stake * column(candidate.units), sign * candidate_stake
    if bound is None:
        gain = heavy_gain(candidate, signed) + heavy_gain(baseline, -sign * baseline_stake)
    else:
        gain = bounded_gain(candidate, signed, bound)
        gain = gain + bounded_gain(baseline, -sign * baseline_stake, bound)
    return gain + sign * stake * (column(candidate.level) - ratio * column(baseline.level)), stake


def _ruinous(
    pair: tuple[Seen, Seen], sign: FloatArray | float, heavier: FloatArray, bound: float
) -> FloatArray:
    """What a figure in 0..bound can take from either arm's bet per stake of the candidate, (rows, bets)."""
    candidate, baseline = reach(pair[0], bound), reach(pair[1], bound)
    is_up = np.greater(sign, 0)
    own = np.where(is_up, column(candidate[0]), column(candidate[1]))
    other = np.where(is_up, column(baseline[1]), column(baseline[0]))
    found: FloatArray = np.maximum(own, heavier * other)
    return found


def noise(dispersion: Dispersion, pair: tuple[Seen, Seen], seconds: float) -> Row:
    """By what the evidence of an interval of `seconds` is divided, shape (rows,), each >= 1.

        floor + growth k_c^2 / V,      V = (v_t/n_t + v_c/n_c) * interval / block

    V is the variance that chance gives to the difference over a block in which the arms keep their luck;
    growth k_c^2 is that of the luck, k_c being the old version's mean. It is known before the figures
    are, so the log of an e-value divided by it is that of an e-value (Jensen), as it is at least 1.
    """
    if dispersion.is_none:
        return all_of(pair[0].units, 1.0)
    candidate, baseline = pair
    chance = candidate.variance / larger(candidate.units, 1.0)
    chance = chance + baseline.variance / larger(baseline.units, 1.0)
    chance = chance * min(1.0, max(seconds, 1e-9) / max(dispersion.block_seconds, 1e-9))
    luck = max(dispersion.growth, 0.0) * baseline.level * baseline.level
    found: Row = max(dispersion.floor, 1.0) + luck / larger(chance, 1e-300)
    return found
