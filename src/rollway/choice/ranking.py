"""Vetoes and arguments become states, scores and an order, on absolute scales.

The score of a criterion is a logistic curve of the points S that its reasons bring,
    s = 1 / (1 + exp(-S / 4)),        so 0 points give 0.5, +2 give 0.62, +8 give 0.88;
the score of the method is the mean of its criteria, weighted by `goals.weights` (simple additive
weighting on absolute value functions, see Edwards and Barron 1994, SMART). Taking a method away therefore
never changes the order of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from rollway.choice.actions import cheapest
from rollway.choice.argument import Arguments, Said
from rollway.choice.hard_rule import HardRule
from rollway.choice.methods import METHODS
from rollway.choice.model import CRITERIA, Action, Method, MethodState, Ranked, Reason, VetoResult
from rollway.facts.model import Release, Weights

OPEN_QUESTION_COST = 0.02
"""How much better a method whose vetoes are still open must fit to stand before one that is allowed."""


def rank(release: Release, methods: Iterable[Method] = METHODS) -> tuple[Ranked, ...]:
    """The methods, best first; blocked ones last. Ties keep the order of `methods`."""
    said = Said(release)
    ranked = [judge_method(release, method, said) for method in methods]
    return tuple(sorted(ranked, key=lambda one: (one.state == "blocked", -standing(one))))


def standing(ranked: Ranked) -> float:
    """The figure by which methods are ordered: the score, less a little while vetoes are open.

    Rounded, so that equal sums of points tie whatever the order in which they were added.
    """
    return round(ranked.score - (OPEN_QUESTION_COST if ranked.state == "unknown" else 0.0), 9)


def judge_method(release: Release, method: Method, said: Said | None = None) -> Ranked:
    """One method for one release: its vetoes, its reasons and its scores (0..1)."""
    said = said or Said(release)
    vetoes = tuple(said.veto(veto) for veto in method.vetoes)
    argue = method.argue
    reasons = argue(release, said) if isinstance(argue, Arguments) else argue(release)
    criteria: dict[str, float] = {name: _criterion_score(reasons, name) for name in CRITERIA}
    return Ranked(
        method=method.name,
        title=method.title,
        state=method_state(vetoes),
        score=weighted(criteria, release.goals.weights),
        criteria=criteria,
        vetoes=vetoes,
        reasons=reasons,
        unlock=_unlock(release, method) if "violated" in {one.state for one in vetoes} else (),
    )


def _unlock(release: Release, method: Method) -> tuple[Action, ...]:
    """The cheapest actions that together lift every violated rule of the method."""
    rules = [veto.check for veto in method.vetoes if isinstance(veto.check, HardRule)]
    return cheapest([demand for rule in rules for demand in rule.wanted(release)])


def method_state(vetoes: Iterable[VetoResult]) -> MethodState:
    """Blocked by one violated veto; unknown while one is open; else allowed."""
    states = {veto.state for veto in vetoes}
    if "violated" in states:
        return "blocked"
    return "unknown" if "unknown" in states else "allowed"


def weighted(criteria: Mapping[str, float], weights: Weights) -> float:
    """The weighted mean of the criteria; equal weights where all are zero."""
    shares = {criterion: getattr(weights, criterion) for criterion in CRITERIA}
    largest = max(shares.values())
    # Relative to the largest, so that neither a sum overflows nor an infinite weight divides itself.
    scaled = {name: 1.0 if share == largest else share / largest for name, share in shares.items()}
    return sum(scaled[name] * criteria[name] for name in CRITERIA) / sum(scaled.values())


def _criterion_score(reasons: Iterable[Reason], criterion: str) -> float:
    points = sum(reason.points for reason in reasons if reason.criterion == criterion)
    return 1 / (1 + math.exp(-points / 4))
