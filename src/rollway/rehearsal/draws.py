"""What both versions serve in an interval, drawn exactly: Poisson arrivals, each of one of several outcomes.

Arrays count disjoint outcomes: good and bad of a rate, the buckets of a latency. A drawn interval can be
split into shorter ones as it would have been drawn, because Poisson arrivals fall independently.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rollway.judge import Assigned, Counts, Histogram, Moments, Past, Reading, Sample
from rollway.planning.durations import slower
from rollway.rehearsal.scenario import Fault
from rollway.rehearsal.world import Measure, World

IntArray = NDArray[np.int64]
PAST_WEEKS = 8
CHECK_FAULT_RATE = 0.01
"""Health checks that never fail have no ratio: a fault of ratio r fails so many times r of them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One KPI's outcomes in an interval, by arm, each of shape (outcomes,)."""

    measure: Measure
    candidate: IntArray
    baseline: IntArray


@dataclass(frozen=True, slots=True)
class Place:
    """An interval of the world: unix seconds, the share that is really served, whether the fault acts, and
    the share of the control group (0: everyone else is compared)."""

    start: float
    end: float
    share: float
    fault: Fault | None = None
    control: float = 0.0


def draw(rng: np.random.Generator, world: World, place: Place, luck: float = 1.0) -> tuple[Drawn, ...]:
    """Every KPI's outcomes. `luck` multiplies the new version's rates."""
    requests = world.traffic.expected(place.start, place.end)
    cluster = max(1.0, world.noise.cluster)
    beside = place.control or 1 - place.share
    drawn = []
    for measure in world.measures:
        trials = requests * measure.per_request
        base = world.traffic.rate(measure.kpi, place.start, place.end)
        old = outcomes(measure, base)
        new = outcomes(measure, base, _ratio(measure, place.fault), luck)
        drawn.append(
            Drawn(
                measure,
                _arrivals(rng, trials * place.share, new, cluster),
                _arrivals(rng, trials * beside, old, cluster),
            )
        )
    return tuple(drawn)


def _ratio(measure: Measure, fault: Fault | None) -> float:
    if fault is None or (fault.kpis and measure.kpi not in fault.kpis) or measure.kind == "assignment":
        return 1.0
    return fault.ratio


def outcomes(measure: Measure, base: float | None, ratio: float = 1.0, luck: float = 1.0) -> Sequence[float]:
    """The chance of each outcome for one trial of a version that is `ratio` times as bad."""
    if measure.kind == "assignment":
        return (1.0,)
    if measure.kind == "latency":
        return slower(measure.law, ratio * luck) if ratio * luck != 1 else measure.law
    rate = measure.rate if base is None else base
    if measure.kind == "check" and ratio > 1:
        rate = max(rate, CHECK_FAULT_RATE)
    times = luck / ratio if measure.is_good else ratio * luck
    rate = min(1.0, rate * times)
    return (1 - rate, rate)


def _arrivals(
    rng: np.random.Generator, expected: float, chances: Sequence[float], cluster: float
) -> IntArray:
    """Independent Poisson numbers, one for each outcome; bad ones (all but the first) in clusters."""
    means = np.maximum(np.asarray(chances) * expected, 0.0)
    if cluster == 1.0 or len(means) < 2:
        return rng.poisson(means)
    found = rng.poisson(means / np.where(np.arange(len(means)) > 0, cluster, 1.0))
    found[1:] = np.rint(found[1:] * cluster)
    return found


def split(
    rng: np.random.Generator, drawn: Sequence[Drawn], parts: Sequence[float]
) -> list[tuple[Drawn, ...]]:
    """The same outcomes in shorter intervals that follow each other; `parts` are their chances, sum 1."""
    shares = np.asarray(parts) / math.fsum(parts)
    cut = [
        (each.measure, rng.multinomial(each.candidate, shares), rng.multinomial(each.baseline, shares))
        for each in drawn
    ]
    return [tuple(Drawn(m, new[:, n], old[:, n]) for m, new, old in cut) for n in range(len(shares))]


def thinned(
    rng: np.random.Generator, drawn: tuple[Drawn, ...], kept: float, *, of: Collection[str]
) -> tuple[Drawn, ...]:
    """Each outcome of these KPIs kept with this chance, and all of the others."""
    if kept > 1 - 1e-4:
        return drawn
    return tuple(
        Drawn(each.measure, rng.binomial(each.candidate, kept), rng.binomial(each.baseline, kept))
        if each.measure.kpi in of
        else each
        for each in drawn
    )


def reading(drawn: Drawn, start: float, end: float, stage: str, share: float) -> Reading:
    """The interval as a signal hands it to the judge."""
    new, old = _sample(drawn.measure, drawn.candidate), _sample(drawn.measure, drawn.baseline)
    if drawn.measure.has_past:
        old = _past(drawn.measure, drawn.candidate)
    return Reading(drawn.measure.kpi, start, end, stage, share, new, old)


def _sample(measure: Measure, counts: IntArray) -> Sample:
    values = counts.tolist()
    if measure.kind == "mean":
        return Moments(sum(values), values[1] * measure.bound, values[1] * measure.bound**2)
    if measure.kind == "latency":
        return Histogram(measure.bounds, tuple(values))
    if measure.kind == "assignment":
        return Assigned(values[0])
    return Counts(values[0] + values[1], values[1])


def _past(measure: Measure, counts: IntArray) -> Past:
    """The figures of PAST_WEEKS weeks at the same hour: the usual rate, and the chance in as many trials."""
    spread = math.sqrt(measure.rate * (1 - measure.rate) / max(1.0, float(counts.sum())))
    places = ((week + 0.5) / PAST_WEEKS for week in range(PAST_WEEKS))
    values = (measure.rate + spread * NormalDist().inv_cdf(place) for place in places)
    return Past(tuple(max(0.0, value * measure.bound) for value in values))
