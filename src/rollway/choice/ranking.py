"""Vetoes and arguments become states, scores and an order, on absolute scales.

The score of a criterion is a logistic curve of the points S that its reasons bring,
    s = 1 / (1 + exp(-S / 2)),        so 0 points give 0.5, +2 give 0.73, +4 give 0.88;
the score of the method is the mean of its criteria, weighted by `goals.weights` (simple additive
weighting on absolute value functions, see Edwards and Barron 1994, SMART). Taking a method away therefore
never changes the order of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from rollway.choice.methods import METHODS
from rollway.choice.model import CRITERIA, Method, MethodState, Ranked, Reason, VetoResult
from rollway.facts.model import Release, Weights

OPEN_QUESTION_COST = 0.04
"""How much better a method whose vetoes are still open must fit to stand before one that is allowed."""


def rank(release: Release, methods: Iterable[Method] = METHODS) -> tuple[Ranked, ...]:
    """The methods, best first; blocked ones last. Ties keep the order of `methods`."""
    ranked = [judge_method(release, method) for method in methods]
    return tuple(sorted(ranked, key=lambda one: (one.state == "blocked", -standing(one))))


def standing(ranked: Ranked) -> float:
    """The figure by which methods are ordered: the score, less a little while vetoes are open.

    Rounded, so that equal sums of points tie whatever the order in which they were added.
    """
    return round(ranked.score - (OPEN_QUESTION_COST if ranked.state == "unknown" else 0.0), 9)


def judge_method(release: Release, method: Method) -> Ranked:
    """One method for one release: its vetoes, its reasons and its scores (0..1)."""
    vetoes = tuple(veto.check(release) for veto in method.vetoes)
    reasons = method.argue(release)
    criteria = {criterion: _criterion_score(reasons, criterion) for criterion in CRITERIA}
    return Ranked(
        method=method.name,
        title=method.title,
        state=method_state(vetoes),
        score=weighted(criteria, release.goals.weights),
        criteria=criteria,
        vetoes=vetoes,
        reasons=reasons,
    )


def method_state(vetoes: Iterable[VetoResult]) -> MethodState:
    """Blocked by one violated veto; unknown while one is open; else allowed."""
    states = {veto.state for veto in vetoes}
    if "violated" in states:
        return "blocked"
    return "unknown" if "unknown" in states else "allowed"


def weighted(criteria: dict[str, float], weights: Weights) -> float:
    """The weighted mean of the criteria; equal weights where all are zero."""
    shares = {criterion: getattr(weights, criterion) for criterion in CRITERIA}
    largest = max(shares.values())
    # Relative to the largest, so that neither a sum overflows nor an infinite weight divides itself.
    scaled = {name: 1.0 if share == largest else share / largest for name, share in shares.items()}
    return sum(scaled[name] * criteria[name] for name in CRITERIA) / sum(scaled.values())


def _criterion_score(reasons: Iterable[Reason], criterion: str) -> float:
    points = sum(reason.points for reason in reasons if reason.criterion == criterion)
    return 1 / (1 + math.exp(-points / 2))
