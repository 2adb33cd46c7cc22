"""Where the judge compares durations, course by course: it chooses from the few requests it has seen.

Cuts are chosen once, from what is known of the old version before the new one is exposed. At which of them
safety is shown is asked anew at every reading, and turns as more is known. Another few hundred requests would
have chosen otherwise, and a stage is then left sooner or later; so every drawn course has its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rollway.judge.kinds.latency import (
    LEAST_TAIL_REQUESTS,
    LEAST_TAIL_SHARE,
    SAFE_SHARE,
    SAFE_TAIL_SHARE,
    SLOW_SHARES,
)
from rollway.judge.logs import FloatArray

SEED = 20_264
DRAWN = 1000
"""So many choices are drawn; what a chance of finding a fault owes to them is then known to half a point."""
STEPS_A_DOUBLING = 2
WELL_KNOWN = 200_000.0
"""From so many requests on the choice hardly turns any more."""
KNOWN_REQUESTS = 100_000.0
"""What is taken as seen of a law that is known."""
MOST_SEEN = 0.15
"""The cuts that more of the old version's requests exceed hardly show a fault in the tail; what is bet on
them is lost to it, and safety is shown there sooner than further out."""
MOST_CUTS = 10
"""Of more different cuts the rarest are taken to be at the nearest of the others."""

IndexArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choices:
    """Drawn choices of the judge.

    cuts: all that any of them has and that show a fault in the tail, rising, as indices of bounds. places:
    which of `cuts` each has, shape (choices, most), -1 where it has fewer; number: how many cuts it has in
    all, (choices,). safe: at which of `cuts` safety is shown once so much is known, (steps, choices, 2),
    twice the same where it is shown at one; seen: how many requests that is, (steps,).
    """

    cuts: tuple[int, ...]
    places: IndexArray
    number: IndexArray
    safe: IndexArray
    seen: FloatArray

    def safe_places(self, seen: float) -> IndexArray:
        """`safe` once so many requests of the old version have been seen, shape (choices, 2)."""
        known = max(seen, 1.0) / self.seen[0]
        step = round(STEPS_A_DOUBLING * math.log2(max(1.0, known)))
        found: IndexArray = self.safe[min(step, len(self.safe) - 1)]
        return found


@lru_cache(maxsize=32)
def choices(law: tuple[float, ...], alone: float) -> Choices:
    """Choices made from `alone` requests of a law (the share of each bucket), and what becomes of them as
    more is seen. Of infinitely many requests there is one choice."""
    old = np.array(law)
    beyond = above(old)
    steps = list(_seen(old, alone))
    picked = chosen(steps[0][1])
    cuts = _kept(picked, beyond)
    places = _places(picked, cuts, beyond)
    shown = np.stack([shown_safe(known, picked) for _, known in steps])
    # Where more are slower than that, safety is shown sooner than at the lowest of those that count.
    lowest = np.where(places < 0, len(cuts), places).min(axis=1)[:, None]
    safe = np.where(beyond[shown] <= MOST_SEEN, _nearest(cuts, shown), lowest)
    number = 1 + (np.diff(picked, axis=1) > 0).sum(axis=1)
    return Choices(cuts, places, number, safe, np.array([seen for seen, _ in steps]))


def _seen(old: FloatArray, alone: float) -> Iterator[tuple[float, FloatArray]]:
    """How many requests are known, and in each choice the counts per bucket, (choices, buckets); each more
    than before."""
    if math.isinf(alone):
        yield KNOWN_REQUESTS, old[None, :] * KNOWN_REQUESTS
        return
    rng, seen, known = np.random.default_rng(SEED), max(alone, 1.0), np.zeros((DRAWN, len(old)))
    known += rng.poisson(old * seen, known.shape)
    yield seen, known
    while seen < WELL_KNOWN:
        come = seen * (2 ** (1 / STEPS_A_DOUBLING) - 1)
        known = known + rng.poisson(old * come, known.shape)
        seen += come
        yield seen, known


def above(counts: FloatArray) -> FloatArray:
    """How much lies above each bound, from what lies in each bucket, shape (..., bounds)."""
    found: FloatArray = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return found


def chosen(known: FloatArray) -> IndexArray:
    """`latency.choose_cuts` of several counts per bucket, (choices, buckets): (choices, shares), rising, and
    some of them more than once."""
    slow = (above(known) + 0.5) / (known.sum(axis=1, keepdims=True) + 1)
    return np.stack([np.abs(np.log(slow / share)).argmin(axis=1) for share in SLOW_SHARES], axis=1)


def shown_safe(known: FloatArray, cuts: IndexArray) -> IndexArray:
    """`latency.safe_rows` of several counts and their cuts: which cuts those are, (choices, 2)."""
    slow, total = np.take_along_axis(above(known), cuts, axis=1), known.sum(axis=1, keepdims=True)
    shares = (slow + 0.5) / (total + 1)
    middle = np.abs(np.log(shares / SAFE_SHARE)).argmin(axis=1)
    distance = np.abs(np.log(shares / SAFE_TAIL_SHARE))
    distance[slow < np.maximum(LEAST_TAIL_SHARE * total, LEAST_TAIL_REQUESTS)] = np.inf
    tail = np.where(np.isfinite(distance).any(axis=1), distance.argmin(axis=1), middle)
    return np.take_along_axis(cuts, np.stack((middle, tail), axis=1), axis=1)


# --- few cuts for all -----------------------------------------------------------------------------------


def _kept(picked: IndexArray, beyond: FloatArray) -> tuple[int, ...]:
    """The cuts that show a fault in the tail, and the last of whoever has none; of many the most usual."""
    far = beyond[picked] <= MOST_SEEN
    far[:, -1] = True
    often = np.bincount(picked[far], minlength=len(beyond))
    usual = np.argsort(-often, kind="stable")[:MOST_CUTS]
    return tuple(sorted(int(cut) for cut in usual if often[cut] > 0))


def _places(picked: IndexArray, cuts: tuple[int, ...], beyond: FloatArray) -> IndexArray:
    """Which of the kept cuts each choice compares at, shape (choices, most), -1 where it has fewer."""
    is_told = beyond[picked] <= MOST_SEEN
    is_told[:, 1:] &= np.diff(picked, axis=1) > 0
    is_told[:, -1] |= ~is_told.any(axis=1)
    none = len(cuts)
    places = np.sort(np.where(is_told, _nearest(cuts, picked), none), axis=1)
    places = places[:, : int((places < none).sum(axis=1).max())]
    return np.where(places < none, places, -1)


def _nearest(cuts: tuple[int, ...], picked: IndexArray) -> IndexArray:
    """The place among `cuts` that is nearest to each of `picked`."""
    found: IndexArray = np.abs(np.array(cuts) - picked[..., None]).argmin(axis=-1)
    return found
