"""An OTLP metrics export, in the shape of its JSON encoding, as points of counters; pure.

After the OpenTelemetry protocol, metrics data model (opentelemetry.io/docs/specs/otel/metrics/data-model).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rollway.canonical import content_hash
from rollway.errors import InputError

CUMULATIVE, DELTA = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE"), (1, "AGGREGATION_TEMPORALITY_DELTA")
NO_VALUE_FLAG = 1
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
LARGEST_LABEL = 200
# Two buckets for each doubling, from a quarter of a millisecond to 256 seconds: exact for any scale above 0.
HALF_OCTAVES = range(-24, 17)
MOST_TOLD = 5


@dataclass(slots=True)
class Rejected:
    """How many data points could not be taken, and why; each reason is told once."""

    count: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, reason: str) -> None:
        self.count += 1
        if reason not in self.reasons and len(self.reasons) < MOST_TOLD:
            self.reasons.append(reason)

    def told(self) -> str:
        return "; ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class Point:
    """One data point: `values` is one figure, or the cumulative counts up to each bound (seconds) and +Inf.

    Times are unix nanoseconds, 0 for unknown. A delta tells what came since the point before it.
    """

    metric: str
    labels: Mapping[str, str]
    bounds: tuple[float, ...]
    is_delta: bool
    started: int
    at: int
    values: tuple[float, ...]


class _PointError(ValueError):
    """Why a point cannot be taken."""


def decode_json(body: Any) -> Mapping[str, Any]:
    """Raises InputError where this is no export."""
    if not isinstance(body, Mapping) or not isinstance(body.get("resourceMetrics"), list):
        raise InputError("the body is no OTLP export: it has no list resourceMetrics")
    return body


def points_of(export: Mapping[str, Any], rejected: Rejected) -> dict[str, list[Point]]:
    """The points of each counter by the counter's key, oldest first.

    Gauges, summaries and sums that may fall are passed over: nothing can be compared by them. Raises
    InputError where the export has another shape than OTLP's.
    """
    found: dict[str, list[Point]] = {}
    try:
        for scope, resource, metric in _metrics(export):
            for point in _points(metric, resource, rejected):
                key = content_hash([scope, point.metric, dict(point.labels), point.bounds])
                found.setdefault(key, []).append(point)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise InputError(f"the body has not the shape of an OTLP export: {error}") from error
    for points in found.values():
        points.sort(key=lambda point: point.at)
    return found


def prometheus_name(name: str) -> str:
    """A name as Prometheus writes it: `http.server.duration` is `http_server_duration`."""
    plain = re.sub(r"[^a-zA-Z0-9_:]+", "_", name)
    return f"_{plain}" if plain[:1].isdigit() else plain


def counter_name(name: str) -> str:
    """The same for a counter, without `_total`, which some exporters add."""
    return prometheus_name(name).removesuffix("_total")


def _metrics(export: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, Any]]]:
    for of_resource in export["resourceMetrics"]:
        resource = _labels(of_resource.get("resource", {}).get("attributes", ()))
        for of_scope in of_resource.get("scopeMetrics", ()):
            scope = str(of_scope.get("scope", {}).get("name", ""))
            for metric in of_scope.get("metrics", ()):
                yield scope, resource, metric


def _labels(attributes: Any) -> dict[str, str]:
    return {prometheus_name(str(one["key"])): _text(one.get("value", {})) for one in attributes}


def _text(value: Mapping[str, Any]) -> str:
    for kind in ("stringValue", "intValue", "doubleValue"):
        if kind in value:
            return str(value[kind])[:LARGEST_LABEL]
    if "boolValue" in value:
        return "true" if value["boolValue"] else "false"
    return ""


def _points(metric: Mapping[str, Any], resource: Mapping[str, str], rejected: Rejected) -> Iterator[Point]:
    name, unit = str(metric.get("name", "")), str(metric.get("unit", ""))
    for kind, read in (("sum", _sum), ("histogram", _histogram), ("exponentialHistogram", _exponential)):
        data = metric.get(kind)
        if not isinstance(data, Mapping) or (kind == "sum" and not data.get("isMonotonic")):
            continue
        for raw in data.get("dataPoints", ()):
            if int(raw.get("flags", 0)) & NO_VALUE_FLAG:
                continue
            try:
                bounds, values = read(raw, SECONDS.get(unit, 1.0))
                yield Point(
                    metric=counter_name(name) if kind == "sum" else prometheus_name(name),
                    labels={**resource, **_labels(raw.get("attributes", ()))},
                    bounds=bounds,
                    is_delta=_is_delta(data),
                    started=int(raw.get("startTimeUnixNano", 0)),
                    at=int(raw.get("timeUnixNano", 0)),
                    values=values,
                )
            except _PointError as error:
                rejected.add(f"{name}: {error}")


_Read = tuple[tuple[float, ...], tuple[float, ...]]


def _is_delta(data: Mapping[str, Any]) -> bool:
    temporality = data.get("aggregationTemporality")
    if temporality not in (*CUMULATIVE, *DELTA):
        raise _PointError("its temporality is neither delta nor cumulative")
    return temporality in DELTA


def _sum(raw: Mapping[str, Any], scale: float) -> _Read:
    value = float(raw["asInt"]) if "asInt" in raw else float(raw.get("asDouble", 0.0))
    if not (math.isfinite(value) and value >= 0):
        raise _PointError(f"{value:g} is nothing that a counter can be")
    return (), (value,)


def _histogram(raw: Mapping[str, Any], scale: float) -> _Read:
    bounds = tuple(float(bound) * scale for bound in raw.get("explicitBounds", ()))
    counts = [int(count) for count in raw.get("bucketCounts", ())]
    if not bounds:
        raise _PointError("a histogram without buckets tells no durations")
    if len(counts) != len(bounds) + 1 or min(counts) < 0:
        raise _PointError(f"{len(counts)} counts do not go with {len(bounds)} bounds")
    if not all(map(math.isfinite, bounds)) or any(b <= a for a, b in pairwise(bounds)):
        raise _PointError("the bounds do not rise")
    # No duration is below 0, and what is not longer than 0 needs no bucket of its own.
    first = sum(bound <= 0 for bound in bounds)
    if first == len(bounds):
        raise _PointError("no bound is above 0")
    return bounds[first:], _cumulative(counts)[first:]


def _cumulative(counts: list[int]) -> tuple[float, ...]:
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(float(total))
    return tuple(sums)


def _exponential(raw: Mapping[str, Any], scale: float) -> _Read:
    """Bucket i holds what is above 2^(i/2^s) and at most 2^((i+1)/2^s), s being the scale. So for s > 0 every
    half octave is a bound, and the counts up to it are exact whatever the scale was when they came in."""
    fineness = int(raw.get("scale", 0))
    if fineness < 1:
        raise _PointError(
            "its buckets are wider than half an octave; send explicit buckets, or more of these"
        )
    if sum(map(int, raw.get("negative", {}).get("bucketCounts", ()))):
        raise _PointError("durations below zero")
    positive = raw.get("positive", {})
    offset, counts = (
        int(positive.get("offset", 0)),
        [int(count) for count in positive.get("bucketCounts", ())],
    )
    # The figures are in the metric's unit, the bounds in seconds: both are half octaves of the former.
    shift = round(-2 * math.log2(scale))
    edges = [half + shift for half in HALF_OCTAVES]
    zero = int(raw.get("zeroCount", 0))
    below = [zero + sum(counts[: max(0, edge * 2 ** (fineness - 1) - offset)]) for edge in edges]
    bounds = tuple(2.0 ** (edge / 2) * scale for edge in edges)
    return bounds, tuple(float(each) for each in (*below, zero + sum(counts)))
