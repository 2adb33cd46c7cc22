"""What the judge would make of a fault planted into real numbers: a dry run before anything is exposed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from rollway import judge
from rollway.judge import Counts, Histogram, Moments, Reading, Sample
from rollway.judge.courses import Truth
from rollway.judge.kinds.total import BURN_IN
from rollway.judge.power import Durations, Means, Power, Setting, Step, foresee, rate_fault
from rollway.planning import Guard, Plan
from rollway.rollout import rules_of

LIMIT_PART = 0.25
"""The part of a guard's alpha that its limit takes."""
MOST_TICKS = 300
PERSON_SECONDS = 86_400.0
"""For how long a person who decides may look."""


@dataclass(frozen=True, slots=True)
class Law:
    """What one trial of the old version is like.

    Of a rate: (the share of bad ones,); of a latency: the shares of the buckets below `bounds` (seconds) and
    of the one above; of a mean: (mean, mean of the squares).
    """

    shares: tuple[float, ...]
    bounds: tuple[float, ...] = ()
    is_mean: bool = False

    def sum_of(self, trials: float) -> Sample:
        """As many trials as expected, rounded down as a whole, so that differences never add up wrong."""
        if self.is_mean:
            units = math.floor(trials)
            return Moments(units, units * self.shares[0], units * self.shares[1])
        if self.bounds:
            return Histogram(self.bounds, tuple(math.floor(trials * share) for share in self.shares))
        return Counts(math.floor(trials), math.floor(trials * self.shares[0]))


@dataclass(frozen=True, slots=True)
class Found:
    """When a planted fault is found: after so many seconds of exposure and in which stage, by the judge
    itself on numbers that are as expected (None: not by the end of the plan); and with chance, where that
    is known."""

    seconds: float | None
    stage: str
    power: Power | None

    @property
    def is_likely(self) -> bool:
        """Whether it is more likely found than not."""
        return self.seconds is not None and (self.power is None or self.power.caught >= 0.5)


def steps_of(plan: Plan, guard: Guard | None = None) -> tuple[Step, ...]:
    """The stages in which some users have the new version and others the old one, with their bake times; of a
    guard, those in which it counts."""
    return tuple(
        Step(stage.id, stage.exposure.part, stage.bake_seconds, stage.exposure.compared)
        for stage in plan.stages
        if stage.exposure.mode == "live" and 0 < stage.exposure.share < 1 and stage.bake_seconds > 0
        if guard is None or guard.counts_in(stage.id)
    )


def with_patience(plan: Plan) -> Plan:
    """The plan where a stage that waits for evidence lasts as long as its patience, and one that waits for a
    person at least a day."""
    least = {"evidence": 0.0, "person": PERSON_SECONDS}
    stages = tuple(
        stage.model_copy(
            update={"bake_seconds": max(stage.bake_seconds, stage.patience_seconds, least[stage.advance])}
        )
        if stage.advance in least
        else stage
        for stage in plan.stages
    )
    return plan.model_copy(update={"stages": stages})


def law_of(sample: Sample, expected: float | None) -> Law | None:
    """What the numbers say of one trial; None where they say nothing. A rate that was not seen to be above
    zero is taken as `expected`."""
    if isinstance(sample, Counts) and sample.trials:
        rate: float = sample.bad / sample.trials or expected or 0.0
        return Law((rate,)) if 0 < rate <= 1 else None
    if isinstance(sample, Histogram):
        trials = sum(sample.counts)
        return Law(tuple(count / trials for count in sample.counts), sample.bounds) if trials else None
    if isinstance(sample, Moments) and sample.units:
        return Law((sample.total / sample.units, sample.squares / sample.units), is_mean=True)
    return None


def made_worse(law: Law, guard: Guard, times: float) -> Law:
    """The same with a fault that is `times` times as bad: as many bad ones, as long, as high (or low)."""
    if law.bounds:
        return replace(law, shares=_longer(law, times))
    factor = times if guard.direction == "more_is_worse" else 1 / times
    if not law.is_mean:
        return Law((min(1.0, law.shares[0] * factor),))
    mean, bound = law.shares[0] * factor, guard.bound or math.inf
    mean = min(mean, bound)
    spread = max(0.0, law.shares[1] - law.shares[0] ** 2)
    if math.isfinite(bound):
        spread = min(spread, mean * (bound - mean))
    return Law((mean, mean**2 + spread), is_mean=True)


