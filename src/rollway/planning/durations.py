"""Durations that nobody has measured: what a plan and its rehearsal take them to be, and what is slower.

A law is the share of requests in each bucket of a histogram, one more than bounds (seconds).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from rollway.planning.evidence import SLOW_SHARE
from rollway.planning.model import Guard

USUAL_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""What Prometheus' Python client and OpenTelemetry give a histogram where nobody chooses others; the clients
for Go and Java leave out three of them."""
SPREAD = 5.0
"""How many times the median the duration is that one in a hundred exceeds."""


def bounds_of(guard: Guard) -> tuple[float, ...]:
    """The bounds (seconds) of the guard's histogram: as stated, else the usual ones."""
    return guard.buckets or USUAL_BOUNDS


def around_p99(bounds: tuple[float, ...]) -> tuple[float, float]:
    """The bounds between which the slowest hundredth is taken to begin."""
    above = len(bounds) // 2
    return (bounds[above - 1] if above else bounds[0] / 2), bounds[above]


@lru_cache(maxsize=64)
def usual_law(bounds: tuple[float, ...]) -> tuple[float, ...]:
    """Log-normal durations whose slowest hundredth begins in the middle between two bounds.

    People choose bounds so that what is usual lies among them, hence the two in the middle. Where between
    them it begins nobody knows; half-way (in logarithms) a histogram sees a fault in the tail much later than
    where it begins at one of them.
    """
    p99 = math.sqrt(math.prod(around_p99(bounds)))
    normal = NormalDist(math.log(p99 / SPREAD), math.log(SPREAD) / NormalDist().inv_cdf(1 - SLOW_SHARE))
    slower_than = [1.0, *(1 - normal.cdf(math.log(bound)) for bound in bounds), 0.0]
    return tuple(slower_than[n] - slower_than[n + 1] for n in range(len(bounds) + 1))


def slower(law: tuple[float, ...], ratio: float) -> tuple[float, ...]:
    """The law of a version of which `ratio` times as many requests are slower than what the slowest hundredth
    of this law's are, all of them in proportion; and so are the others.

    Of the bucket in which that hundredth begins, a part is faster and a part is slower.
    """
    share = min(1.0, SLOW_SHARE * ratio)
    of_slow, of_fast = share / SLOW_SHARE, (1 - share) / (1 - SLOW_SHARE)
    found, left = [], SLOW_SHARE
    for each in reversed(law):
        slow = min(each, left)
        left -= slow
        found.append(slow * of_slow + (each - slow) * of_fast)
    return tuple(reversed(found))


def ratio_beyond(law: tuple[float, ...], bound: int, ratio: float) -> float:
    """The `ratio` of `slower` with which so many times as many requests as before exceed a bound (an index);
    where even the worst law has fewer, that of the worst: all are slower than the slowest hundredth was.

    Of a bound that more than the slowest hundredth exceed a fault in the tail shows less than it is.
    """
    beyond = sum(law[bound + 1 :])
    slow = min(beyond, SLOW_SHARE)
    others = (beyond - slow) / (1 - SLOW_SHARE)
    # beyond x ratio = slow x found + others x (1 - SLOW_SHARE x found)
    gain = slow - others * SLOW_SHARE
    if beyond * ratio - others >= gain / SLOW_SHARE:
        return 1 / SLOW_SHARE
    return (beyond * ratio - others) / gain
