"""Assignment: how many users fell to each version, against the planned share. It pauses, and never harms."""

from __future__ import annotations

from rollway.judge import mismatch as mismatches
from rollway.judge.evidence import Safety, Shown, interval_of
from rollway.judge.mismatch import Mismatch
from rollway.judge.model import Assigned, GuardRule, Reading, Rules, Sample
from rollway.judge.plausible import is_count


class AssignmentKind:
    """Users, or requests where each is routed by itself, counted when they are first assigned."""

    state = Mismatch
    enough_baseline = 0

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return ()

    def begin(self) -> Mismatch:
        return mismatches.start()

    def is_plausible(self, rule: GuardRule, state: Mismatch, reading: Reading) -> bool:
        samples = reading.candidate, reading.baseline
        return all(one is None or (isinstance(one, Assigned) and is_count(one.units)) for one in samples)

    def trials(self, sample: Sample | None) -> float:
        return float(sample.units) if isinstance(sample, Assigned) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: Mismatch, reading: Reading) -> Mismatch:
        if reading.candidate is None or reading.baseline is None:
            # Nothing reported is not the same as nobody assigned.
            return state
        return mismatches.add(
            state,
            self.trials(reading.candidate),
            self.trials(reading.baseline),
            float(reading.share),
            interval_of(reading, rules),
            rules.alpha_mismatch,
        )

    def harm(self, rule: GuardRule, rules: Rules, state: Mismatch) -> float:
        return 0.0

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Mismatch) -> float:
        return 0.0

    def safety(self, rule: GuardRule, rules: Rules, state: Mismatch, stage: str) -> Safety:
        return Safety(0.0, None, None, "how users are assigned shows nothing of safety; give it no margin")

    def shown(self, rule: GuardRule, rules: Rules, state: Mismatch) -> Shown:
        return Shown(
            candidate_trials=round(state.candidate),
            candidate_bad=0,
            baseline_trials=round(state.units - state.candidate),
            baseline_bad=0,
            candidate_rate=None,
            baseline_rate=None,
            ratio=None,
            ratio_low=None,
            ratio_high=None,
        )

    def accuse(self, rule: GuardRule, rules: Rules, state: Mismatch, at: float) -> str:
        return f"{rule.kpi}: {state.found}"
