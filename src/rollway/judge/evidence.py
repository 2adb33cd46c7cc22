"""What every kind of KPI can do for the judge, and the shapes in which it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from rollway.judge.model import GuardRule, Reading, Rules, Sample
from rollway.judge.onset import Interval
from rollway.judge.quick import quick

S = TypeVar("S")


@quick
@dataclass(frozen=True, slots=True)
class Shown:
    """The numbers of one KPI for people, under the names of GuardVerdict."""

    candidate_trials: int
    candidate_bad: int
    baseline_trials: int
    baseline_bad: int
    candidate_rate: float | None
    baseline_rate: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    cut_seconds: float | None = None
    candidate_mean: float | None = None
    baseline_mean: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    is_weak: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Safety:
    """How far safety has been shown in a stage, by the test that is furthest behind.

    `obstacle` says, for people, why it cannot be shown at all as things stand; empty where it can.
    `needed`: about how many more trials of the new version it takes if both versions are alike, where the
    kind knows; without it the judge reckons from `base_rate` as for rates.
    """

    log_e: float
    base_rate: float | None
    ratio: float | None
    obstacle: str = ""
    needed: float | None = None


@dataclass(frozen=True, slots=True)
class Accused:
    """The numbers that speak against the new version, at one cut of a kind's buckets.

    `baseline_rate` is None where a limit was exceeded; `since` (unix seconds) is None where the whole
    exposure is meant.
    """

    cut: int
    trials: int
    candidate_rate: float
    baseline_rate: float | None
    since: float | None


def interval_of(reading: Reading, rules: Rules) -> Interval:
    """The reading's place in time."""
    seconds = reading.end - reading.start
    return Interval(reading.stage, float(reading.start), seconds, rules.planned_seconds)


class KpiKind(Protocol[S]):
    """One kind of KPI. `S` is its state: a frozen dataclass of plain values, arrays and other such.

    The judge has checked a reading's times, its share and its problem before it comes here.
    """

    state: type[S]
    enough_baseline: int
    """How many trials of the old version are needed before the new one is exposed."""

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        """What in the rule cannot be judged by, a line each; empty where all is well."""
        ...

    def begin(self) -> S:
        """The state before any reading."""
        ...

    def is_plausible(self, rule: GuardRule, state: S, reading: Reading) -> bool:
        """Whether the samples can be right, and fit the rule and what was read before. An absent sample can.

        What is plausible is evidence: `absorb` counts all of it.
        """
        ...

    def trials(self, sample: Sample | None) -> float:
        """How many trials a plausible sample has."""
        ...

    def absorb(self, rule: GuardRule, rules: Rules, state: S, reading: Reading) -> S:
        """The state after a plausible reading."""
        ...

    def harm(self, rule: GuardRule, rules: Rules, state: S) -> float:
        """log e-value against "the new version is within tolerance and limit"."""
        ...

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: S) -> float:
        """What `harm` cannot exceed, where that is cheaper to say; asked for after every reading."""
        ...

    def safety(self, rule: GuardRule, rules: Rules, state: S, stage: str) -> Safety:
        """Evidence against "the new version is as bad as this stage's margin"."""
        ...

    def shown(self, rule: GuardRule, rules: Rules, state: S) -> Shown:
        """The numbers for people."""
        ...

    def accuse(self, rule: GuardRule, rules: Rules, state: S, at: float) -> str:
        """What speaks against the new version at `at` (unix seconds), in half a sentence."""
        ...
