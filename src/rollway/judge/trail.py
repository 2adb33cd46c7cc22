"""Where evidence on two means comes from: the stretch of intervals that speaks against the new version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.moments import Seen
from rollway.judge.quick import quick
from rollway.judge.rows import Cell, Row, column, either, larger, number
from rollway.judge.stretch import choose

LEAST_WEIGHT = 1e-300


@quick
@dataclass(frozen=True, slots=True)
class Trail:
    """Where the evidence comes from, for each effect (see `stretch`); all of shape (rows, effects).

    score: nats; since: unix seconds; units: of the new version; weight, candidate, baseline: sums of
    w, w m_t and w m_c, w = n_t n_c/(n_t + n_c), so that both versions are compared over the same moments.
    """

    score: FloatArray
    since: FloatArray
    units: FloatArray
    weight: FloatArray
    candidate: FloatArray
    baseline: FloatArray


@dataclass(frozen=True, slots=True)
class Told:
    """The two means over a stretch of time that began at `since`, None: over the whole exposure."""

    units: int
    candidate: float
    baseline: float
    since: float | None


class Whole(NamedTuple):
    """A trail that never begins anew, whatever the evidence; each of shape (rows,). score: intervals."""

    score: Cell
    since: Cell
    units: Cell
    weight: Cell
    candidate: Cell
    baseline: Cell


def start(rows: int, bets: int) -> Trail:
    return Trail(*(np.zeros((rows, bets)) for _ in range(6)))


def whole(rows: int) -> Whole:
    return Whole(*(np.zeros(rows) for _ in range(6)))


_NO_NUMBER: Any = 0.0
NOTHING = Whole(*(_NO_NUMBER,) * 6)
"""Before any interval, in plain numbers."""


def means(pair: tuple[Seen, Seen]) -> tuple[FloatArray, FloatArray]:
    """The arms' means (or quotients) in an interval, each of shape (rows,)."""
    candidate, baseline = (seen.level + seen.total / larger(seen.units, 1.0) for seen in pair)
    return candidate, baseline


def extend(
    trail: Trail,
    pair: tuple[Seen, Seen],
    levels: tuple[FloatArray, FloatArray],
    against: FloatArray,
    began: float,
    counted: Row,
) -> Trail:
    """The trail after an interval that began at `began` (unix seconds), with its evidence per bet.

    `levels` are the arms' means in it, `counted` (rows, 1) is 1 where it counts.
    """
    goes_on = trail.score > 0
    units, others = column(pair[0].units), column(pair[1].units)
    weight = counted * units * others / larger(units + others, 1.0)
    is_told = weight > 0
    return Trail(
        score=larger(trail.score + against * counted, 0.0),
        since=either(goes_on, trail.since, began),
        units=goes_on * trail.units + units * counted,
        weight=goes_on * trail.weight + weight,
        candidate=goes_on * trail.candidate + either(is_told, weight * column(levels[0]), 0.0),
        baseline=goes_on * trail.baseline + either(is_told, weight * column(levels[1]), 0.0),
    )


def extend_one(
    trail: Trail,
    units: tuple[float, float],
    levels: tuple[float, float],
    against: FloatArray,
    began: float,
) -> Trail:
    """`extend` of a single row by an interval that counts; the arms' units and means are plain numbers."""
    n_t, n_c = units
    weight = n_t * n_c / max(n_t + n_c, 1.0)
    # Scores are never below 0, so this is 1 where the trail goes on and 0 elsewhere.
    goes_on = np.sign(trail.score)
    score, since = trail.score + against, 1.0 - goes_on
    since *= began
    since += goes_on * trail.since
    seen, weights = goes_on * trail.units, goes_on * trail.weight
    seen += n_t
    weights += weight
    candidate, baseline = goes_on * trail.candidate, goes_on * trail.baseline
    candidate += weight * levels[0]
    baseline += weight * levels[1]
    return Trail(np.maximum(score, 0.0, out=score), since, seen, weights, candidate, baseline)


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
    best = choose(trail.score[0], trail.since[0])
    if trail.score[0, best] < log_e / 2 or trail.weight[0, best] <= 0:
        return _told(so_far.units, so_far.weight, so_far.candidate, so_far.baseline, None)
    units, weight = trail.units[0, best], trail.weight[0, best]
    since = float(trail.since[0, best])
    return _told(units, weight, trail.candidate[0, best], trail.baseline[0, best], since)


def _told(units: Any, weight: Any, candidate: Any, baseline: Any, since: float | None) -> Told:
    weight = max(number(weight), LEAST_WEIGHT)
    return Told(round(number(units)), number(candidate) / weight, number(baseline) / weight, since)
