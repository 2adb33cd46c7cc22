"""Where evidence on two means comes from: the stretch of intervals that speaks against the new version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.moments import Seen
from rollway.judge.quick import quick
from rollway.judge.rows import Row, column, either, is_plain, larger
from rollway.judge.stretch import choose


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


_NAMES = Trail.__slots__


def start(rows: int, bets: int) -> Trail:
    return Trail(*(np.zeros((rows, bets)) for _ in range(6)))


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


def prolong(
    whole: Trail, pair: tuple[Seen, Seen], levels: tuple[FloatArray, FloatArray], began: float, counted: Row
) -> Trail:
    """A trail of one effect, shape (rows, 1), that never begins anew, after an interval as in `extend`."""
    if not is_plain(counted):
        return extend(whole, pair, levels, np.ones_like(whole.score), began, counted)
    so_far = Trail(*[getattr(whole, name).item() for name in _NAMES])
    now = extend(so_far, pair, levels, cast("FloatArray", 1.0), began, counted)
    return Trail(*np.array([[[getattr(now, name)]] for name in _NAMES]))


def tell(trail: Trail, whole: Trail, row: int, log_e: float) -> Told:
    """The stretch that holds most of `log_e`, or the whole exposure where none does."""
    best = choose(trail.score[row], trail.since[row])
    since: float | None = float(trail.since[row, best])
    if trail.score[row, best] < log_e / 2 or trail.weight[row, best] <= 0:
        trail, best, since = whole, 0, None
    weight = max(float(trail.weight[row, best]), 1e-300)
    return Told(
        units=round(float(trail.units[row, best])),
        candidate=float(trail.candidate[row, best]) / weight,
        baseline=float(trail.baseline[row, best]) / weight,
        since=since,
    )
