"""Rates: bad trials among all trials, compared interval by interval; or good ones, whose drop is bad."""

from __future__ import annotations

import numpy as np

from rollway.judge import dispersion as dispersions
from rollway.judge import exceedance
from rollway.judge.evidence import Accused, Safety, Shown
from rollway.judge.exceedance import Exceedance
from rollway.judge.model import Counts, GuardRule, Reading, Rules, Sample
from rollway.judge.plausible import are_counts
from rollway.judge.words import accusation, percent, seconds

# A rate has two buckets, good and bad, and one cut between them.
BUCKETS = 2
CUT = 0
ROW = 0


class RateKind:
    """Errors, timeouts, failed logins: any bad event that is counted among trials.

    Where the rule says less_is_worse, `Counts.bad` holds the good events instead (orders per session,
    successful logins), tolerance and margin bound baseline/candidate, and the rate must not fall below
    the limit. The tests bet on counts of events, so where nearly every trial has a good event the misses,
    counted as a rate that must not rise, tell far more.
    """

    state = Exceedance
    enough_baseline = 30

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return dispersions.faults(rule.dispersion)

    def begin(self) -> Exceedance:
        return exceedance.begin(BUCKETS, (CUT,))

    def is_plausible(self, rule: GuardRule, state: Exceedance, reading: Reading) -> bool:
        return all(sample is None or are_counts(sample) for sample in (reading.candidate, reading.baseline))

    def trials(self, sample: Sample | None) -> float:
        return float(sample.trials) if isinstance(sample, Counts) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Exceedance, reading: Reading) -> Exceedance:
        candidate, baseline = _buckets(reading.candidate), _buckets(reading.baseline)
        return exceedance.absorb(
            state,
            np.array((candidate, baseline), dtype=np.float64),
            (float(sum(candidate)), float(sum(baseline))),
            limit_cut=CUT,
            reading=reading,
            rule=rule,
            rules=rules,
        )

    def harm(self, rule: GuardRule, rules: Rules, state: Exceedance) -> float:
        return exceedance.harm(state, rule, rules)

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Exceedance) -> float:
        return exceedance.harm_at_most(state, rule)

    def safety(self, rule: GuardRule, rules: Rules, state: Exceedance, stage: str) -> Safety:
        return exceedance.safety(state, stage, (ROW,), rule.direction)

    def shown(self, rule: GuardRule, rules: Rules, state: Exceedance) -> Shown:
        return exceedance.shown(state, CUT, ROW)

    def accuse(self, rule: GuardRule, rules: Rules, state: Exceedance, at: float) -> str:
        found = exceedance.accused(state, rule, rules, CUT)
        if found.baseline_rate is None and rule.direction == "less_is_worse":
            return _shortfall(rule, found, at)
        return accusation(rule, found, at, what="rate")


def _shortfall(rule: GuardRule, found: Accused, at: float) -> str:
    """That the rate is below its limit, where less is worse."""
    within = "" if found.since is None else f" in {seconds(max(0.0, at - found.since))}"
    return (
        f"{rule.kpi}: the new version's rate is {percent(found.candidate_rate)} "
        f"({found.trials:,} requests{within}), below the limit of {percent(rule.limit or 0.0)}"
    )


def _buckets(sample: Sample | None) -> tuple[float, float]:
    """Good and bad trials."""
    return (sample.trials - sample.bad, sample.bad) if isinstance(sample, Counts) else (0.0, 0.0)
