"""Counting what lies above a cut: the core that rates (one cut) and durations (several) share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rollway.judge import comparison as comparisons
from rollway.judge import limit as limits
from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import tally as tallies
from rollway.judge import wager as wagers
from rollway.judge.comparison import Comparison
from rollway.judge.evidence import Accused, Safety, Shown, interval_of
from rollway.judge.limit import LimitTest
from rollway.judge.logs import FloatArray
from rollway.judge.model import Direction, GuardRule, Reading, Rules
from rollway.judge.onset import Interval, Moved
from rollway.judge.processes import Arms
from rollway.judge.quick import quick
from rollway.judge.tally import Tally


@quick
@dataclass(frozen=True, slots=True)
class Exceedance:
    """Evidence on how often each arm lies above each of `cuts` (indices of buckets).

    `comparison` has one row per cut and is None until the cuts are chosen.
    """

    tally: Tally
    cuts: tuple[int, ...]
    comparison: Comparison | None
    limit: LimitTest


def begin(buckets: int, cuts: tuple[int, ...] = ()) -> Exceedance:
    """The evidence before any reading."""
    return with_cuts(Exceedance(tallies.start(buckets), (), None, limits.start()), cuts)


def with_cuts(evidence: Exceedance, cuts: tuple[int, ...]) -> Exceedance:
    """The same evidence, from now on compared at these cuts."""
    return replace(evidence, cuts=cuts, comparison=comparisons.start(len(cuts)) if cuts else None)


def absorb(
    evidence: Exceedance,
    counts: FloatArray,
    trials: tuple[float, float],
    *,
    limit_cut: int | None,
    reading: Reading,
    rule: GuardRule,
    rules: Rules,
    interval: Interval | None = None,
    moved: Moved | None = None,
) -> Exceedance:
    """The evidence after a reading's counts of candidate and baseline per bucket, shape (2, buckets), which
    add up to `trials`. `interval`: the reading's, where it is known already; `moved`: see `wager.add`.

    At share 0 nothing is evidence: whoever tries the new version then was not chosen by chance.
    """
    tally = tallies.count(evidence.tally, counts[0], counts[1], reading.share)
    if reading.share <= 0:
        return Exceedance(tally, evidence.cuts, evidence.comparison, evidence.limit)
    comparison, tested, limit = evidence.comparison, evidence.limit, limit_of(rule)
    if comparison is not None:
        both = counts.dot(_beyond(evidence.cuts, counts.shape[1]))
        arms = Arms(trials[0], both[0], trials[1], both[1], both)
        comparison = compare(
            comparison, arms, reading=reading, rule=rule, rules=rules, interval=interval, moved=moved
        )
    if limits.is_active(limit) and limit_cut is not None:
        above = sum(counts[0].tolist()[limit_cut + 1 :])
        bad = above if rule.direction == "more_is_worse" else trials[0] - above
        tested = limits.add(tested, trials[0], bad, interval_of(reading, rules), limit=limit)
    return Exceedance(tally, evidence.cuts, comparison, tested)


def compare(
    comparison: Comparison,
    arms: Arms,
    *,
    reading: Reading,
    rule: GuardRule,
    rules: Rules,
    interval: Interval | None = None,
    moved: Moved | None = None,
) -> Comparison:
    """The comparison after an exposed reading's counts per row, under the rule and the stage's margin."""
    return comparisons.compare(
        comparison,
        arms,
        interval or interval_of(reading, rules),
        tolerance=rule.tolerance,
        margin=margin_of(rules, reading.stage, rule.kpi),
        dispersion=rule.dispersion,
        direction=rule.direction,
        moved=moved,
    )


def limit_of(rule: GuardRule) -> float | None:
    """The rule's limit as one on what is bad: where less is worse, on the trials without a good event.

    A rate of good events is at least L just where the rate of misses is at most 1 - L.
    """
    if rule.limit is None or rule.direction == "more_is_worse":
        return rule.limit
    return 1 - rule.limit


def margin_of(rules: Rules, stage: str, kpi: str) -> float | None:
    """The ratio that must be excluded before leaving the stage; None where none is asked for."""
    return rules.margins.get(stage, {}).get(kpi)


@lru_cache(maxsize=256)
def _beyond(cuts: tuple[int, ...], buckets: int) -> FloatArray:
    """1 where a bucket is beyond a cut, shape (buckets, cuts): counts times this are sums above each cut."""
    found: FloatArray = np.greater.outer(np.arange(buckets), np.array(cuts)).astype(np.float64)
    return found


def harm(evidence: Exceedance, rule: GuardRule, rules: Rules) -> float:
    """log e-value against "within tolerance at every cut, and within the limit"."""
    has_limit = limits.is_active(limit_of(rule))
    limit = limits.log_e(evidence.limit, rules.planned_seconds) if has_limit else None
    return limits.combine(_comparison_log_e(evidence, rules), limit)


def harm_at_most(evidence: Exceedance, rule: GuardRule) -> float:
    """What `harm` cannot exceed: neither part of the average can."""
    compared = 0.0 if evidence.comparison is None else wagers.at_most(evidence.comparison.wager)
    if rule.limit is None or not limits.is_active(limit_of(rule)):
        return compared
    return max(compared, limits.at_most(evidence.limit))


def _comparison_log_e(evidence: Exceedance, rules: Rules) -> float:
    if evidence.comparison is None:
        return 0.0
    return comparisons.total_of(evidence.comparison, rules.planned_seconds)


def worst_row(evidence: Exceedance, rules: Rules) -> tuple[int, float]:
    """The row with most evidence of harm, and its log e-value; (0, 0.0) before there are cuts."""
    if evidence.comparison is None:
        return 0, 0.0
    return most_harm(evidence.comparison, rules)


def most_harm(comparison: Comparison, rules: Rules) -> tuple[int, float]:
    """The row with most evidence of harm, and its log e-value."""
    log_e = comparisons.harm_of(comparison, rules.planned_seconds)
    row = int(np.argmax(log_e))
    return row, float(log_e[row])


def safety(
    evidence: Exceedance, stage: str, rows: tuple[int, ...], direction: Direction = "more_is_worse"
) -> Safety:
    """Evidence of safety in this stage at the row of `rows` that is furthest behind."""
    if evidence.comparison is None:
        return Safety(0.0, None, None)
    base_rates = [tallies.rate(evidence.tally.baseline, cut) for cut in evidence.cuts]
    return least_safety(evidence.comparison, stage, rows, base_rates, direction)


def least_safety(
    comparison: Comparison,
    stage: str,
    rows: tuple[int, ...],
    base_rates: Sequence[float | None],
    direction: Direction,
) -> Safety:
    """Safety at the row of `rows` that is furthest behind; `base_rates` has the old version's, per row.

    The ratio is the one that the margin bounds: baseline/candidate where less is worse.
    """
    log_e = comparisons.safe_of(comparison, stage)
    row = min(rows, key=lambda each: float(log_e[each]))
    ratio = ratios.estimate(comparison.ratio, row)
    if direction == "less_is_worse":
        ratio = 1 / ratio if ratio else None
    return Safety(float(log_e[row]), base_rates[row], ratio)


def shown(evidence: Exceedance, cut: int, row: int | None, seconds: float | None = None) -> Shown:
    """The totals above `cut`, with the ratio of `row` where it is compared."""
    tally = evidence.tally
    ratio, low, high = ratio_shown(evidence.comparison, row)
    return Shown(
        candidate_trials=round(float(tally.candidate.sum())),
        candidate_bad=round(tallies.above(tally.candidate, cut)),
        baseline_trials=round(float(tally.baseline.sum())),
        baseline_bad=round(tallies.above(tally.baseline, cut)),
        candidate_rate=tallies.rate(tally.candidate, cut),
        baseline_rate=tallies.rate(tally.baseline, cut),
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        cut_seconds=seconds,
    )


def ratio_shown(
    comparison: Comparison | None, row: int | None
) -> tuple[float | None, float | None, float | None]:
    """The ratio candidate/baseline of a row with its bounds; None where there is none."""
    if comparison is None or row is None:
        return None, None, None
    return ratios.estimate(comparison.ratio, row), *ratios.bounds(comparison.ratio, row)


def accused(evidence: Exceedance, rule: GuardRule, rules: Rules, limit_cut: int | None) -> Accused:
    """Where the evidence of harm comes from: the limit, or the row that has most of it."""
    row, log_e = worst_row(evidence, rules)
    has_limit = limits.is_active(limit_of(rule))
    limit = limits.log_e(evidence.limit, rules.planned_seconds) if has_limit else 0.0
    if limit_cut is not None and limit > log_e:
        since, trials, rate = limits.tell(evidence.limit)
        rate = rate if rule.direction == "more_is_worse" else 1 - rate
        return Accused(limit_cut, trials, rate, None, since)
    if evidence.comparison is None:
        return Accused(0, 0, 0.0, None, None)
    trials = round(float(evidence.tally.candidate.sum()))
    return accused_row(evidence.comparison, row, log_e, cut=evidence.cuts[row], trials=trials)


def accused_row(comparison: Comparison, row: int, log_e: float, *, cut: int, trials: int) -> Accused:
    """The stretch that holds most of the row's evidence, or else the whole exposure with its `trials`."""
    told = stretches.tell(comparison.stretch, row)
    if told.score >= log_e / 2:
        return Accused(cut, told.trials, told.candidate_rate, told.baseline_rate, told.since)
    candidate, baseline = ratios.rates(comparison.ratio, row)
    return Accused(cut, trials, candidate, baseline, None)
