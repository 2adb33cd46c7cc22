"""Counting what lies above a cut: the core that rates (one cut) and durations (several) share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rollway.judge import comparison as comparisons
from rollway.judge import limit as limits
from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import tally as tallies
from rollway.judge.comparison import Comparison
from rollway.judge.evidence import Accused, Safety, Shown
from rollway.judge.limit import LimitTest
from rollway.judge.logs import FloatArray, log_mean
from rollway.judge.model import Direction, GuardRule, Reading, Rules
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms
from rollway.judge.tally import Tally


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
    *,
    buckets: tuple[FloatArray, FloatArray],
    limit_cut: int | None,
    reading: Reading,
    rule: GuardRule,
    rules: Rules,
) -> Exceedance:
    """The evidence after a reading's buckets of candidate and baseline, each of shape (buckets,).

    At share 0 nothing is evidence: whoever tries the new version then was not chosen by chance.
    """
    candidate, baseline = buckets
    tally = tallies.count(evidence.tally, candidate, baseline, reading.share)
    comparison, tested, limit = evidence.comparison, evidence.limit, limit_of(rule)
    if reading.share > 0 and comparison is not None:
        arms = _arms(candidate, baseline, evidence.cuts)
        comparison = compare(comparison, arms, reading=reading, rule=rule, rules=rules)
    if reading.share > 0 and limits.is_active(limit) and limit_cut is not None:
        trials, above = float(candidate.sum()), tallies.above(candidate, limit_cut)
        bad = above if rule.direction == "more_is_worse" else trials - above
        tested = limits.add(tested, trials, bad, _interval(reading, rules), limit=limit)
    return Exceedance(tally, evidence.cuts, comparison, tested)


def compare(
    comparison: Comparison, arms: Arms, *, reading: Reading, rule: GuardRule, rules: Rules
) -> Comparison:
    """The comparison after an exposed reading's counts per row, under the rule and the stage's margin."""
    return comparisons.compare(
        comparison,
        arms,
        _interval(reading, rules),
        tolerance=rule.tolerance,
        margin=margin_of(rules, reading.stage, rule.kpi),
        dispersion=rule.dispersion,
        direction=rule.direction,
    )


def _interval(reading: Reading, rules: Rules) -> Interval:
    return Interval(
        stage=reading.stage,
        start=float(reading.start),
        seconds=reading.end - reading.start,
        planned_seconds=rules.planned_seconds,
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


def _arms(candidate: FloatArray, baseline: FloatArray, cuts: tuple[int, ...]) -> Arms:
    # From each bucket on: how many. One sum serves every cut and the total.
    new, old = candidate[::-1].cumsum()[::-1], baseline[::-1].cumsum()[::-1]
    all_of, beyond = _places(cuts)
    return Arms(new.take(all_of), new.take(beyond), old.take(all_of), old.take(beyond))


@lru_cache(maxsize=256)
def _places(cuts: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where in the sums the total and what is beyond each cut stand, each of shape (rows,)."""
    return np.zeros(len(cuts), dtype=np.intp), np.array(cuts, dtype=np.intp) + 1


def harm(evidence: Exceedance, rule: GuardRule, rules: Rules) -> float:
    """log e-value against "within tolerance at every cut, and within the limit"."""
    has_limit = limits.is_active(limit_of(rule))
    limit = limits.log_e(evidence.limit, rules.planned_seconds) if has_limit else None
    return limits.combine(_comparison_log_e(evidence, rules), limit)


def _comparison_log_e(evidence: Exceedance, rules: Rules) -> float:
    if evidence.comparison is None:
        return 0.0
    return log_mean(comparisons.harm_of(evidence.comparison, rules.planned_seconds))


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
