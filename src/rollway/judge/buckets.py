"""Histograms of unlike buckets made alike: what lies between shared bounds adds up exactly.

Nothing is ever split or guessed: unlike buckets cost detail, never truth.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeVar

from rollway.errors import InputError
from rollway.judge.model import Histogram

Bounds = tuple[float, ...]
Number = TypeVar("Number", int, float)

# Bounds this near to each other, as a ratio, are one: 0.3 and 0.30000000000000004.
CLOSE = 1e-9

# A native histogram has up to 256 buckets for each doubling. Four are enough to judge by, between 1/1024
# of a second and 64 seconds.
FINEST_SCHEMA = 2
COARSEST_SCHEMA, LARGEST_SCHEMA = -4, 8
DOUBLINGS = (-10, 6)


@lru_cache(maxsize=256)
def shared(one: Bounds, other: Bounds) -> Bounds:
    """The bounds of `one` that `other` has too, rising as before."""
    return one if one == other else tuple(bound for bound in one if place(other, bound) is not None)


def place(bounds: Bounds, wanted: float) -> int | None:
    """The index of the bound that is the wanted one, or None."""
    at = bisect_left(bounds, wanted * (1 - CLOSE) if wanted > 0 else wanted * (1 + CLOSE))
    is_there = at < len(bounds) and math.isclose(bounds[at], wanted, rel_tol=CLOSE)
    return at if is_there else None


@lru_cache(maxsize=256)
def _places(fine: Bounds, bounds: Bounds) -> tuple[int, ...]:
    """The indices in `fine` of `bounds`."""
    found = {bound: place(fine, bound) for bound in bounds}
    missing = [f"{bound:g}" for bound, at in found.items() if at is None]
    if missing:
        raise InputError(
            f"A histogram has no bound at {', '.join(missing)} s, where its durations are to be told apart.",
            hint="Let both versions count durations in the same buckets.",
        )
    return tuple(at for at in found.values() if at is not None)


def coarsen(histogram: Histogram, bounds: Bounds) -> Histogram:
    """The same durations counted between fewer bounds. Raises InputError where one of them is missing."""
    if histogram.bounds == bounds:
        return histogram
    return Histogram(bounds, coarsened(histogram.counts, histogram.bounds, bounds))


def coarsened(counts: Sequence[Number], fine: Bounds, bounds: Bounds) -> tuple[Number, ...]:
    """The counts between `fine` bounds as counts between `bounds`. Raises InputError as `coarsen` does."""
    ends = [0, *(at + 1 for at in _places(fine, bounds)), len(counts)]
    return tuple(sum(counts[low:high]) for low, high in pairwise(ends))


def merge(one: Histogram, other: Histogram) -> Histogram:
    """Both histograms' durations in one, between the bounds that they share.

    In whatever order several are merged, the result is the same. Raises InputError without a shared bound.
    """
    bounds = shared(one.bounds, other.bounds)
    if not bounds:
        raise InputError(
            "Two histograms share no bucket bound, so their durations cannot be added up.",
            hint="Let all instances count durations in the same buckets.",
        )
    pairs = zip(coarsen(one, bounds).counts, coarsen(other, bounds).counts, strict=True)
    return Histogram(bounds, tuple(a + b for a, b in pairs))


def native_bounds(schema: int, doublings: tuple[int, int] = DOUBLINGS) -> Bounds:
    """The bounds of a native histogram's schema between two powers of 2, in seconds: 2^(i / 2^schema).

    Those of a lower schema are among those of a higher one, to the last bit.
    """
    low, high = doublings
    if schema <= 0:
        step = 1 << -schema
        return tuple(2.0**power for power in range(-(-low // step) * step, high + 1, step))
    parts = 1 << schema
    return tuple(2.0 ** (i / parts) for i in range(low * parts, high * parts + 1))


def from_native(
    schema: int,
    zero_threshold: float,
    zero_count: float,
    positive_spans: Iterable[tuple[int, int]],
    positive_deltas: Sequence[float] = (),
    positive_counts: Sequence[float] = (),
    *,
    finest: int = FINEST_SCHEMA,
) -> Histogram:
    """A native (sparse, exponential) Prometheus histogram of durations on bounds that all of them share.

    Bucket i of schema s holds what is above 2^((i-1)/2^s) seconds and at most 2^(i/2^s). A span is
    (buckets left out since the last one, or the index of the very first bucket; how many follow). Of
    deltas and counts one is given: integer histograms write each bucket as the change from the one
    before, float ones the counts themselves. Bounds are those of the schema, or of `finest` where the
    schema is finer; ones below the zero bucket's threshold are left out. Source: the Prometheus native
    histogram specification. Raises InputError for a schema of other buckets, and for counts that do not
    fit the spans.
    """
    if not COARSEST_SCHEMA <= schema <= LARGEST_SCHEMA:
        raise InputError(
            f"A native histogram has the schema {schema}, whose buckets are not exponential.",
            hint=f"Only schemas from {COARSEST_SCHEMA} to {LARGEST_SCHEMA} can be read.",
        )
    counts = list(accumulate(positive_deltas)) if positive_deltas else list(positive_counts)
    indices = _indices(positive_spans)
    if len(indices) != len(counts):
        raise InputError(f"A native histogram has {len(indices)} buckets and {len(counts)} counts.")
    kept = min(schema, finest)
    bounds = tuple(bound for bound in native_bounds(kept) if bound >= zero_threshold)
    tops = [_top(index, schema, kept) for index in indices]
    return _filled(bounds, [(0.0, zero_count), *zip(tops, counts, strict=True)])


def _indices(spans: Iterable[tuple[int, int]]) -> list[int]:
    found: list[int] = []
    following = 0
    for gap, length in spans:
        following += gap
        found += range(following, following + length)
        following += length
    return found


def _top(index: int, schema: int, kept: int) -> float:
    """The upper bound of the bucket of the schema `kept` that holds bucket `index` of `schema`."""
    whole = -(-index // (1 << (schema - kept)))
    power = whole / (1 << kept) if kept >= 0 else whole * (1 << -kept)
    return 2.0**power if power < 1000 else math.inf


def from_intervals(
    intervals: Iterable[tuple[float, float, float]], *, finest: int = FINEST_SCHEMA
) -> Histogram:
    """Buckets as Prometheus' HTTP API tells them, (from, to, count) in seconds, on bounds as above.

    A bound that lies inside a bucket with requests is left out, for nobody knows on which side they were.
    """
    filled = [(low, high, count) for low, high, count in intervals if count]
    bounds = tuple(
        bound
        for bound in native_bounds(finest)
        if not any(low * (1 + CLOSE) < bound < high * (1 - CLOSE) for low, high, _ in filled)
    )
    return _filled(bounds, [(high * (1 - CLOSE), count) for _, high, count in filled])


def _filled(bounds: Bounds, tops: Iterable[tuple[float, float]]) -> Histogram:
    """The histogram of counts whose buckets end at these tops."""
    counts: list[float] = [0] * (len(bounds) + 1)
    for top, count in tops:
        counts[bisect_left(bounds, top)] += count
    return Histogram(bounds, tuple(counts))  # type: ignore[arg-type]  # rates of native ones are fractions
