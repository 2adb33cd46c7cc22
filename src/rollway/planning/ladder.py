"""How large each share may be: what a fault would cost before it is caught, and how fast shares may grow.

    harm(w, r) = p (r - 1) (N(w, r) + w R D)

symbol  meaning
w r     the share, and how many times as bad as the old version a fault is
p       the old version's usual rate of bad events
N       requests of the new version until the judge has evidence enough (`judge.requests_to_detect`)
R D     requests per second to both versions in the busiest hour; seconds that pass until a plain fault
        has an end: the time to the next look, and the rollback's own

N hardly depends on w, so there is a least harm that no share can avoid: whoever wants a fault caught pays
for the evidence. w R D grows with w, and for a fault that breaks everything it is nearly all of the harm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rollway.facts.model import Kpi, Release
from rollway.judge import requests_to_detect
from rollway.planning.control_group import part_of
from rollway.planning.evidence import (
    LADDER,
    alpha_of,
    busiest_per_second,
    effect_of,
    gates,
    margins_before,
    say_of,
    slowest_clear_seconds,
    usual_rate,
)

DEFAULT_SHARES = (0.01, 0.10, 0.50)
"""What shares are taken where nothing tells otherwise."""
FIRST_SHARES = (0.01, 0.02, 0.05, 0.10)
GRID = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.10, 0.20, 0.50)
FIRST_ANSWER_SECONDS = 3600.0
"""The first share is the smallest of FIRST_SHARES whose gates are expected to clear within this time."""
LARGEST_GROWTH = 10.0
"""One step never reaches more than so many times the users of the one before."""
SIZES = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
NEARLY = 1.1
"""A share whose harm is within this factor of the least is as good as the smallest."""
MORE = 1e-9


@dataclass(frozen=True, slots=True)
class Cost:
    """The most that a fault costs at a share: bad events beyond the old version's, where, which size."""

    events: float
    kpi: str
    ratio: float


def shares(release: Release, tick_seconds: float) -> tuple[float, ...]:
    """The shares below one half and one half itself, rising, as traffic and the harm budget allow."""
    budget = release.rollout.harm_budget
    first = _first_in_time(release)
    if budget is None or dearest(release, first, tick_seconds) is None:
        return (first, *(share for share in DEFAULT_SHARES if share > first + MORE))
    found = [_first(release, [share for share in GRID if share <= first + MORE], budget, tick_seconds)]
    while found[-1] < DEFAULT_SHARES[-1] - MORE:
        found.append(_next(release, found[-1], budget, tick_seconds))
    return tuple(found)


def _first_in_time(release: Release) -> float:
    """The smallest of FIRST_SHARES that answers in time; the default where that cannot be computed."""
    margins = margins_before(release, DEFAULT_SHARES[1])
    for share in FIRST_SHARES:
        slowest = slowest_clear_seconds(release, margins, share)
        if slowest is None:
            return DEFAULT_SHARES[0]
        if slowest <= FIRST_ANSWER_SECONDS:
            return share
    return FIRST_SHARES[-1]


def _next(release: Release, share: float, budget: float, tick_seconds: float) -> float:
    """The next share within the budget for what was not excluded at `share`; at most ten times as large."""
    steps = [each for each in GRID if share + MORE < each <= LARGEST_GROWTH * share + MORE]
    costs = [(each, _events(release, each, tick_seconds, margin_before(release, each))) for each in steps]
    return _largest(costs, budget)


def margin_before(release: Release, share: float) -> float:
    """The largest fault that may still be there when `share` is reached."""
    return max(margins_before(release, share).values(), default=LADDER[0][1])


def _first(release: Release, candidates: list[float], budget: float, tick_seconds: float) -> float:
    return _largest([(share, _events(release, share, tick_seconds)) for share in candidates], budget)


def _largest(costs: list[tuple[float, float]], budget: float) -> float:
    """The largest share within the budget; where none is, the largest that is nearly as good as the best."""
    least = min(cost for _, cost in costs)
    enough = budget if least <= budget else least * NEARLY
    return max(share for share, cost in costs if cost <= enough)


def _events(release: Release, share: float, tick_seconds: float, most: float = math.inf) -> float:
    cost = dearest(release, share, tick_seconds, most=most)
    return 0.0 if cost is None else cost.events


def dearest(release: Release, share: float, tick_seconds: float, *, most: float = math.inf) -> Cost | None:
    """What the worst fault costs at a share, of those worth catching and up to `most` times as bad.

    None where traffic or usual rates are not known, or where nothing can be that bad.
    """
    arrivals = busiest_per_second(release)
    if arrivals is None:
        return None
    rollback = release.done.tests.rollback_duration.value
    delay = tick_seconds + (rollback.total_seconds() if rollback else 0.0)
    found = [
        Cost(_harm(release, kpi, share, ratio, arrivals * share * delay), kpi.name, ratio)
        for kpi in gates(release)
        if kpi.kind == "rate" and kpi.direction == "more_is_worse"
        for ratio in _sizes(release, kpi, most)
    ]
    known = [cost for cost in found if math.isfinite(cost.events)]
    return max(known, key=lambda cost: (cost.events, cost.kpi), default=None)


def _sizes(release: Release, kpi: Kpi, most: float) -> Iterator[float]:
    """The faults worth catching: from the wish (beyond the tolerance) to the one that breaks everything."""
    rate = usual_rate(kpi)
    if rate is None:
        return
    least, top = max(effect_of(release), kpi.tolerance * NEARLY), min(1 / rate, most)
    if least <= top:
        yield least
        yield from (size for size in SIZES if least < size < top)
        yield top


def _harm(release: Release, kpi: Kpi, share: float, ratio: float, late: float) -> float:
    rate = usual_rate(kpi) or 0.0
    needed = requests_to_detect(
        base_rate=rate,
        ratio=ratio,
        share=part_of(release, share),
        alpha=alpha_of(release) * say_of(release, kpi),
        tolerance=kpi.tolerance,
    )
    return rate * (ratio - 1) * (needed + late)
