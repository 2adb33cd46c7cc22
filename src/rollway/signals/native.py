"""Native histograms of Prometheus, whose buckets are told only where something was counted; pure.

After the native histogram specification (prometheus.io/docs/specs/native_histograms).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.judge.buckets import CLOSE, native_bounds
from rollway.signals.counters import whole

Buckets = Sequence[tuple[float, float, float]]
"""From, to, count; seconds, as the HTTP API tells them: in order, and without those that are empty."""

# As of OTLP's exponential histograms: every half octave from a quarter of a millisecond to 256 seconds.
FINEST, DOUBLINGS = 1, (-12, 8)
COARSEST, MOST_FINE = -4, 8
CUSTOM = -53
"""The schema of native histograms that have a classic one's bounds."""
LARGEST = 1e300
"""The bounds of the last exponential buckets are no powers of 2 any more."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How many durations took at most so long: `counts[i]` of `total` up to `edges[i]` seconds.

    The edges are those of buckets that are not empty; the first one has nothing below it. Between edges of
    the same count is nothing, so that every bound there is known as well. `odd` are what no duration can
    be, below zero or not a number, and in no other figure. `schema` is None where no bucket tells it.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    total: int
    odd: int = 0
    schema: int | None = None

    def up_to(self, bound: float) -> int | None:
        """How many took at most `bound` seconds; None where it lies inside a bucket that is not empty."""
        at = bisect_left(self.edges, bound * (1 - CLOSE))
        if at < len(self.edges) and self.edges[at] <= bound * (1 + CLOSE):
            return self.counts[at]
        below = self.counts[at - 1] if at else 0
        above = 0 if at == 0 and self.edges else self.counts[at] if at < len(self.edges) else self.total
        return below if below == above else None

    def to_json(self) -> dict[str, Any]:
        told = {
            "total": self.total,
            "up_to": [list(one) for one in zip(self.edges, self.counts, strict=True)],
        }
        return {**told, "odd": self.odd} if self.odd else told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Steps:
        """Without the schema, which is asked for of the newest only."""
        edges = tuple(float(edge) for edge, _ in told["up_to"])
        return cls(edges, tuple(count for _, count in told["up_to"]), told["total"], told.get("odd", 0))


def steps_of(count: float, buckets: Buckets, *, of: str) -> Steps:
    """The histogram `of` which a sample tells `count` observations and these buckets.

    Exponential buckets are joined to half octaves, or to as wide ones as they are; others stay as they are.
    Raises ImplausibleError for what no counter can be.
    """
    filled = [bucket for bucket in buckets if bucket[2]]
    below_zero = sum(number for _, high, number in filled if high < 0)
    others = [bucket for bucket in filled if bucket[1] >= 0]
    in_buckets = below_zero + sum(number for *_, number in others)
    # A float histogram's buckets may add up to a little less or more than their count.
    lost = count - in_buckets if count - in_buckets > 1e-6 * max(1.0, count) else 0.0
    schema = _schema(others)
    cells = _whole_cells([(max(low, 0.0), high, number) for low, high, number in others], schema)
    edges, counts, total = list[float](), list[int](), 0.0
    for low, high, number in _apart(cells):
        if not edges or edges[-1] < low:
            edges.append(low)
            counts.append(whole(total, of=of))
        whole(number, of=of)
        total += number
        if high < math.inf:
            edges.append(high)
            counts.append(whole(total, of=of))
    odd = whole(below_zero, of=of) + whole(lost, of=of)
    return Steps(tuple(edges), tuple(counts), whole(total, of=of), odd, schema)


def bounds_of(known: Iterable[Steps], others: Iterable[float]) -> tuple[float, ...]:
    """The bounds, rising, at which all of these may be compared; whether each tells a count there is its own
    matter. `others` are bounds of classic histograms beside them.

    They hang on the buckets' layout and hardly on what is in them, so that they stay from look to look.
    """
    found = list(known)
    schemas = {one.schema for one in found if one.schema is not None}
    exponential = native_bounds(min([FINEST, *(schemas - {CUSTOM})]), DOUBLINGS)
    if CUSTOM not in schemas:
        return exponential
    edges = {edge for one in found if one.schema == CUSTOM for edge in one.edges if edge > 0}
    custom = tuple(sorted(edges.union(bound for bound in others if bound < math.inf)))
    return tuple(bound for bound in custom if schemas == {CUSTOM} or bound in exponential)


def _schema(buckets: Buckets) -> int | None:
    """How many times each doubling is halved; the zero bucket tells nothing of it."""
    found: int | None = None
    for low, high, _ in buckets:
        if low < 0 and low == -high:
            continue
        if low <= 0 or (high == math.inf and low < LARGEST):
            return CUSTOM
        if high >= LARGEST:
            continue
        width = math.log2(high / low)
        schema = round(-math.log2(width))
        index = math.log2(high) * 2.0**schema
        is_one = COARSEST <= schema <= MOST_FINE and abs(width * 2.0**schema - 1) < 1e-6
        if not is_one or abs(index - round(index)) > 1e-6 or found not in (None, schema):
            return CUSTOM
        found = schema
    return found


def _whole_cells(buckets: Buckets, schema: int | None) -> list[tuple[float, float, float]]:
    if schema == CUSTOM:
        return list(buckets)
    bounds = native_bounds(FINEST if schema is None else min(schema, FINEST), DOUBLINGS)
    cells: dict[float, tuple[float, float, float]] = {}
    for low, high, number in buckets:
        at = bisect_left(bounds, high * (1 - CLOSE))
        top = bounds[at] if at < len(bounds) else math.inf
        under = bisect_right(bounds, low * (1 + CLOSE))
        bottom = bounds[under - 1] if under else 0.0
        before = cells.get(top, (bottom, top, 0.0))
        cells[top] = (min(before[0], bottom), top, before[2] + number)
    return list(cells.values())


def _apart(cells: Iterable[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """In rising order; such as overlap, as a wide zero bucket may, are one."""
    found: list[tuple[float, float, float]] = []
    for cell in sorted(cells, key=lambda cell: cell[1]):
        joined = cell
        while found and found[-1][1] > joined[0]:
            low, _, number = found.pop()
            joined = (min(low, joined[0]), cell[1], number + joined[2])
        found.append(joined)
    return found
