"""Checks: health checks and restarts of the new version's instances. Judged by a hard stop, not by a test."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.judge.evidence import Safety, Shown
from rollway.judge.model import Counts, GuardRule, Reading, Rules, Sample
from rollway.judge.plausible import are_counts


@dataclass(frozen=True, slots=True)
class Checks:
    """Totals for people: checks of each version, and the failed ones."""

    candidate_trials: float = 0.0
    candidate_failed: float = 0.0
    baseline_trials: float = 0.0
    baseline_failed: float = 0.0


class CheckKind:
    """Counts of checks and failed ones, or of instances and those that restarted. See `stops`."""

    state = Checks
    enough_baseline = 0

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        if rule.limit is None or 0 < rule.limit <= 1:
            return ()
        return (f"limit is {rule.limit!r}, not above 0 and at most 1",)

    def begin(self) -> Checks:
        return Checks()

    def is_plausible(self, rule: GuardRule, state: Checks, reading: Reading) -> bool:
        return all(sample is None or are_counts(sample) for sample in (reading.candidate, reading.baseline))

    def trials(self, sample: Sample | None) -> float:
        return float(sample.trials) if isinstance(sample, Counts) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Checks, reading: Reading) -> Checks:
        candidate, baseline = _counts(reading.candidate), _counts(reading.baseline)
        return Checks(
            state.candidate_trials + candidate.trials,
            state.candidate_failed + candidate.bad,
            state.baseline_trials + baseline.trials,
            state.baseline_failed + baseline.bad,
        )

    def harm(self, rule: GuardRule, rules: Rules, state: Checks) -> float:
        return 0.0

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Checks) -> float:
        return 0.0

    def safety(self, rule: GuardRule, rules: Rules, state: Checks, stage: str) -> Safety:
        return Safety(0.0, None, None, "checks that pass show nothing of how users fare; give them no margin")

    def shown(self, rule: GuardRule, rules: Rules, state: Checks) -> Shown:
        return Shown(
            candidate_trials=round(state.candidate_trials),
            candidate_bad=round(state.candidate_failed),
            baseline_trials=round(state.baseline_trials),
            baseline_bad=round(state.baseline_failed),
            candidate_rate=_rate(state.candidate_failed, state.candidate_trials),
            baseline_rate=_rate(state.baseline_failed, state.baseline_trials),
            ratio=None,
            ratio_low=None,
            ratio_high=None,
        )

    def accuse(self, rule: GuardRule, rules: Rules, state: Checks, at: float) -> str:
        return f"{rule.kpi}: {state.candidate_failed:,.0f} of {state.candidate_trials:,.0f} checks failed"


def _counts(sample: Sample | None) -> Counts:
    return sample if isinstance(sample, Counts) else Counts(0, 0)


def _rate(failed: float, trials: float) -> float | None:
    return failed / trials if trials > 0 else None
