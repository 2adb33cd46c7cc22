"""From points as they are sent, deltas or cumulative, to totals that never fall; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollway.rollout.pushed import KeptCounter
from rollway.signals.otlp_json import Point, Rejected

MOST_COUNTERS = 10_000
"""Of one source. Labels that name users or requests would have no end."""
FRESH_SECONDS = 300.0
"""A counter that began no longer ago is counted from its beginning when it is first seen."""
SKEW = 5 * 10**9


class _RefusedError(ValueError):
    """Why a point cannot be added."""


def fold_points(
    points: Mapping[str, Sequence[Point]],
    kept: Mapping[str, KeptCounter],
    count: int,
    now: float,
    rejected: Rejected,
) -> dict[str, KeptCounter]:
    """The counters that change, by key. `count`: how many the source has in all; `now`: unix seconds.

    A point that is no newer than the last one of its counter is a repetition, and changes nothing.
    """
    changed: dict[str, KeptCounter] = {}
    room = MOST_COUNTERS - count
    for key, sent in points.items():
        before = kept.get(key)
        if before is None and room <= 0:
            for _ in sent:
                rejected.add(f"{sent[0].metric}: more than {MOST_COUNTERS} counters; send fewer attributes")
            continue
        after = before
        for point in sent:
            try:
                after = _first(point, now) if after is None else _next(after, point, now)
            except _RefusedError as error:
                rejected.add(f"{point.metric}: {error}")
        if after is not None and after is not before:
            changed[key] = after
            room -= before is None
    return changed


def _first(point: Point, now: float) -> KeptCounter:
    # What was counted long before anybody told us is not of this rollout.
    is_new = point.is_delta or (point.started > 0 and now - point.started / 1e9 <= FRESH_SECONDS)
    return KeptCounter(
        metric=point.metric,
        labels=point.labels,
        bounds=point.bounds,
        started=point.started,
        point_at=point.at,
        last=point.values,
        total=point.values if is_new else (0.0,) * len(point.values),
        seen_at=now,
    )


def _next(before: KeptCounter, point: Point, now: float) -> KeptCounter:
    if point.at <= before.point_at:
        return before
    risen = point.values if point.is_delta else _risen(before, point)
    return replace(
        before,
        started=point.started,
        point_at=point.at,
        last=point.values,
        total=tuple(total + more for total, more in zip(before.total, risen, strict=True)),
        seen_at=now,
    )


def _risen(before: KeptCounter, point: Point) -> tuple[float, ...]:
    """By how much a cumulative counter rose; a later start is another life, which began at 0."""
    has_fallen = any(new < old for new, old in zip(point.values, before.last, strict=True))
    if point.started == before.started and not (has_fallen and point.started == 0):
        if has_fallen:
            raise _RefusedError("it fell without a new start time")
        return tuple(new - old for new, old in zip(point.values, before.last, strict=True))
    if point.started >= before.point_at - SKEW or point.started == 0:
        return point.values
    raise _RefusedError("two processes send one counter; give each its own service.instance.id")
