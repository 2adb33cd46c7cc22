"""Rates: bad trials among all trials, compared interval by interval."""

from __future__ import annotations

from rollway.judge import exceedance
from rollway.judge.evidence import Safety, Shown
from rollway.judge.exceedance import Exceedance
from rollway.judge.logs import FloatArray, floats
from rollway.judge.model import Counts, GuardRule, Reading, Rules, Sample
from rollway.judge.plausible import are_counts
from rollway.judge.words import accusation

# A rate has two buckets, good and bad, and one cut between them.
BUCKETS = 2
CUT = 0
ROW = 0


class RateKind:
    """Errors, timeouts, failed logins: any bad event that is counted among trials."""

    state = Exceedance
    enough_baseline = 30

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return ()

    def begin(self) -> Exceedance:
        return exceedance.begin(BUCKETS, (CUT,))

    def is_plausible(self, state: Exceedance, reading: Reading) -> bool:
        return all(sample is None or are_counts(sample) for sample in (reading.candidate, reading.baseline))

    def trials(self, sample: Sample | None) -> float:
        return float(sample.trials) if isinstance(sample, Counts) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Exceedance, reading: Reading) -> Exceedance:
        return exceedance.absorb(
            state,
            buckets=(_buckets(reading.candidate), _buckets(reading.baseline)),
            limit_cut=CUT,
            reading=reading,
            rule=rule,
            rules=rules,
        )

    def harm(self, rule: GuardRule, rules: Rules, state: Exceedance) -> float:
        return exceedance.harm(state, rule, rules)

    def safety(self, rule: GuardRule, rules: Rules, state: Exceedance, stage: str) -> Safety:
        return exceedance.safety(state, stage, (ROW,))

    def shown(self, rule: GuardRule, rules: Rules, state: Exceedance) -> Shown:
        return exceedance.shown(state, CUT, ROW)

    def accuse(self, rule: GuardRule, rules: Rules, state: Exceedance, at: float) -> str:
        found = exceedance.accused(state, rule, rules, CUT)
        return accusation(rule, found, at, what="rate")


def _buckets(sample: Sample | None) -> FloatArray:
    if not isinstance(sample, Counts):
        return floats(0.0, 0.0)
    return floats(sample.trials - sample.bad, sample.bad)
