"""Where evidence on two means comes from: the stretch of intervals that speaks against the new version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rollway.judge.logs import FloatArray
from rollway.judge.moments import Seen
from rollway.judge.stretch import choose


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


def start(rows: int, bets: int) -> Trail:
    return Trail(*(np.zeros((rows, bets)) for _ in range(6)))


def means(pair: tuple[Seen, Seen]) -> tuple[FloatArray, FloatArray]:
    """The arms' means (or quotients) in an interval, each of shape (rows,)."""
    candidate, baseline = (
        seen.level + seen.total / np.maximum(seen.units, 1.0) for seen in (pair[0], pair[1])
    )
    return candidate, baseline


def extend(
    trail: Trail,
    pair: tuple[Seen, Seen],
    levels: tuple[FloatArray, FloatArray],
    against: FloatArray,
    began: float,
    counted: FloatArray,
) -> Trail:
    """The trail after an interval that began at `began` (unix seconds), with its evidence per bet.

    `levels` are the arms' means in it, `counted` (rows, 1) is 1 where it counts.
    """
    goes_on = trail.score > 0
    units, others = pair[0].units[:, None], pair[1].units[:, None]
    weight = counted * units * others / np.maximum(units + others, 1.0)

    def total(before: FloatArray, now: FloatArray) -> FloatArray:
        return np.where(goes_on, before, 0.0) + now

    return Trail(
        score=np.maximum(trail.score + against * counted, 0.0),
        since=np.where(goes_on, trail.since, began),
        units=total(trail.units, units * counted),
        weight=total(trail.weight, weight),
        candidate=total(trail.candidate, np.where(weight > 0, weight * levels[0][:, None], 0.0)),
        baseline=total(trail.baseline, np.where(weight > 0, weight * levels[1][:, None], 0.0)),
    )


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
