"""The rows of two files cut into intervals, as readings: within each the versions are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from rollway.cli.judge_csv import Arm, Pair
from rollway.errors import InputError
from rollway.judge import Counts, Histogram, Moments, Reading, Sample
from rollway.judge.logs import FloatArray

IndexArray = NDArray[np.intp]
INTERVALS = 60
BUCKETS_PER_TENFOLD = 48


@dataclass(frozen=True, slots=True)
class Cut:
    """The edges of the intervals, shape (intervals + 1,), and the interval that each row is in."""

    edges: FloatArray
    baseline: IndexArray
    candidate: IndexArray


def readings_of(pair: Pair, *, kpi: str, stage: str, intervals: int = INTERVALS) -> list[Reading]:
    """The files cut into intervals: by time where there are times, else into equal parts of their order.

    Raises InputError where counts without times do not fit row by row, and where no interval has rows of
    both files: nothing could be compared.
    """
    cut, bounds = _cut(pair, intervals), _bounds(pair)
    if not any(compared(pair, intervals)):
        raise _apart(pair)
    return [
        Reading(
            kpi=kpi,
            start=float(cut.edges[n]),
            end=float(cut.edges[n + 1]),
            stage=stage,
            share=_share(pair),
            candidate=_sample(pair, pair.candidate.values[cut.candidate == n], bounds),
            baseline=_sample(pair, pair.baseline.values[cut.baseline == n], bounds),
        )
        for n in range(len(cut.edges) - 1)
    ]


def compared(pair: Pair, intervals: int = INTERVALS) -> tuple[int, int]:
    """How many rows of the old and of the new version have rows of the other one beside them."""
    cut = _cut(pair, intervals)
    parts = len(cut.edges) - 1
    old, new = (np.bincount(places, minlength=parts) for places in (cut.baseline, cut.candidate))
    is_both = (old > 0) & (new > 0)
    return int(old[is_both].sum()), int(new[is_both].sum())


def _apart(pair: Pair) -> InputError:
    old, new = (f"{arm.source} from {_first_to_last(arm)}" for arm in (pair.baseline, pair.candidate))
    return InputError(
        f"the times of the files never meet: {old}; {new}",
        hint="check years, zones and units; or take the column of times out, and the order of rows counts",
    )


def _first_to_last(arm: Arm) -> str:
    def told(moment: float) -> str:
        if arm.clock == "number":
            return f"{moment:.15g}"
        return datetime.fromtimestamp(moment, UTC).isoformat(" ", "seconds").removesuffix("+00:00")

    times = arm.times if arm.times is not None else np.zeros(1)
    zone = "" if arm.clock == "number" else " UTC"
    return f"{told(float(times[0]))} to {told(float(times[-1]))}{zone}"


def _share(pair: Pair) -> float:
    """The candidate's share of all trials, between 0 and 1."""
    new, old = (
        float(arm.values[:, 0].sum()) if pair.is_counts else len(arm.values)
        for arm in (pair.candidate, pair.baseline)
    )
    return min(max(new / max(new + old, 1.0), 1e-6), 1 - 1e-6)


def _cut(pair: Pair, intervals: int) -> Cut:
    old, new = pair.baseline.times, pair.candidate.times
    if old is None or new is None:
        return _cut_by_order(pair, intervals)
    if pair.is_counts and np.array_equal(np.unique(old), np.unique(new)):
        edges = np.unique(old)
        last = float(np.median(np.diff(edges))) if len(edges) > 1 else 1.0
        edges = np.append(edges, edges[-1] + last)
    else:
        begin, end = min(old[0], new[0]), max(old[-1], new[-1])
        edges = np.linspace(begin, max(end, begin + 1e-6), intervals + 1)

    def places(times: FloatArray) -> IndexArray:
        return np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)

    return Cut(edges, places(old), places(new))


def _cut_by_order(pair: Pair, intervals: int) -> Cut:
    old, new = len(pair.baseline.values), len(pair.candidate.values)
    if pair.is_counts and old != new:
        raise InputError(
            f"the files have {old} and {new} intervals, and no times to match them by",
            hint="add a column `time` to both",
        )
    parts = old if pair.is_counts else max(1, min(intervals, old, new))
    return Cut(np.arange(parts + 1.0), np.arange(old) * parts // old, np.arange(new) * parts // new)


def _bounds(pair: Pair) -> tuple[float, ...]:
    """Bounds of durations: a fixed grid of 48 to a tenfold, as far as the values of both files reach."""
    if pair.kind != "latency":
        return ()
    values = np.concatenate((pair.candidate.values, pair.baseline.values))
    positive = values[values > 0]
    if len(positive) == 0:
        return (1.0,)
    low = math.floor(math.log10(float(positive.min())) * BUCKETS_PER_TENFOLD)
    high = math.ceil(math.log10(float(positive.max())) * BUCKETS_PER_TENFOLD)
    return tuple(float(10 ** (n / BUCKETS_PER_TENFOLD)) for n in range(low, max(high, low + 1) + 1))


def _sample(pair: Pair, values: FloatArray, bounds: Sequence[float]) -> Sample:
    if pair.is_counts:
        return Counts(int(values[:, 0].sum()), int(values[:, 1].sum()))
    if pair.kind == "rate":
        return Counts(len(values), int(values.sum()))
    if pair.kind == "latency":
        places = np.searchsorted(bounds, values, side="left")
        counts = np.bincount(places, minlength=len(bounds) + 1)
        return Histogram(tuple(bounds), tuple(int(each) for each in counts))
    return Moments(len(values), float(values.sum()), float((values**2).sum()))
