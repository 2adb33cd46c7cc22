"""All methods in many worlds at once: the same vetoes and arguments as `ranking`, as arithmetic on arrays.

symbol  shape        meaning
N       -            number of worlds
S       (N, 6, 4)    points, summed per method and criterion
c       (N, 6, 4)    criteria, 1 / (1 + exp(-S/4))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rollway.choice.argument import Arguments
from rollway.choice.hard_rule import HardRule
from rollway.choice.methods import METHODS
from rollway.choice.model import CRITERIA
from rollway.choice.ranking import OPEN_QUESTION_COST
from rollway.choice.rules.rule import Rule
from rollway.choice.worlds import Worlds
from rollway.facts.model import MethodName, Weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COST_PER_DAY = 0.002
"""What a day of work on a hard rule costs in score: five weeks of it are worth a plain lead of 0.1."""

NAMES: tuple[MethodName, ...] = tuple(method.name for method in METHODS)


@dataclass(frozen=True, slots=True)
class Scores:
    """Criteria (N, 6, 4) in 0..1; which methods are blocked, and which still have open rules (N, 6).

    `days` (N, 6) is what the cheapest actions that would lift the violated rules take, rule by rule.
    """

    criteria: Floats
    blocked: Bools
    open: Bools
    days: Floats

    def standing(self, weights: Floats) -> Floats:
        """The figure by which methods are ordered (N, 6), as in `ranking`; minus infinity where blocked.

        `weights` (4,) for all worlds, or (N, 4): one weighting for each.
        """
        figure = np.round(self.mean(weights) - OPEN_QUESTION_COST * self.open, 9)
        return np.where(self.blocked, -np.inf, figure)

    def mean(self, weights: Floats) -> Floats:
        """The weighted mean of the criteria (N, 6); weights as in `standing`."""
        if weights.ndim == 1:
            found: Floats = self.criteria @ (weights / weights.sum())
            return found
        shares = weights / weights.sum(axis=1, keepdims=True)
        each: Floats = np.einsum("nmc,nc->nm", self.criteria, shares)
        return each

    def gain(self, weights: Floats) -> Floats:
        """What a method is worth where everything is known (N, 6): the mean, less the work of lifting the
        rules that it violates. For drawn worlds: there, a missing exit rule is a morning's work, no end."""
        return self.mean(weights) - COST_PER_DAY * self.days

    def winner(self, weights: Floats) -> NDArray[np.int64]:
        """The index of the best method per world (N,), -1 where all are blocked. Ties as in `ranking`."""
        best = self.standing(weights).argmax(axis=1)
        return np.where(self.blocked.all(axis=1), -1, best)


def score(worlds: Worlds) -> Scores:
    """The criteria and the state of every method in every world."""
    count = worlds.count
    points = np.zeros((count, len(METHODS) * len(CRITERIA)))
    for rule, row in _effects():
        fires, _ = rule.holds.over(worlds, strict=False)
        points += np.multiply.outer(fires, row)
    blocked = np.zeros((count, len(METHODS)), dtype=bool)
    undecided = np.zeros((count, len(METHODS)), dtype=bool)
    days = np.zeros((count, len(METHODS)))
    for index, method in enumerate(METHODS):
        for veto in method.vetoes:
            if isinstance(veto.check, HardRule):
                kept, broken, price = veto.check.over(worlds)
                blocked[:, index] |= broken
                undecided[:, index] |= ~kept & ~broken
                days[:, index] += price
    criteria = 1 / (1 + np.exp(-points.reshape(count, len(METHODS), len(CRITERIA)) / 4))
    return Scores(criteria, blocked, undecided & ~blocked, days)


def weights_of(weights: Weights) -> Floats:
    """The weights as fractions of the largest (4,); equal where all are zero."""
    stated = np.array([getattr(weights, name) for name in CRITERIA], dtype=float)
    largest = stated.max()
    if largest == 0:
        return np.ones(len(CRITERIA))
    # Infinity by itself is no number: the largest are set apart before they are divided.
    fractions = np.ones(len(CRITERIA))
    np.divide(stated, largest, out=fractions, where=stated != largest)
    return fractions


def _effects() -> list[tuple[Rule, Floats]]:
    """Each rule once, with the points (24,) that it gives to each method under each criterion."""
    if not _TABLE:
        rows: dict[int, tuple[Rule, Floats]] = {}
        for index, method in enumerate(METHODS):
            arguments = method.argue.rows if isinstance(method.argue, Arguments) else ()
            for one in arguments:
                place = index * len(CRITERIA) + CRITERIA.index(one.criterion)
                empty = np.zeros(len(METHODS) * len(CRITERIA))
                rows.setdefault(id(one.rule), (one.rule, empty))[1][place] += one.points
        _TABLE.extend(rows.values())
    return _TABLE


_TABLE: list[tuple[Rule, Floats]] = []
