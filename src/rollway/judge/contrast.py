"""What kinds that compare means share: totals for people, evidence by `difference`, and words for both."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollway.judge import difference as differences
from rollway.judge import dispersion as dispersions
from rollway.judge import single
from rollway.judge import trail as trails
from rollway.judge import wager as wagers
from rollway.judge.difference import Asked, Difference, Method, Null
from rollway.judge.evidence import Safety, Shown, interval_of
from rollway.judge.exceedance import margin_of
from rollway.judge.logs import FloatArray, floats
from rollway.judge.model import GuardRule, Reading, Rules, Sample
from rollway.judge.moments import NOTHING, Units, are_moments, is_within, number_of, plus, units_of
from rollway.judge.quick import quick
from rollway.judge.rows import all_of, number
from rollway.judge.trail import Told
from rollway.judge.words import amount, seconds

# What is told of a need beyond all measure.
LARGEST_NEED = 1e15


@quick
@dataclass(frozen=True, slots=True)
class Totals:
    """Plain sums of both arms, for people; once the new version is exposed, only since then."""

    candidate: Units
    baseline: Units
    is_exposed: bool = False


NO_TOTALS = Totals(NOTHING, NOTHING)


@quick
@dataclass(frozen=True, slots=True)
class Contrast:
    """Evidence on the difference of the arms' means, one row, and the totals."""

    difference: Difference
    totals: Totals


def begin() -> Contrast:
    """The evidence before any reading."""
    return Contrast(single.begin(), NO_TOTALS)


def count(totals: Totals, candidate: Units, baseline: Units, share: float) -> Totals:
    """The totals after one more interval."""
    if share > 0 and not totals.is_exposed:
        return Totals(candidate, baseline, is_exposed=True)
    if share <= 0 and totals.is_exposed:
        return totals
    candidate, baseline = plus(totals.candidate, candidate), plus(totals.baseline, baseline)
    return Totals(candidate, baseline, totals.is_exposed)


def are_plausible(reading: Reading) -> bool:
    """Whether there can be figures with these sums in both arms."""
    return are_moments(reading.candidate) and are_moments(reading.baseline)


def are_within(reading: Reading, low: float, high: float) -> bool:
    """Whether every figure of both arms can lie in low..high."""
    return is_within(reading.candidate, low, high) and is_within(reading.baseline, low, high)


def units(sample: Sample | None) -> float:
    """How many units a plausible sample has."""
    return number_of(sample)


def absorb(evidence: Contrast, method: Method, rule: GuardRule, rules: Rules, reading: Reading) -> Contrast:
    """The evidence after a plausible reading.

    At share 0 nothing is evidence, and the new version's figures teach nothing: whoever tries it then was
    not chosen by chance.
    """
    candidate, baseline = units_of(reading.candidate), units_of(reading.baseline)
    totals = count(evidence.totals, candidate, baseline, reading.share)
    if reading.share <= 0:
        return Contrast(single.warm(evidence.difference, baseline), totals)
    asked, interval = asked_of(rule, rules, reading), interval_of(reading, rules)
    return Contrast(
        single.compare(evidence.difference, (candidate, baseline), interval, method, asked), totals
    )


def asked_of(rule: GuardRule, rules: Rules, reading: Reading) -> Asked:
    """What the reading's interval is tested for."""
    margin = margin_of(rules, reading.stage, rule.kpi)
    harm, safety = differences.nulls(rule.direction, rule.tolerance, rule.tolerance_difference, margin)
    return Asked(harm, safety, rule.dispersion)


def harm(evidence: Contrast, rules: Rules) -> float:
    """log e-value against "the difference is within tolerance"."""
    return float(wagers.harm_of(evidence.difference.wager, rules.planned_seconds)[0])


def safety(evidence: Contrast, method: Method, rule: GuardRule, rules: Rules, stage: str) -> Safety:
    """Evidence of safety in this stage, and how many units of the new version it still takes."""
    log_e = float(wagers.safe_of(evidence.difference.wager, stage)[0])
    margin = margin_of(rules, stage, rule.kpi)
    if margin is None:
        return Safety(log_e, None, None)
    obstacle = _obstacle(evidence, method)
    if obstacle:
        return Safety(log_e, None, None, obstacle)
    null = differences.safety_null(rule, margin)
    pair = differences.view_arms(
        differences.memories_of(evidence.difference), (NOTHING, NOTHING), method, null.ratio
    )
    obstacle = margin_obstacle(null, number(pair[1].level))
    if obstacle:
        return Safety(log_e, None, None, obstacle)
    way = number(differences.way_to(null, pair[1].level))
    sizes = number(evidence.totals.candidate.units), number(evidence.totals.baseline.units)
    share = sizes[0] / sizes[1] if min(sizes) > 0 else 0.0
    spread = number(pair[0].variance) + null.ratio**2 * number(pair[1].variance) * share
    return Safety(log_e, None, None, needed=needed(rules, log_e, spread, way))


