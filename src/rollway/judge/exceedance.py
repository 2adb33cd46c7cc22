"""Counting what lies above a cut: the core that rates (one cut) and durations (several) share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import comparison as comparisons
from rollway.judge import limit as limits
from rollway.judge import ratio as ratios
from rollway.judge import stretch as stretches
from rollway.judge import tally as tallies
from rollway.judge.comparison import Comparison
from rollway.judge.evidence import Accused, Safety, Shown
from rollway.judge.limit import LimitTest
from rollway.judge.logs import FloatArray, log_mean
from rollway.judge.model import GuardRule, Reading, Rules
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
    evidence = replace(evidence, tally=tallies.count(evidence.tally, candidate, baseline, reading.share))
    if reading.share <= 0:
        return evidence
    interval = Interval(
        stage=reading.stage,
        start=float(reading.start),
        seconds=reading.end - reading.start,
        planned_seconds=rules.planned_seconds,
    )
    if evidence.comparison is not None:
        compared = comparisons.compare(
            evidence.comparison,
            _arms(candidate, baseline, evidence.cuts),
            interval,
            tolerance=rule.tolerance,
            margin=margin_of(rules, reading.stage, rule.kpi),
            dispersion=rule.dispersion,
        )
        evidence = replace(evidence, comparison=compared)
    if limits.is_active(rule.limit) and limit_cut is not None:
        bad = tallies.above(candidate, limit_cut)
        tested = limits.add(evidence.limit, float(candidate.sum()), bad, interval, limit=rule.limit)
        evidence = replace(evidence, limit=tested)
    return evidence


def margin_of(rules: Rules, stage: str, kpi: str) -> float | None:
    """The ratio that must be excluded before leaving the stage; None where none is asked for."""
    return rules.margins.get(stage, {}).get(kpi)


def _arms(candidate: FloatArray, baseline: FloatArray, cuts: tuple[int, ...]) -> Arms:
    rows = len(cuts)
    return Arms(
        np.full(rows, candidate.sum()),
        np.array([tallies.above(candidate, cut) for cut in cuts]),
        np.full(rows, baseline.sum()),
        np.array([tallies.above(baseline, cut) for cut in cuts]),
    )


def harm(evidence: Exceedance, rule: GuardRule, rules: Rules) -> float:
    """log e-value against "within tolerance at every cut, and within the limit"."""
    limit = limits.log_e(evidence.limit, rules.planned_seconds) if limits.is_active(rule.limit) else None
    return limits.combine(_comparison_log_e(evidence, rules), limit)


def _comparison_log_e(evidence: Exceedance, rules: Rules) -> float:
    if evidence.comparison is None:
        return 0.0
    return log_mean(comparisons.harm_of(evidence.comparison, rules.planned_seconds))


def worst_row(evidence: Exceedance, rules: Rules) -> tuple[int, float]:
    """The row with most evidence of harm, and its log e-value; (0, 0.0) before there are cuts."""
    if evidence.comparison is None:
        return 0, 0.0
    log_e = comparisons.harm_of(evidence.comparison, rules.planned_seconds)
    row = int(np.argmax(log_e))
    return row, float(log_e[row])


def safety(evidence: Exceedance, stage: str, rows: tuple[int, ...]) -> Safety:
    """Evidence of safety in this stage at the row of `rows` that is furthest behind."""
    if evidence.comparison is None:
        return Safety(0.0, None, None)
    log_e = comparisons.safe_of(evidence.comparison, stage)
    row = min(rows, key=lambda each: float(log_e[each]))
    return Safety(
        float(log_e[row]),
        tallies.rate(evidence.tally.baseline, evidence.cuts[row]),
        ratios.estimate(evidence.comparison.ratio, row),
    )


def shown(evidence: Exceedance, cut: int, row: int | None, seconds: float | None = None) -> Shown:
    """The totals above `cut`, with the ratio of `row` where it is compared."""
    tally = evidence.tally
    ratio = low = high = None
    if row is not None and evidence.comparison is not None:
        ratio = ratios.estimate(evidence.comparison.ratio, row)
        low, high = ratios.bounds(evidence.comparison.ratio, row)
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


def accused(evidence: Exceedance, rule: GuardRule, rules: Rules, limit_cut: int | None) -> Accused:
    """Where the evidence of harm comes from: the limit, or the row that has most of it."""
    row, log_e = worst_row(evidence, rules)
    limit = limits.log_e(evidence.limit, rules.planned_seconds) if limits.is_active(rule.limit) else 0.0
    if limit_cut is not None and limit > log_e:
        since, trials, rate = limits.tell(evidence.limit)
        return Accused(limit_cut, trials, rate, None, since)
    if evidence.comparison is None:
        return Accused(0, 0, 0.0, None, None)
    told = stretches.tell(evidence.comparison.stretch, row)
    if told.score >= log_e / 2:
        cut = evidence.cuts[row]
        return Accused(cut, told.trials, told.candidate_rate, told.baseline_rate, told.since)
    candidate, baseline = ratios.rates(evidence.comparison.ratio, row)
    trials = round(float(evidence.tally.candidate.sum()))
    return Accused(evidence.cuts[row], trials, candidate, baseline, None)
