"""Quotients of two totals: errors per session, clicks per view, cost per order; asymptotic."""

from __future__ import annotations

import math

from rollway.judge import contrast
from rollway.judge import wager as wagers
from rollway.judge.contrast import Contrast
from rollway.judge.difference import Method
from rollway.judge.evidence import Safety, Shown
from rollway.judge.model import GuardRule, Moments, Reading, Rules, Sample
from rollway.judge.moments import Memory, View
from rollway.judge.rows import either

# The spread of numerators and denominators is learned from so many units of each arm first.
BURN_IN = 300
LEAST_CANDIDATE = 100


class QuotientKind:
    """A unit's figure y is its numerator, its second figure x >= 0 its denominator; the KPI is the sum of
    y over the sum of x. The unit is what is assigned to a version, so what happens within it may depend
    on itself."""

    state = Contrast
    enough_baseline = BURN_IN

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        return contrast.faults(rule)

    def begin(self) -> Contrast:
        return contrast.begin()

    def is_plausible(self, rule: GuardRule, state: Contrast, reading: Reading) -> bool:
        return contrast.are_plausible(reading) and all(
            sample is None or (isinstance(sample, Moments) and _has_denominator(sample))
            for sample in (reading.candidate, reading.baseline)
        )

    def trials(self, sample: Sample | None) -> float:
        return contrast.units(sample)

    def absorb(self, rule: GuardRule, rules: Rules, state: Contrast, reading: Reading) -> Contrast:
        return contrast.absorb(state, METHOD, rule, rules, reading)

    def harm(self, rule: GuardRule, rules: Rules, state: Contrast) -> float:
        return contrast.harm(state, rules)

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Contrast) -> float:
        return wagers.at_most(state.difference.wager)

    def safety(self, rule: GuardRule, rules: Rules, state: Contrast, stage: str) -> Safety:
        return contrast.safety(state, METHOD, rule, rules, stage)

    def shown(self, rule: GuardRule, rules: Rules, state: Contrast) -> Shown:
        return contrast.shown(state, is_quotient=True)

    def accuse(self, rule: GuardRule, rules: Rules, state: Contrast, at: float) -> str:
        return contrast.accuse(state, rule, rules, at, "quotient")


def views(candidate: Memory, baseline: Memory, ratio: float) -> tuple[View, View]:
    """Quotients made linear: f = (y - q x)/mean(x), q and mean(x) from the arm's earlier intervals.

    On average f is Q - q where Q is the arm's true quotient, up to the product of both errors (the delta
    method). Its variance is that of whole units, so units that come in clusters of events are no trap.
    Not known while no unit's numerator has differed from another's.
    """
    return _linear(candidate), _linear(baseline)


def _linear(memory: Memory) -> View:
    zeros, ones = contrast.flat(memory.mean)
    is_known = (memory.other_mean > 0) & (memory.variance > 0)
    scale = either(is_known, memory.other_mean, ones)
    slope = either(is_known, memory.mean / scale, zeros)
    return View(either(is_known, slope, math.nan), zeros, slope, zeros, scale)


def _has_denominator(sample: Moments) -> bool:
    return sample.other_total >= 0 and (sample.other_squares > 0 or sample.squares == 0)


METHOD = Method(views, bound=None, needs=(LEAST_CANDIDATE, BURN_IN), is_alike=True)
