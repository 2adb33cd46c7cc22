"""Failures of users who stay with their version: how many users meet their first one, their third one.

Where users, not requests, are divided between the versions, one unlucky user's hundred errors are one
draw, not a hundred. Counting each user once at each depth gives every draw one event again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rollway.judge import comparison as comparisons
from rollway.judge import dispersion as dispersions
from rollway.judge import exceedance
from rollway.judge import tally as tallies
from rollway.judge import wager as wagers
from rollway.judge.comparison import Comparison
from rollway.judge.evidence import Safety, Shown
from rollway.judge.logs import FloatArray
from rollway.judge.model import Depths, GuardRule, Reading, Rules, Sample
from rollway.judge.plausible import is_count
from rollway.judge.processes import SUSPICIOUS_LOG_E, Arms
from rollway.judge.quick import quick
from rollway.judge.tally import Tally
from rollway.judge.words import accusation

MOST_DEPTHS = 8
DEEPEST = 100
# Beyond the first depth, safety is asked for where the old version's users really go: at least a tenth as
# many as at the first, and at least 8. A depth that nobody reaches can never be shown to be safe.
LEAST_PART = 0.1
LEAST_USERS = 8
ORDINALS = {1: "first", 2: "second", 3: "third"}


@quick
@dataclass(frozen=True, slots=True)
class DepthEvidence:
    """The tally holds (trials, users at each depth), shape (1 + depths,); the comparison a row per depth.

    Both have no depth before the first exposed reading: the rule names the depths, and it is not known
    before.
    """

    tally: Tally
    comparison: Comparison | None


class DepthsKind:
    """Users who meet their first, third, ... failure, compared between the versions at each depth.

    Why it is valid. A user is given to a version by a coin (a hash) and stays. Take one depth. A user
    crosses it once in the rollout, so of the D users who cross it in an interval none has been counted
    before, and which version each has is still an open coin toss, however often and however clustered
    the failures of one user come. If the versions are alike, the users who cross do not depend on the
    toss, and of the N users at risk n_t fell to the new version: given that, d_t is hypergeometric, and a
    binomial with share n_t/N dominates its mean of m^d_t (Hoeffding 1963), which is what the comparison
    of rates needs. So each row is an e-process, and so is their average, although the rows depend on each
    other. It needs counts that follow the user through the rollout: whoever crossed a depth with the old
    version does not cross it again after being moved to the new one.

    What is approximate. `trials` stand for the time at risk: all requests (or active users) of an arm,
    also of users who crossed before, and heavy users bring many. The share of requests then strays from
    the share of users at risk, which adds to the variance of d_t a part of about c (1 + v), c being the
    share of users who cross during the rollout and v the squared coefficient of variation of their
    requests: 0.04 where 2% cross and v is 1. Where many users cross, count active users as trials. A
    tolerance above 1 is a bound on the users' rates of crossing, as for any rate.

    Harm is the average over the depths: a fault for all shows at the first one, a fault for a few, who
    fail again and again, at the deep ones. Safety is the worst of the depths that the old version's users
    reach often enough to tell; a test of every one of them needs no correction.
    """

    state = DepthEvidence
    enough_baseline = 30

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        found = [*dispersions.faults(rule.dispersion)]
        depths = rule.depths
        if not 0 < len(depths) <= MOST_DEPTHS:
            found.append(f"depths has {len(depths)} entries, not 1 to {MOST_DEPTHS}")
        if not all(isinstance(depth, int) and 1 <= depth <= DEEPEST for depth in depths):
            found.append(f"depths are {depths!r}, not whole numbers from 1 to {DEEPEST}")
        elif not all(low < high for low, high in pairwise(depths)):
            found.append(f"depths are {depths!r}, not rising")
        if rule.limit is not None:
            found.append("limit: users who cross a depth have no absolute limit; add a guard of kind rate")
        return tuple(found)

    def begin(self) -> DepthEvidence:
        return DepthEvidence(tallies.start(0), None)

    def is_plausible(self, rule: GuardRule, state: DepthEvidence, reading: Reading) -> bool:
        samples = [sample for sample in (reading.candidate, reading.baseline) if sample is not None]
        return all(_is_depths(sample, len(rule.depths)) for sample in samples)

    def trials(self, sample: Sample | None) -> float:
        return float(sample.trials) if isinstance(sample, Depths) else 0.0

    def absorb(self, rule: GuardRule, rules: Rules, state: DepthEvidence, reading: Reading) -> DepthEvidence:
        depths = len(rule.depths)
        candidate, baseline = _counts(reading.candidate, depths), _counts(reading.baseline, depths)
        before = state.tally if len(state.tally.candidate) else tallies.start(1 + depths)
        state = replace(state, tally=tallies.count(before, candidate, baseline, reading.share))
        if reading.share <= 0:
            return state
        compared = exceedance.compare(
            state.comparison or comparisons.start(depths),
            _arms(candidate, baseline),
            reading=reading,
            rule=rule,
            rules=rules,
        )
        return replace(state, comparison=compared)

    def harm(self, rule: GuardRule, rules: Rules, state: DepthEvidence) -> float:
        if state.comparison is None:
            return 0.0
        return comparisons.total_of(state.comparison, rules.planned_seconds)

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: DepthEvidence) -> float:
        return 0.0 if state.comparison is None else wagers.at_most(state.comparison.wager)

    def safety(self, rule: GuardRule, rules: Rules, state: DepthEvidence, stage: str) -> Safety:
        if state.comparison is None:
            return Safety(0.0, None, None)
        rates = [_rate(state.tally.baseline, row) for row in range(len(rule.depths))]
        rows = safe_rows(state.tally.baseline[1:])
        return exceedance.least_safety(state.comparison, stage, rows, rates, rule.direction)

    def shown(self, rule: GuardRule, rules: Rules, state: DepthEvidence) -> Shown:
        row = 0
        if state.comparison is not None:
            worst, log_e = exceedance.most_harm(state.comparison, rules)
            row = worst if log_e >= SUSPICIOUS_LOG_E else 0
        candidate, baseline = state.tally.candidate, state.tally.baseline
        has_counts = len(candidate) > 0
        ratio, low, high = exceedance.ratio_shown(state.comparison, row)
        return Shown(
            candidate_trials=round(float(candidate[0])) if has_counts else 0,
            candidate_bad=round(float(candidate[1 + row])) if has_counts else 0,
            baseline_trials=round(float(baseline[0])) if has_counts else 0,
            baseline_bad=round(float(baseline[1 + row])) if has_counts else 0,
            candidate_rate=_rate(candidate, row),
            baseline_rate=_rate(baseline, row),
            ratio=ratio,
            ratio_low=low,
            ratio_high=high,
        )

    def accuse(self, rule: GuardRule, rules: Rules, state: DepthEvidence, at: float) -> str:
        comparison = state.comparison or comparisons.start(len(rule.depths))
        row, log_e = exceedance.most_harm(comparison, rules)
        trials = round(float(state.tally.candidate[0])) if len(state.tally.candidate) else 0
        found = exceedance.accused_row(comparison, row, log_e, cut=row, trials=trials)
        depth = rule.depths[row]
        event = "failure" if rule.direction == "more_is_worse" else "success"
        return accusation(
            rule, found, at, what=f"rate of users at their {ORDINALS.get(depth, f'{depth}th')} {event}"
        )


def safe_rows(baseline_users: FloatArray) -> tuple[int, ...]:
    """The depths (rows) at which safety is asked for, from the old version's users at each, (depths,)."""
    enough = max(LEAST_PART * float(baseline_users[0]), LEAST_USERS)
    return 0, *(row for row in range(1, len(baseline_users)) if baseline_users[row] >= enough)


def _is_depths(sample: object, depths: int) -> bool:
    """Depths as many as the rule names, where no more users cross one than there are trials."""
    return (
        isinstance(sample, Depths)
        and is_count(sample.trials)
        and isinstance(sample.reached, tuple)
        and len(sample.reached) == depths
        and all(is_count(users) and users <= sample.trials for users in sample.reached)
    )


def _counts(sample: Sample | None, depths: int) -> FloatArray:
    """(trials, users at each depth); zeros where the arm is absent."""
    if not isinstance(sample, Depths):
        return np.zeros(1 + depths)
    return np.array((sample.trials, *sample.reached), dtype=np.float64)


def _arms(candidate: FloatArray, baseline: FloatArray) -> Arms:
    return Arms(float(candidate[0]), candidate[1:], float(baseline[0]), baseline[1:])


def _rate(counts: FloatArray, row: int) -> float | None:
    return float(counts[1 + row]) / float(counts[0]) if len(counts) and counts[0] > 0 else None
