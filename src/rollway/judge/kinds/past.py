"""Past weeks: where nothing runs beside the new version, its figures against the same time in past weeks.

Weak by nature: a day that is unusual for another reason looks the same, and K past weeks can say at most
that something is the worst of K + 1. So it adds to other evidence of harm but never stops a release by
itself; and safety is shown against the rule's absolute `limit` alone, without which a person promotes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rollway.judge import limit as limits
from rollway.judge.evidence import Safety, Shown, interval_of
from rollway.judge.limit import LimitTest
from rollway.judge.logs import FloatArray, floats, log_sum
from rollway.judge.model import Counts, GuardRule, Moments, Past, Reading, Rules, Sample
from rollway.judge.moments import LARGEST_SUM, are_moments
from rollway.judge.plausible import is_finite
from rollway.judge.processes import limit_increment
from rollway.judge.words import percent

# With fewer a rank says nothing: one of three is the worst by chance every third time.
LEAST_PAST = 3
# This part of the stake is not bet on ranks: the evidence of harm never falls below it.
KEPT = 0.1
# How much of the stake is bet over the planned time; of the rest a half for each planned time more.
OVER_PLANNED_TIME = 0.9
# Rates below the limit on which safety is bet, as parts of it.
SAFE_PARTS = floats(0.8, 0.5, 0.25, 0.1)
LOG_SAFE_PARTS = np.log(floats(0.3, 0.4, 0.2, 0.1))


@dataclass(frozen=True, slots=True)
class AgainstPast:
    """won: sum over blocks of stake times e-value. blocks, worst: how many there were, and in how many the
    new version's figure was beyond all past ones. elapsed_seconds: their length in all. candidate_trials,
    candidate_bad: totals of Counts, or of units and their figures. usual: sum over blocks of the past's mean.
    safe: log wealth against "the rate is at least the limit" in `stage`, shape (bets,).
    """

    limit: LimitTest
    safe: FloatArray
    stage: str | None = None
    won: float = 0.0
    blocks: int = 0
    worst: int = 0
    elapsed_seconds: float = 0.0
    candidate_trials: float = 0.0
    candidate_bad: float = 0.0
    usual: float = 0.0


class PastKind:
    """Counts or Moments of the new version, and in the old one's place the Past."""

    state = AgainstPast
    enough_baseline = 0

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        if rule.limit is None:
            return ()
        if rule.direction == "less_is_worse":
            return ("a limit is a rate that must not be exceeded; it fits no figure of which less is worse",)
        return () if 0 < rule.limit < 1 else (f"limit is {rule.limit!r}, not between 0 and 1",)

    def begin(self) -> AgainstPast:
        return AgainstPast(limits.start(), LOG_SAFE_PARTS)

    def is_plausible(self, rule: GuardRule, state: AgainstPast, reading: Reading) -> bool:
        candidate, past = reading.candidate, reading.baseline
        if not (are_moments(candidate) and (past is None or _is_past(past))):
            return False
        # Where the new version's figure is a rate, so are those of past weeks.
        values = past.values if isinstance(past, Past) else ()
        return not isinstance(candidate, Counts) or all(0 <= value <= 1 for value in values)

    def trials(self, sample: Sample | None) -> float:
        if isinstance(sample, Counts):
            return float(sample.trials)
        return float(sample.units) if isinstance(sample, Moments) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: AgainstPast, reading: Reading) -> AgainstPast:
        trials = self.trials(reading.candidate)
        if reading.share <= 0 or trials <= 0 or not isinstance(reading.baseline, Past):
            return state
        total = _total(reading.candidate)
        state = _rank(state, rule, rules, reading, total / trials)
        state = replace(
            state,
            candidate_trials=state.candidate_trials + trials,
            candidate_bad=state.candidate_bad + total,
        )
        if not isinstance(reading.candidate, Counts) or not limits.is_active(rule.limit):
            return state
        return _against_limit(state, rules, reading, reading.candidate, rule.limit)

    def harm(self, rule: GuardRule, rules: Rules, state: AgainstPast) -> float:
        limit = limits.log_e(state.limit, rules.planned_seconds) if limits.is_active(rule.limit) else None
        return limits.combine(past_log_e(state), limit)

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: AgainstPast) -> float:
        return self.harm(rule, rules, state)

    def safety(self, rule: GuardRule, rules: Rules, state: AgainstPast, stage: str) -> Safety:
        if not limits.is_active(rule.limit):
            return Safety(0.0, None, None, "past weeks cannot show it, and the rule names no absolute limit")
        log_e = float(log_sum(state.safe)) if state.stage == stage else 0.0
        return Safety(log_e, None, None, needed=_needed(log_e, state, rules, rule.limit))

    def shown(self, rule: GuardRule, rules: Rules, state: AgainstPast) -> Shown:
        rate = state.candidate_bad / state.candidate_trials if state.candidate_trials > 0 else None
        usual = state.usual / state.blocks if state.blocks else None
        return Shown(
            candidate_trials=round(state.candidate_trials),
            candidate_bad=max(0, round(state.candidate_bad)),
            baseline_trials=0,
            baseline_bad=0,
            candidate_rate=rate,
            baseline_rate=usual,
            ratio=rate / usual if rate is not None and usual else None,
            ratio_low=None,
            ratio_high=None,
            is_weak=True,
        )

    def accuse(self, rule: GuardRule, rules: Rules, state: AgainstPast, at: float) -> str:
        if limits.is_active(rule.limit):
            since, trials, rate = limits.tell(state.limit)
            if limits.log_e(state.limit, rules.planned_seconds) > past_log_e(state):
                return (
                    f"{rule.kpi}: the new version's rate is {percent(rate)} ({trials:,} requests in "
                    f"{max(0.0, at - since):.0f} s), above the limit of {percent(rule.limit)}"
                )
        return (
            f"{rule.kpi}: worse than in all past weeks at this time in {state.worst} of {state.blocks} "
            "intervals (weak: nothing of the old version runs beside it)"
        )