def _longer(law: Law, times: float) -> tuple[float, ...]:
    """All durations `times` as long; within a bucket they are spread evenly over the logarithm."""
    edges, below = law.bounds, 0.0
    known = [(below := below + share) for share in law.shares[:-1]]

    def up_to(bound: float) -> float:
        if bound <= edges[0]:
            return known[0] * bound / edges[0] if edges[0] > 0 else known[0]
        at = next((n for n, edge in enumerate(edges) if bound <= edge), len(edges) - 1)
        if edges[at - 1] <= 0:
            return known[at - 1] + bound / edges[at] * (known[at] - known[at - 1])
        part = math.log(bound / edges[at - 1]) / math.log(edges[at] / edges[at - 1])
        return known[at - 1] + part * (known[at] - known[at - 1])

    sums = [0.0, *(up_to(edge / times) for edge in edges), 1.0]
    return tuple(max(0.0, after - before) for before, after in pairwise(sums))


def find(plan: Plan, guard: Guard, law: Law, per_second: float, times: float) -> Found:
    """When a fault that is there from the first exposure would be found, at `per_second` trials of both
    versions together."""
    seconds, stage = _dry_run(plan, guard, law, per_second, times)
    return Found(seconds, stage, _power(plan, guard, law, per_second, times))


def _alpha(plan: Plan, guard: Guard) -> float:
    weight = sum(each.weight for each in plan.guards if each.say != "watch")
    return plan.policy.alpha * guard.weight / weight


# --- the judge itself on numbers as expected ------------------------------------------------------


def _dry_run(plan: Plan, guard: Guard, law: Law, per_second: float, times: float) -> tuple[float | None, str]:
    rules = rules_of(plan)
    only = tuple(rule for rule in rules.guards if rule.kpi == guard.kpi)
    rules = replace(rules, guards=only, alpha=_alpha(plan, guard), margins={})
    state = judge.begin(rules)
    for reading in _readings(plan, guard, (made_worse(law, guard, times), law), per_second):
        state = judge.update(rules, state, (reading,))
        said = judge.verdict(rules, state, now=reading.end, stage=reading.stage, share=reading.share)
        if said.kind == "harmful":
            return reading.end, reading.stage
    return None, ""


def _readings(plan: Plan, guard: Guard, laws: tuple[Law, Law], per_second: float) -> Iterator[Reading]:
    steps = steps_of(plan)
    tick = max(plan.policy.tick_seconds, sum(step.seconds for step in steps) / MOST_TICKS)
    at, served = 0.0, [0.0, 0.0]
    for step in steps:
        ticks = max(1, round(step.seconds / tick))
        for _ in range(ticks):
            length, before = step.seconds / ticks, list(served)
            served[0] += per_second * step.compared * step.share * length
            served[1] += per_second * step.compared * (1 - step.share) * length
            new, old = (
                _difference(law.sum_of(after), law.sum_of(earlier))
                for law, earlier, after in zip(laws, before, served, strict=True)
            )
            yield Reading(guard.kpi, at, at + length, step.name, step.share, new, old)
            at += length


def _difference(after: Sample, before: Sample) -> Sample:
    if isinstance(after, Counts) and isinstance(before, Counts):
        trials, bad = after.trials - before.trials, after.bad - before.bad
        return Counts(trials, min(bad, trials))
    if isinstance(after, Histogram) and isinstance(before, Histogram):
        pairs = zip(after.counts, before.counts, strict=True)
        return Histogram(after.bounds, tuple(more - less for more, less in pairs))
    if isinstance(after, Moments) and isinstance(before, Moments):
        return Moments(after.units - before.units, after.total - before.total, after.squares - before.squares)
    raise TypeError(f"{type(after).__name__} has no fault to plant")


# --- the arithmetic of chances --------------------------------------------------------------------


def _power(plan: Plan, guard: Guard, law: Law, per_second: float, times: float) -> Power | None:
    truth = _truth(guard, law, times)
    if truth is None or guard.baseline != "concurrent" or per_second <= 0:
        return None
    noise = next(rule.dispersion for rule in rules_of(plan).guards if rule.kpi == guard.kpi)
    setting = Setting(
        per_second=per_second,
        stages=steps_of(plan, guard),
        tick_seconds=plan.policy.tick_seconds,
        alpha=_alpha(plan, guard) * (1.0 if guard.limit is None else 1 - LIMIT_PART),
        tolerance=1.0 if law.is_mean else guard.tolerance,
        dispersion=noise,
    )
    return foresee(setting, truth)


def _truth(guard: Guard, law: Law, times: float) -> Truth | None:
    """The fault as the arithmetic knows it; None where it knows none like it."""
    worse = made_worse(law, guard, times)
    if law.bounds:
        return Durations(law.bounds, law.shares, worse.shares)
    if law.is_mean:
        mean, squares = law.shares
        spread = math.sqrt(max(0.0, squares - mean**2))
        moved = abs(worse.shares[0] - mean) / spread if spread else math.inf
        return Means(moved, burn_in=BURN_IN) if 0 < moved < math.inf else None
    if guard.direction == "less_is_worse" or guard.kind != "rate" or law.shares[0] >= 1:
        return None
    return rate_fault(law.shares[0], worse.shares[0] / law.shares[0])
