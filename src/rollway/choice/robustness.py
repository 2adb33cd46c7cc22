"""How sure the choice is: over weights, over unknown facts, and up to the change that would turn it.

Nothing here enters the choice; it says how far the choice can be trusted, and what is worth finding out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rollway.choice.model import CRITERIA
from rollway.choice.priors import LOOKS, ODDS
from rollway.choice.ranking import OPEN_QUESTION_COST
from rollway.choice.sampling import looks, open_looks, paths, sample
from rollway.choice.scoring import NAMES, Bools, Floats, Scores, score, weights_of
from rollway.choice.worlds import Worlds, code
from rollway.facts.model import MethodName, Release
from rollway.readiness import fact_at

DRAWS = 2000
SEED = 20_000
MOST_FLIPS, MOST_QUESTIONS = 6, 6
NEAREST_CHANGES = 40  # of these, pairs are tried where no single change turns the choice
SMALLEST_WORTH = 0.0005

Shares = dict[MethodName, float]


@dataclass(frozen=True, slots=True)
class WeightRange:
    """Between which weights of one criterion, the others as stated, the first method stays first."""

    criterion: str
    stated: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that is, or turns out, otherwise. `was` is None where it is not known now."""

    path: str
    was: Any
    becomes: Any


@dataclass(frozen=True, slots=True)
class Flip:
    """A smallest set of changes that would turn the choice, and to what (None: to nothing)."""

    changes: tuple[Change, ...]
    to: MethodName | None


@dataclass(frozen=True, slots=True)
class Question:
    """An unknown, and what knowing it is worth: points of score (0..1) that a better choice would gain.

    `turns` is the share of its answers, by their odds, after which another method comes first.
    """

    path: str
    worth: float
    turns: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """Shares of the draws in which each method comes first; each set adds up to 1.

    `by_weights`: all weights equally likely, facts as stated (empty where every method is blocked).
    `by_unknowns`: weights as stated, unknown facts drawn; a rule that is violated there costs the method the
    work of lifting it. `by_both`: both drawn. `flips` is empty where nothing that is known says anything.
    """

    first: MethodName | None
    by_weights: Shares
    by_unknowns: Shares
    by_both: Shares
    weights: tuple[WeightRange, ...]
    flips: tuple[Flip, ...]
    questions: tuple[Question, ...]
    draws: int
    seed: int


def robustness(release: Release, *, draws: int = DRAWS, seed: int = SEED) -> Robustness:
    """How the choice for this release holds against other weights and other facts.

    `draws` worlds and weights are drawn with `seed`; the same arguments give the same answer.
    """
    weights = weights_of(release.goals.weights)
    stated = score(Worlds(release, 1, {}))
    first = int(stated.winner(weights)[0])
    worlds = sample(release, draws, seed)
    drawn = score(worlds)
    # All weightings of four criteria are equally likely: Dirichlet(1, 1, 1, 1).
    many = np.random.default_rng(seed + 1).dirichlet(np.ones(len(CRITERIA)), draws)
    return Robustness(
        first=_name(first),
        by_weights=_over_weights(stated, many) if first >= 0 else {},
        by_unknowns=_shares(drawn.gain(weights).argmax(axis=1)),
        by_both=_shares(drawn.gain(many).argmax(axis=1)),
        weights=tuple(_weight_ranges(stated, weights, release, first)) if first >= 0 else (),
        flips=_flips(release, weights, first) if _says_anything(stated) else (),
        questions=_questions(release, worlds, drawn, weights),
        draws=draws,
        seed=seed,
    )


def _says_anything(stated: Scores) -> bool:
    """Whether something that is known speaks or blocks; else there is no answer yet that could turn."""
    return bool(stated.blocked.any() or (stated.criteria != 0.5).any())


def _name(index: int) -> MethodName | None:
    return NAMES[index] if index >= 0 else None


def _shares(winners: NDArray[np.int64]) -> Shares:
    return {name: float(np.mean(winners == index)) for index, name in enumerate(NAMES)}


def _over_weights(stated: Scores, many: Floats) -> Shares:
    """The shares for one world (1, 6, 4) under many weightings (n, 4)."""
    standing = many @ stated.criteria[0].T - OPEN_QUESTION_COST * stated.open[0]
    return _shares(np.where(stated.blocked[0], -np.inf, np.round(standing, 9)).argmax(axis=1))


# --- weights ----------------------------------------------------------------------------------------


