"""Totals per unit with heavy tails, such as revenue per user, cut off at a cap; asymptotic.

The source cuts each unit's figure off at the rule's `cap` before it adds it up: sums cannot be cut off
afterwards. Sums that no figures within -cap..cap can have are implausible.
"""

from __future__ import annotations

import math

from rollway.judge import contrast
from rollway.judge import wager as wagers
from rollway.judge.contrast import Contrast
from rollway.judge.difference import Method
from rollway.judge.evidence import Safety, Shown
from rollway.judge.model import GuardRule, Reading, Rules, Sample
from rollway.judge.moments import ROUNDING, Memory, View
from rollway.judge.rows import all_of, either, larger

# The spread of a heavy-tailed figure is learned from so many units of each arm before anything counts.
BURN_IN = 300
LEAST_CANDIDATE = 100


class TotalKind:
    """Revenue, items, minutes per unit. Where units carry the same figure from before the release as
    their second figure, it is used to tell their own habits from what the release does."""

    state = Contrast
    enough_baseline = BURN_IN

    def faults(self, rule: GuardRule) -> tuple[str, ...]:
        own: tuple[str, ...] = ()
        if rule.cap is None or not 0 < rule.cap < math.inf:
            own = ("a total needs a cap above 0: what its source cuts each unit's figure off at",)
        return own + contrast.faults(rule)

    def begin(self) -> Contrast:
        return contrast.begin()

    def is_plausible(self, rule: GuardRule, state: Contrast, reading: Reading) -> bool:
        cap = rule.cap or 1.0
        return contrast.are_plausible(reading) and contrast.are_within(reading, -cap, cap)

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
        return contrast.shown(state)

    def accuse(self, rule: GuardRule, rules: Rules, state: Contrast, at: float) -> str:
        return contrast.accuse(state, rule, rules, at, "mean")


def views(candidate: Memory, baseline: Memory, ratio: float) -> tuple[View, View]:
    """Figures about their mean, less what the figure x from before the release foretells of them.

        f_t = y - k_t - theta (x - x0),   f_c = y - k_c - (theta/ratio) (x - x0),   theta = cov(x, y)/var(x)

    theta and x0 come from earlier intervals of both arms. Users are assigned by chance, so x has one mean
    in both arms, and theta's part of f_t - ratio f_c is 0 whatever that mean is (regression adjustment,
    known as CUPED: Deng et al. 2013). Without a second figure theta is 0.
    """
    known = candidate.units * candidate.other_variance + baseline.units * baseline.other_variance
    shared = candidate.units * candidate.covariance + baseline.units * baseline.covariance
    both = larger(candidate.units + baseline.units, 1.0)
    before = (candidate.units * candidate.other_mean + baseline.units * baseline.other_mean) / both
    # A second figure that never varies foretells nothing, and its variance is mere rounding.
    varies = known > ROUNDING * both * before * before
    theta = either(varies, shared / either(varies, known, 1.0), 0.0)
    ones = all_of(theta, 1.0)
    return (
        View(candidate.mean, candidate.mean, theta, before, ones),
        View(baseline.mean, baseline.mean, theta / ratio, before, ones),
    )


METHOD = Method(views, bound=None, needs=(LEAST_CANDIDATE, BURN_IN))
