"""Where evidence on two means comes from: the stretch of intervals that speaks against the new version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.moments import Seen
from rollway.judge.quick import quick
from rollway.judge.rows import Cell, Row, either, larger, number
from rollway.judge.stretch import choose

LEAST_WEIGHT = 1e-300


@quick
@dataclass(frozen=True, slots=True)
class Trail:
    """Where the evidence comes from, for each effect (see `stretch`).

    score: nats, shape (rows, effects). begun: the unix seconds at which the stretch began, and what the sums
    of `Whole` were then, shape (5, rows, effects).
    """

    score: FloatArray
    begun: FloatArray


@dataclass(frozen=True, slots=True)
class Told:
    """The two means over a stretch of time that began at `since`, None: over the whole exposure."""

    units: int
    candidate: float
    baseline: float
    since: float | None


class Whole(NamedTuple):
    """The whole exposure, a trail that never begins anew; each of shape (rows,).

    score: intervals; since: unix seconds; units: of the new version; weight, candidate, baseline: sums of
    w, w m_t and w m_c, w = n_t n_c/(n_t + n_c), so that both versions are compared over the same moments.
    """

    score: Cell
    since: Cell
    units: Cell
    weight: Cell
    candidate: Cell
    baseline: Cell


def start(rows: int, bets: int) -> Trail:
    return Trail(np.zeros((rows, bets)), np.zeros((5, rows, bets)))


def whole(rows: int) -> Whole:
    return Whole(*(np.zeros(rows) for _ in range(6)))


_NO_NUMBER: Any = 0.0
NOTHING = Whole(*(_NO_NUMBER,) * 6)
"""Before any interval, in plain numbers."""


def means(pair: tuple[Seen, Seen]) -> tuple[FloatArray, FloatArray]:
    """The arms' means (or quotients) in an interval, each of shape (rows,)."""
    candidate, baseline = (seen.level + seen.total / larger(seen.units, 1.0) for seen in pair)
    return candidate, baseline


def extend(trail: Trail, so_far: Whole, against: FloatArray, began: float, counted: Row) -> Trail:
    """The trail after an interval that began at `began` (unix seconds), with its evidence per bet.

    `so_far` is the whole trail before it, `counted` (rows, 1) is 1 where it counts.
    """
    now = np.array((np.full_like(so_far.units, began), *so_far[2:]))[..., np.newaxis]
    begun = np.where(trail.score > 0, trail.begun, now)
    return Trail(larger(trail.score + against * counted, 0.0), begun)


def extend_one(trail: Trail, so_far: Whole, against: FloatArray, began: float) -> Trail:
    """`extend` of a single row by an interval that counts; `so_far` is in plain numbers."""
    now = np.array((began, *so_far[2:])).reshape(5, 1, 1)
    score, begun = trail.score + against, trail.begun.copy()
    # Scores are never below 0, so only those at 0 are false.
    np.copyto(begun, now, where=np.logical_not(trail.score))
    return Trail(np.maximum(score, 0.0, out=score), begun)


def prolong(
    so_far: Whole, pair: tuple[Seen, Seen], levels: tuple[FloatArray, FloatArray], began: float, counted: Row
) -> Whole:
    """The whole trail after an interval as in `extend`, `counted` of shape (rows,)."""
    units, others = pair[0].units, pair[1].units
    weight = counted * units * others / larger(units + others, 1.0)
    is_told = weight > 0
    return Whole(
        score=so_far.score + counted,
        since=either(so_far.score > 0, so_far.since, began),
        units=so_far.units + units * counted,
        weight=so_far.weight + weight,
        candidate=so_far.candidate + either(is_told, weight * levels[0], 0.0),
        baseline=so_far.baseline + either(is_told, weight * levels[1], 0.0),
    )


def prolong_one(
    so_far: Whole, units: tuple[float, float], levels: tuple[float, float], began: float
) -> Whole:
    """`prolong` in plain numbers, by an interval that counts."""
    score, since, seen, weight, candidate, baseline = so_far
    n_t, n_c = units
    more = n_t * n_c / max(n_t + n_c, 1.0)
    since = since if score > 0 else began
    sums = candidate + more * levels[0], baseline + more * levels[1]
    return Whole(score + 1.0, since, seen + n_t, weight + more, *sums)


def tell(trail: Trail, so_far: Whole, log_e: float) -> Told:
    """The stretch of a single row that holds most of `log_e`, or the whole exposure where none does."""
    best = choose(trail.score[0], trail.begun[0, 0])
    since, *before = trail.begun[:, 0, best].tolist()
    sums = [number(total) - earlier for total, earlier in zip(so_far[2:], before, strict=True)]
    if trail.score[0, best] < log_e / 2 or sums[1] <= 0:
        sums, since = [number(total) for total in so_far[2:]], None
    units, weight, candidate, baseline = sums
    weight = max(weight, LEAST_WEIGHT)
    return Told(round(units), candidate / weight, baseline / weight, since)