def _weight_ranges(scores: Scores, weights: Floats, release: Release, first: int) -> Iterator[WeightRange]:
    """For each criterion k: all w_k with  sum_j w_j (c_first,j - c_other,j - p) >= 0  for every other
    method that is not blocked, where p is what the first pays more than the other for open rules."""
    criteria = scores.criteria[0]
    penalty = OPEN_QUESTION_COST * scores.open[0]
    stated = release.goals.weights
    unit = max(getattr(stated, name) for name in CRITERIA)
    for k, name in enumerate(CRITERIA):
        low, high = 0.0, float("inf")
        for other in range(len(NAMES)):
            if other == first or scores.blocked[0, other]:
                continue
            lead = criteria[first] - criteria[other] - (penalty[first] - penalty[other])
            rest = float(weights @ lead - weights[k] * lead[k])
            slope = float(lead[k])
            if slope > 0:
                low = max(low, -rest / slope)
            elif slope < 0:
                high = min(high, rest / -slope)
        # A tie is one up to rounding, so the stated weight itself may lie a hair outside.
        low, high = min(low, float(weights[k])), max(high, float(weights[k]))
        scale = unit if 0 < unit < float("inf") else 1.0
        yield WeightRange(name, getattr(stated, name), low * scale, high * scale)


# --- the smallest change that turns it --------------------------------------------------------------


def _flips(release: Release, weights: Floats, first: int) -> tuple[Flip, ...]:
    """Single changes that turn the choice; where there is none, pairs of changes."""
    singles = [(change,) for change in _changes(release)]
    standing, winners = _judged(release, singles, weights)
    found = _turned(singles, winners, first)
    if found or first < 0:
        return found
    others = np.delete(standing, first, axis=1).max(axis=1)
    # A change that blocks the first method would have turned it, so all leads are finite or all is blocked.
    lead = standing[:, first] - others
    nearest = np.argsort(lead, kind="stable")[:NEAREST_CHANGES]
    pairs = [
        (*singles[a], *singles[b])
        for a, b in combinations(sorted(nearest), 2)
        if singles[a][0].path != singles[b][0].path
    ]
    return _turned(pairs, _judged(release, pairs, weights)[1], first)


def _changes(release: Release) -> list[Change]:
    """Every other value of every fact that a rule reads: stated facts first, then the likelier values."""
    found: list[tuple[bool, float, Change]] = []
    for path in paths():
        fact = fact_at(release, path)
        found += [
            (not fact.is_stated, -odds, Change(path, fact.value, value))
            for value, odds in ODDS[path]
            if value != fact.value
        ]
    for name in open_looks(release):
        chance = LOOKS[name]
        found += [
            (True, -odds, Change(name, None, value)) for value, odds in ((True, chance), (False, 1 - chance))
        ]
    return [change for _, _, change in sorted(found, key=lambda row: row[:2])]


def _judged(
    release: Release, sets: Sequence[tuple[Change, ...]], weights: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Standing (n, 6) and winner (n,) of the release with each set of changes made."""
    columns: dict[str, Floats] = {}
    for row, changes in enumerate(sets):
        for change in changes:
            if change.path not in columns:
                columns[change.path] = np.full(len(sets), _now(release, change.path))
            columns[change.path][row] = code(change.becomes)
    scores = score(Worlds(release, len(sets), columns))
    return scores.standing(weights), scores.winner(weights)


def _now(release: Release, path: str) -> float:
    if path in looks():
        return float("nan")
    return code(fact_at(release, path).value)


def _turned(sets: Sequence[tuple[Change, ...]], winners: NDArray[np.int64], first: int) -> tuple[Flip, ...]:
    """The sets that turn the choice, each set of facts once, in its likeliest values."""
    turned: dict[tuple[str, ...], Flip] = {}
    for changes, winner in zip(sets, winners, strict=True):
        if winner != first:
            turned.setdefault(tuple(one.path for one in changes), Flip(changes, _name(int(winner))))
    return tuple(turned.values())[:MOST_FLIPS]


# --- what is worth finding out ----------------------------------------------------------------------


def _questions(release: Release, worlds: Worlds, scores: Scores, weights: Floats) -> tuple[Question, ...]:
    """The unknowns by the value of knowing them.

        worth(x) = E over x of [ max over m of E[u_m | x] ] - max over m of E[u_m]

    where u_m is the method's score, less the work of lifting the rules that it violates there. (Partial
    value of perfect information; Raiffa and Schlaifer 1961.)
    """
    gains = scores.gain(weights)
    expected = gains.mean(axis=0)
    now = int(expected.argmax())
    settles = open_looks(release)
    by_path: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, column in worlds.columns.items():
        worth = _worth(column, gains, now)
        for path in settles.get(name, (name,))[:1]:
            by_path[path].append(worth)
    ranked = sorted(
        (Question(path, *max(worths)) for path, worths in by_path.items()),
        key=lambda one: (-one.worth, one.path),
    )
    return tuple(one for one in ranked if one.worth > SMALLEST_WORTH)[:MOST_QUESTIONS]


def _worth(column: Floats, gains: Floats, now: int) -> tuple[float, float]:
    """What knowing this column would gain, and how often it would turn the choice."""
    worth = turns = 0.0
    for value in np.unique(column):
        rows: Bools = column == value
        share = float(rows.mean())
        expected = gains[rows].mean(axis=0)
        best = int(expected.argmax())
        worth += share * float(expected[best] - expected[now])
        turns += share * (best != now)
    return worth, turns