def rank_e_value(figure: float, past: FloatArray, direction: str) -> float:
    """An e-value against "this week's figure is exchangeable with the past ones", shape of past (K,).

        e_j = (K + 1) / (j^2 H),   j = 1 + how many past figures are at least as bad,   H = sum of 1/j^2

    Under the null each rank j of 1..K+1 is equally likely, and the e_j have mean 1 over them (a conformal
    p-value j/(K+1), Vovk, Gammerman & Shafer 2005, calibrated). Most is
    bet on the worst rank, so a single one is suspicious from four weeks on; equal figures lower the evidence.
    """
    as_bad = int((past >= figure).sum() if direction == "more_is_worse" else (past <= figure).sum())
    ranks = len(past) + 1
    total = float((1.0 / np.arange(1, ranks + 1) ** 2).sum())
    return ranks / ((1 + as_bad) ** 2 * total)


def past_log_e(state: AgainstPast) -> float:
    """log of E = KEPT + (1 - KEPT) * sum of stake_t e_t, the stakes adding up to at most 1.

    An average, not a product: a day that is unusual from morning to night makes the intervals' ranks as
    dependent as can be, and a product would take one surprise for a hundred. E only grows, and its limit
    has expectation at most 1 under any dependence, so by Markov P(E ever reaches 1/alpha) <= alpha. It is
    below K + 1 for good.
    """
    return math.log(KEPT + (1 - KEPT) * state.won)


def _rank(state: AgainstPast, rule: GuardRule, rules: Rules, reading: Reading, figure: float) -> AgainstPast:
    values = floats(*reading.baseline.values) if isinstance(reading.baseline, Past) else floats()
    # Figures below zero are shrunk the other way round, so that tolerance is never turned into a claim.
    scale = rule.tolerance if (figure >= 0) == (rule.direction == "more_is_worse") else 1 / rule.tolerance
    e = rank_e_value(figure / scale, values, rule.direction)
    elapsed = state.elapsed_seconds + max(0.0, reading.end - reading.start)
    stake = _bet_by(elapsed, rules.planned_seconds) - _bet_by(state.elapsed_seconds, rules.planned_seconds)
    worst = rank_e_value(math.inf if rule.direction == "more_is_worse" else -math.inf, values, rule.direction)
    return replace(
        state,
        won=state.won + stake * e,
        blocks=state.blocks + 1,
        worst=state.worst + (e == worst),
        elapsed_seconds=elapsed,
        usual=state.usual + float(values.mean()),
    )


def _bet_by(elapsed: float, planned_seconds: float) -> float:
    """How much of the stake has been bet; fixed by time alone, so it cannot follow what was seen."""
    times = elapsed / max(planned_seconds, 1.0)
    later = (1 - OVER_PLANNED_TIME) * (1 - math.pow(0.5, max(0.0, times - 1)))
    return OVER_PLANNED_TIME * min(times, 1.0) + later


def _against_limit(
    state: AgainstPast, rules: Rules, reading: Reading, counts: Counts, limit: float
) -> AgainstPast:
    trials, bad = float(counts.trials), float(counts.bad)
    before = state.safe if state.stage == reading.stage else LOG_SAFE_PARTS
    return replace(
        state,
        limit=limits.add(state.limit, trials, bad, interval_of(reading, rules), limit=limit),
        safe=before + limit_increment(trials, bad, limit, SAFE_PARTS * limit),
        stage=reading.stage,
    )


def _needed(log_e: float, state: AgainstPast, rules: Rules, limit: float) -> float | None:
    """About how many more requests until the limit is excluded, at the rate seen so far; None: never."""
    if state.candidate_trials <= 0:
        return None
    rate = state.candidate_bad / state.candidate_trials
    told = max(limit_increment(1.0, rate, limit, SAFE_PARTS * limit))
    return max(0.0, math.log(1 / rules.alpha_promote) - log_e) / float(told) if told > 0 else None


def _total(sample: Sample | None) -> float:
    if isinstance(sample, Counts):
        return float(sample.bad)
    return float(sample.total) if isinstance(sample, Moments) else 0.0


def _is_past(sample: object) -> bool:
    return (
        isinstance(sample, Past)
        and isinstance(sample.values, tuple)
        and all(is_finite(value) and abs(value) <= LARGEST_SUM for value in sample.values)
    )
