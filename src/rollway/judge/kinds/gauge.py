"""Gauges: CPU, memory, queue length. The arms' difference, block by block; for few blocks.

Samples of a gauge resemble those before them, so a block of `dispersion.block_seconds` is one
observation, however many readings fall into it, and its spread is that between blocks. A pod that is
always busier than the others is no noise between blocks: run a fresh baseline of the same size, or learn
how pods differ and put it into the rule's dispersion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import contrast
from rollway.judge import difference as differences
from rollway.judge import trail as trails
from rollway.judge import wager as wagers
from rollway.judge.betting import student_gain, student_log_e
from rollway.judge.contrast import Totals
from rollway.judge.difference import Null
from rollway.judge.dispersion import Dispersion
from rollway.judge.evidence import Safety, Shown
from rollway.judge.exceedance import margin_of
from rollway.judge.logs import FloatArray, floats, log_sum
from rollway.judge.model import GuardRule, Reading, Rules, Sample
from rollway.judge.moments import NOTHING, Seen, Units, plus, tables, units_of
from rollway.judge.onset import Interval
from rollway.judge.rows import number
from rollway.judge.trail import Trail, Whole
from rollway.judge.wager import Odds, Wager

LEAST_BLOCKS = 20
# Where the difference is tested for its bounds, in standard deviations of its mean.
STEPS = np.arange(0.0, 16.01, 0.125)
# Bets on differences of so many standard deviations between blocks.
EFFECTS = floats(0.15, 0.3, 0.6, 1.2, 2.4)
LOG_EFFECT_PRIOR = np.log(floats(0.15, 0.25, 0.3, 0.2, 0.1))
# Bets on safety, as parts of the way from equality to the margin. Where that is longer than so many
# deviations the spread is taken for larger than it is: what lies far out tells little by Student's law.
SAFE_PARTS = floats(0.5, 1.0, 1.5)
LOG_SAFE_PRIOR = np.log(floats(0.3, 0.5, 0.2))
LARGEST_SAFE_WAY = 4.0
# Beyond this a score tells nothing any more.
LARGEST_SCORE = 1e6
ODDS = Odds(LOG_EFFECT_PRIOR, LOG_SAFE_PRIOR)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What earlier blocks taught of u = m_t - m_c, each block of weight 1/(1/n_t + 1/n_c); shape (rows,).

    count: how many; weight: the sum of weights; mean: of u; spread: sum of weight (u - mean)^2.
    """

    count: float
    weight: FloatArray
    mean: FloatArray
    spread: FloatArray


@dataclass(frozen=True, slots=True)
class Pending:
    """The block that is not over yet: its stage, its start and its length so far (seconds), its sums."""

    candidate: Units
    baseline: Units
    stage: str | None = None
    start: float = 0.0
    length: float = 0.0


