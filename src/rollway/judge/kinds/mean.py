"""Means of bounded figures of single units: exact, whatever the figures' law."""

from __future__ import annotations

import math
from functools import lru_cache

from rollway.judge import contrast
from rollway.judge import wager as wagers
from rollway.judge.contrast import Contrast
from rollway.judge.difference import Method
from rollway.judge.evidence import Safety, Shown
from rollway.judge.model import GuardRule, Reading, Rules, Sample
from rollway.judge.moments import Memory, View

# So many units of the old version are needed for the first bets to be of a sensible size.
ENOUGH_BASELINE = 30


class MeanKind:
    """Figures between 0 and the rule's `bound`: a score, a share of failed steps, a capped duration.

    `Counts` are figures of 0 and 1, so a rate can be judged by a tolerated difference too.
    """

    state = Contrast
    enough_baseline = ENOUGH_BASELINE

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        own: tuple[str, ...] = ()
        if rule.bound is None or not 0 < rule.bound < math.inf:
            own = ("a mean needs a bound above 0: what no unit's figure exceeds (1 for a share of units)",)
        return own + contrast.faults(rule)

    def begin(self) -> Contrast:
        return contrast.begin()

    def is_plausible(self, rule: GuardRule, state: Contrast, reading: Reading) -> bool:
        return contrast.are_plausible(reading) and contrast.are_within(reading, 0.0, rule.bound or 1.0)

    def trials(self, sample: Sample | None) -> float:
        return contrast.units(sample)

    def absorb(self, rule: GuardRule, rules: Rules, state: Contrast, reading: Reading) -> Contrast:
        return contrast.absorb(state, _method(rule), rule, rules, reading)

    def harm(self, rule: GuardRule, rules: Rules, state: Contrast) -> float:
        return contrast.harm(state, rules)

    def harm_at_most(self, rule: GuardRule, rules: Rules, state: Contrast) -> float:
        return wagers.at_most(state.difference.wager)

    def safety(self, rule: GuardRule, rules: Rules, state: Contrast, stage: str) -> Safety:
        return contrast.safety(state, _method(rule), rule, rules, stage)

    def shown(self, rule: GuardRule, rules: Rules, state: Contrast) -> Shown:
        return contrast.shown(state)

    def accuse(self, rule: GuardRule, rules: Rules, state: Contrast, at: float) -> str:
        return contrast.accuse(state, rule, rules, at, "mean")


def views(candidate: Memory, baseline: Memory, ratio: float) -> tuple[View, View]:
    """Each arm's figures about its own mean as known so far."""
    return _about_mean(candidate), _about_mean(baseline)


def _about_mean(memory: Memory) -> View:
    mean = memory.mean
    if type(mean) is float:
        return View(mean, mean, 0.0, 0.0, 1.0)
    zeros, ones = contrast.flat(mean)
    return View(mean, mean, zeros, zeros, ones)


@lru_cache(maxsize=64)
def _method_of(bound: float) -> Method:
    return Method(views, bound=bound, needs=(0.0, ENOUGH_BASELINE), is_alike=True)


def _method(rule: GuardRule) -> Method:
    return _method_of(rule.bound or 1.0)