def _obstacle(evidence: Contrast, method: Method) -> str:
    """What must be known before anything counts; empty where it is."""
    known = evidence.difference
    for name, memory, need in (
        ("new", known.candidate, method.needs[0]),
        ("old", known.baseline, method.needs[1]),
    ):
        short = need - number(memory.units)
        if short > 0:
            return f"{amount(short)} more units of the {name} version must be known before anything counts"
    if method.bound is None and not differences.is_spread_known(known.baseline):
        return "the old version's figures differ too much, or too seldom, for their spread to be known yet"
    return ""


def margin_obstacle(null: Null, level: float) -> str:
    """Why equal versions never show that they are below this margin; empty where they do."""
    if math.isnan(level):
        return "nothing can be divided by yet"
    if null.ratio != 1.0 and level <= 0:
        return "the old version's mean is not above 0, so a ratio to it says nothing"
    if number(differences.way_to(null, floats(level))) <= 0:
        return "the margin is no worse than equality, so equal versions never show it"
    return ""


def needed(rules: Rules, log_e: float, variance: float, way: float) -> float:
    """About how many more units until safety is shown, each telling way^2/(2 variance) nats."""
    number = 2 * variance * (math.log(1 / rules.alpha_promote) - log_e) / way / way
    return min(max(number, 1.0), LARGEST_NEED)


def shown(evidence: Contrast, *, is_quotient: bool = False) -> Shown:
    """The numbers for people: plain means since the exposure began, the difference over same moments."""
    known = evidence.difference
    low, high = differences.bounds(known.band, 0)
    estimate = None
    if known.whole.weight > 0:
        estimate = number((known.whole.candidate - known.whole.baseline) / known.whole.weight)
    return shown_means(evidence.totals, (estimate, low, high), is_quotient=is_quotient)


def shown_means(
    totals: Totals, difference: tuple[float | None, float | None, float | None], *, is_quotient: bool = False
) -> Shown:
    """Totals and a difference (estimate, low, high) under the names of `Shown`."""
    estimate, low, high = difference
    return Shown(
        candidate_trials=round(number(totals.candidate.units)),
        candidate_bad=0,
        baseline_trials=round(number(totals.baseline.units)),
        baseline_bad=0,
        candidate_rate=None,
        baseline_rate=None,
        ratio=None,
        ratio_low=None,
        ratio_high=None,
        candidate_mean=_mean(totals.candidate, is_quotient),
        baseline_mean=_mean(totals.baseline, is_quotient),
        difference=estimate,
        difference_low=low,
        difference_high=high,
    )


def _mean(seen: Units, is_quotient: bool) -> float | None:
    below = number(seen.other_total if is_quotient else seen.units)
    return number(seen.total) / below if below > 0 else None


def accuse(evidence: Contrast, rule: GuardRule, rules: Rules, at: float, what: str) -> str:
    """What speaks against the new version, in half a sentence."""
    known = evidence.difference
    told = trails.tell(known.trail, known.whole, harm(evidence, rules))
    return accusation(rule, told, at, what=what, of="units")


def accusation(rule: GuardRule, told: Told, at: float, *, what: str, of: str) -> str:
    """What speaks against the new version: by how much, and out of how many units.

    revenue: the new version's mean is 20% lower than the old one's (2.41 against 3.01, 900 units in 5 min)
    """
    within = "" if told.since is None else f" in {seconds(max(0.0, at - told.since))}"
    extent = f"{told.candidate:.4g} against {told.baseline:.4g}, {told.units:,} {of}{within}"
    gap = told.candidate - told.baseline
    way = "higher" if gap > 0 else "lower"
    size = f"{abs(gap):.3g}"
    if told.baseline > 0 and abs(gap) <= 2 * told.baseline:
        size = f"{100 * abs(gap) / told.baseline:.2g}%"
    return f"{rule.kpi}: the new version's {what} is {size} {way} than the old one's ({extent})"


def faults(rule: GuardRule) -> tuple[str, ...]:
    """What in a rule's tolerance, noise or limit no kind of means can judge by."""
    found = []
    if not 0 <= rule.tolerance_difference < math.inf:
        found.append(f"tolerance_difference is {rule.tolerance_difference!r}, not 0 or above")
    found += dispersions.faults(rule.dispersion)
    if rule.limit is not None:
        found.append(f"a {rule.kind} has no limit to be stopped at, only a tolerance")
    return tuple(found)


def flat(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Zeros and ones of the same shape."""
    return all_of(rows, 0.0), all_of(rows, 1.0)