NOTHING_PENDING = Pending(NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Evidence on the arms' difference, one row. `level` is the old version's mean in the last block."""

    wager: Wager
    blocks: Blocks
    pending: Pending
    trail: Trail
    whole: Whole
    totals: Totals
    level: float = 0.0


class GaugeKind:
    """What pods or hosts show: one unit is one pod at one moment, or over some minutes."""

    state = Gauge
    enough_baseline = 1

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return contrast.faults(rule)

    def begin(self) -> Gauge:
        return start(1)

    def is_plausible(self, rule: GuardRule, state: Gauge, reading: Reading) -> bool:
        return contrast.are_plausible(reading)

    def trials(self, sample: Sample | None) -> float:
        return contrast.units(sample)

    def absorb(self, rule: GuardRule, rules: Rules, state: Gauge, reading: Reading) -> Gauge:
        candidate, baseline = units_of(reading.candidate), units_of(reading.baseline)
        totals = contrast.count(state.totals, candidate, baseline, reading.share)
        state = replace(state, totals=totals)
        if reading.share <= 0:
            return state
        pending = _extended(state.pending, candidate, baseline, reading)
        if pending.length < rule.dispersion.block_seconds:
            return replace(state, pending=pending)
        margin = margin_of(rules, reading.stage, rule.kpi)
        interval = Interval(reading.stage, pending.start, pending.length, rules.planned_seconds)
        return close(
            replace(state, pending=NOTHING_PENDING),
            (tables(pending.candidate), tables(pending.baseline)),
            interval,
            harm=differences.harm_null(rule),
            safety=None if margin is None else differences.safety_null(rule, margin),
            dispersion=rule.dispersion,
        )

    def harm(self, rule: GuardRule, rules: Rules, state: Gauge) -> float:
        return float(wagers.harm_of(state.wager, rules.planned_seconds)[0])

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Gauge) -> float:
        return wagers.at_most(state.wager)

    def safety(self, rule: GuardRule, rules: Rules, state: Gauge, stage: str) -> Safety:
        log_e = float(wagers.safe_of(state.wager, stage)[0])
        margin = margin_of(rules, stage, rule.kpi)
        if margin is None:
            return Safety(log_e, None, None)
        lacking = LEAST_BLOCKS - state.blocks.count
        if lacking > 0:
            minutes = rule.dispersion.block_seconds / 60
            text = f"{lacking:.0f} more blocks of {minutes:.3g} minutes must be known before anything counts"
            return Safety(log_e, None, None, text)
        null = differences.safety_null(rule, margin)
        obstacle = contrast.margin_obstacle(null, state.level)
        if obstacle:
            return Safety(log_e, None, None, obstacle)
        variance = float(_variance(state.blocks)[0])
        way = float(differences.way_to(null, floats(state.level))[0])
        size = number(state.totals.candidate.units), number(state.totals.baseline.units)
        spread = variance * (1 + null.ratio**2 * size[0] / max(size[1], 1.0))
        return Safety(log_e, None, None, needed=contrast.needed(rules, log_e, spread, way))

    def shown(self, rule: GuardRule, rules: Rules, state: Gauge) -> Shown:
        blocks = state.blocks
        estimate = float(blocks.mean[0]) if blocks.count > 0 else None
        return contrast.shown_means(state.totals, (estimate, *bounds(blocks, 0)))

    def accuse(self, rule: GuardRule, rules: Rules, state: Gauge, at: float) -> str:
        told = trails.tell(state.trail, state.whole, self.harm(rule, rules, state))
        return contrast.accusation(rule, told, at, what="mean", of="units")


def start(rows: int) -> Gauge:
    """Before any block."""
    zeros = np.zeros(rows)
    return Gauge(
        wager=wagers.start(rows, ODDS),
        blocks=Blocks(0.0, zeros, zeros, zeros),
        pending=NOTHING_PENDING,
        trail=trails.start(rows, len(EFFECTS)),
        whole=trails.whole(rows),
        totals=contrast.NO_TOTALS,
    )


def _extended(pending: Pending, candidate: Units, baseline: Units, reading: Reading) -> Pending:
    """The pending block with one more reading; a new stage begins a new block and drops the old one."""
    length = reading.end - reading.start
    if pending.stage != reading.stage:
        return Pending(candidate, baseline, reading.stage, float(reading.start), length)
    return replace(
        pending,
        candidate=plus(pending.candidate, candidate),
        baseline=plus(pending.baseline, baseline),
        length=pending.length + length,
    )


def close(
    known: Gauge,
    arms: tuple[Units, Units],
    interval: Interval,
    *,
    harm: Null,
    safety: Null | None,
    dispersion: Dispersion,
) -> Gauge:
    """The evidence after a whole block of candidate and baseline; without units in both it is none.

        u = s (m_t - r m_c) - a,   w = 1/n_t + r^2/n_c,   T = u / sqrt(w v),   v = spread/(count - 1)

    v is learned from earlier blocks about their own mean, so on the null's edge T has Student's law with
    count - 1 degrees of freedom where blocks are normal and alike: `betting.student_gain` then is worth at
    most 1 on average. Given the very blocks that v came from it may be worth more or less, which evens out
    only over time; what is left of it, and blocks that are not normal, is measured in the tests.
    """
    candidate, baseline = arms
    if not ((candidate.units > 0) & (baseline.units > 0)).all():
        return known
    means = candidate.total / candidate.units, baseline.total / baseline.units
    is_told = harm.ratio == 1.0 or known.level > 0
    if known.blocks.count >= LEAST_BLOCKS and is_told:
        known = _bet(known, arms, means, interval, harm, safety, dispersion)
    weight = 1 / (1 / candidate.units + 1 / baseline.units)
    return replace(known, blocks=_learn(known.blocks, means[0] - means[1], weight), level=float(means[1][0]))


def _bet(
    known: Gauge,
    arms: tuple[Units, Units],
    means: tuple[FloatArray, FloatArray],
    interval: Interval,
    harm: Null,
    safety: Null | None,
    dispersion: Dispersion,
) -> Gauge:
    candidate, baseline = arms
    variance = _variance(known.blocks)
    level = known.level * np.ones_like(variance)
    pair = (
        Seen(candidate.units, candidate.total, candidate.squares, variance, level),
        Seen(baseline.units, baseline.total, baseline.squares, variance, level),
    )
    dull = differences.noise(dispersion, pair, interval.seconds)[:, None]
    against = student_gain(score(means, arms, variance, harm), EFFECTS) / dull
    for_safety = None
    if safety is not None and (safety.ratio == 1.0 or known.level > 0):
        way = differences.way_to(safety, level)
        scale = 1 / candidate.units + safety.ratio**2 / baseline.units
        wide = np.maximum(variance, (way / LARGEST_SAFE_WAY) ** 2 / scale)
        shifts = SAFE_PARTS * np.maximum(way / np.sqrt(wide * scale), EFFECTS[0])[:, None]
        for_safety = student_gain(score(means, arms, wide, safety), shifts) / dull
    ones = np.ones((len(level), 1))
    return replace(
        known,
        wager=wagers.add(known.wager, ODDS, interval, against, for_safety),
        trail=trails.extend(known.trail, known.whole, against, interval.start, ones),
        whole=trails.prolong(known.whole, pair, means, interval.start, ones[:, 0]),
    )


def score(
    means: tuple[FloatArray, FloatArray], arms: tuple[Units, Units], variance: FloatArray, null: Null
) -> FloatArray:
    """T of `close`, shape (rows,)."""
    u = null.sign * (means[0] - null.ratio * means[1]) - null.allowance
    found = u / np.sqrt((1 / arms[0].units + null.ratio**2 / arms[1].units) * variance)
    kept: FloatArray = np.clip(found, -LARGEST_SCORE, LARGEST_SCORE)
    return kept


def _learn(blocks: Blocks, u: FloatArray, weight: FloatArray) -> Blocks:
    """One more block, by Welford's recursion."""
    total = blocks.weight + weight
    off = u - blocks.mean
    mean = blocks.mean + off * weight / total
    return Blocks(blocks.count + 1, total, mean, blocks.spread + weight * off * (u - mean))


def _variance(blocks: Blocks) -> FloatArray:
    """The variance of one unit's figure that the spread between blocks amounts to, shape (rows,)."""
    found: FloatArray = np.maximum(blocks.spread / max(blocks.count - 1, 1.0), 1e-300)
    return found


def bounds(blocks: Blocks, row: int) -> tuple[float | None, float | None]:
    """The differences that the blocks leave open at 95%, at every look at once; None where open-ended.

    Each difference is tested with the even-handed mixture over EFFECTS of `betting.student_log_e`, both
    ways, at 2/(1 - CONFIDENCE). The bounds lie where it is reached, between two STEPS.
    """
    if blocks.count < LEAST_BLOCKS or blocks.spread[row] <= 0:
        return None, None
    mean = float(blocks.mean[row])
    deviation = math.sqrt(float(_variance(blocks)[row]) / float(blocks.weight[row]))
    half = _half_width(blocks, row)
    return (None, None) if half is None else (mean - half * deviation, mean + half * deviation)


def _half_width(blocks: Blocks, row: int) -> float | None:
    """How far the bounds are from the mean, in standard deviations of the mean; they are symmetric."""
    # The weight of a block is in arbitrary units: effects are those on a block of usual weight.
    squares = (blocks.count - 1) + STEPS**2
    slope = STEPS * math.sqrt(blocks.count) / np.sqrt(squares)
    log_e = log_sum(
        LOG_EFFECT_PRIOR + student_log_e(blocks.count, slope, np.full(len(STEPS), blocks.count), EFFECTS)
    )
    threshold = math.log(2 / (1 - differences.CONFIDENCE))
    passed = np.flatnonzero(log_e >= threshold)
    if len(passed) == 0 or passed[0] == 0:
        return None
    first = int(passed[0])
    part = (threshold - log_e[first - 1]) / (log_e[first] - log_e[first - 1])
    return float(STEPS[first - 1] + part * (STEPS[first] - STEPS[first - 1]))
