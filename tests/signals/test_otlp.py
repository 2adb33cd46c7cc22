"""OpenTelemetry metrics become counters that never fall; what an exporter really sends is understood."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.judge import Counts, Histogram
from rollway.rollout.ports import Interval
from rollway.rollout.pushed import KeptCounter
from rollway.signals.otlp import OtlpSignal
from rollway.signals.otlp_json import Rejected, decode_json, points_of
from rollway.signals.otlp_totals import MOST_COUNTERS, fold_points
from rollway.signals.otlp_wire import decode_protobuf, encode_partial_success

Ask = Callable[..., Interval]
NOW = 1_000_000.0
SECOND = 10**9
BEGAN = int(NOW) * SECOND
OPTIONS = {
    "source": "shop",
    "arm_label": "service.version",
    "candidate": "2.0",
    "baseline": "1.0",
    "total": "checkout_requests",
    "bad": 'checkout_requests{outcome="error"}',
}

# What opentelemetry-sdk 1.45 with its protobuf encoder made of: a counter (270 ok, 30 error), a histogram of
# 0..299 ms with bounds 0, 10 and 100 ms, an exponential one of 1..300 ms, a sum that may fall, and 1.5 of a
# second counter; service.version is 2.0.
EXPORTED = zlib.decompress(
    base64.b64decode(
        "eNrjWsXKJcUlwcVfnFpUlpmcqleWWlScmZ8nxMrFbKRnINTNysXGxVKckV8g9J2RiyW1oiBfiim3OOgVI9dTRsEboT6yi9a+"
        "kpC8JPUezFDUYWQAA00QcYD7mYMBh9NSRg5GoQWMUBk4YERjIUhGFASGUATGIMAEQUxABAbMTMwgxAJEQMDKwsrKysbKxsbO"
        "xs4BBJycnFzc3Nw8PJwMuIEXsxAjQyKE/cE+E0wfKHIQYBJqAvq8PDGzBORzrzKuIkGRhb74/O3w7KmDkQLMf1xQOgpKH4fS"
        "VhKo9qs4QOhIh0iYEMQ1G8COWMvIJZickZqcnV9aoleUWliaWlxSbDWdkctTUHOyH6pzDOVgdghxsQPVJ+fnpgqxc7GmFhXl"
        "F1lxc7EWpZYUVQoxCTAAOSzJ+SmpQswSJxi53AR5avzRjOKD+sOKH2EUCxdTfjZucwSYJBiFNLlYChIzU6wUuaQFfx17ixZe"
        "EDN/2IOVqnOx5Bek5lnJA5XK7HmH5oB//yFAgAkAM4yF3g=="
    )
)


class Shop:
    """A sender whose counters are kept in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptCounter] = {}

    def send(self, *metrics: dict[str, Any], now: float = NOW, version: str = "2.0") -> Rejected:
        rejected = Rejected()
        points = points_of(decode_json(export(*metrics, version=version)), rejected)
        self.kept |= fold_points(points, self.kept, len(self.kept), now, rejected)
        return rejected

    def counters(self, source: str, metrics: Any) -> tuple[KeptCounter, ...]:
        return tuple(one for one in self.kept.values() if one.metric in metrics)

    @property
    def totals(self) -> list[tuple[float, ...]]:
        return [one.total for one in self.kept.values()]


def export(*metrics: dict[str, Any], version: str = "2.0") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.version", "value": {"stringValue": version}}]}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": list(metrics)}]}]}


def counter(
    value: int, at: float, *, began: float = 0.0, delta: bool = False, **attributes: str
) -> dict[str, Any]:
    """checkout.requests as it stands `at` seconds after NOW, counted since `began`."""
    point = {
        "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in attributes.items()],
        "startTimeUnixNano": str(BEGAN + int(began * SECOND)),
        "timeUnixNano": str(BEGAN + int(at * SECOND)),
        "asInt": str(value),
    }
    temporality = 1 if delta else 2
    data = {"isMonotonic": True, "aggregationTemporality": temporality, "dataPoints": [point]}
    return {"name": "checkout.requests", "sum": data}


def histogram(at: float, **more: Any) -> dict[str, Any]:
    point = {"startTimeUnixNano": str(BEGAN), "timeUnixNano": str(BEGAN + int(at * SECOND)), **more}
    kind = "exponentialHistogram" if "scale" in more else "histogram"
    return {"name": "wait", "unit": "ms", kind: {"aggregationTemporality": 2, "dataPoints": [point]}}


# --- totals ---------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_deltas_and_cumulative_points_come_to_the_same(steps: list[tuple[int, bool, bool]]) -> None:
    """Whatever restarts and repetitions lie between: the total is what was counted in all."""
    as_deltas, as_sums = Shop(), Shop()
    value, began = 0, 0.0
    for n, (more, restarts, repeats) in enumerate(steps, start=1):
        if restarts and n > 1:
            value, began = 0, n - 0.5
        value += more
        for _ in range(1 + repeats):
            as_deltas.send(counter(more, n, began=n - 1, delta=True))
            as_sums.send(counter(value, n, began=began))
    assert as_deltas.totals == as_sums.totals == [(float(sum(more for more, *_ in steps)),)]


def test_what_was_counted_long_before_is_not_of_this_rollout() -> None:
    """A counter that began an hour before its first point is followed from there; a fresh one is not cut."""
    shop = Shop()
    shop.send(counter(5000, 10, began=-3600))
    shop.send(counter(5007, 20, began=-3600))
    assert shop.totals == [(7.0,)]
    fresh = Shop()
    fresh.send(counter(5, 10, began=0))
    assert fresh.totals == [(5.0,)]


def test_two_processes_that_send_one_counter_are_told_apart() -> None:
    """Without an instance of their own nothing can be said of the second; the first goes on."""
    shop = Shop()
    shop.send(counter(5, 100, began=0))
    rejected = shop.send(counter(3, 101, began=50))
    assert (rejected.count, "service.instance.id" in rejected.told()) == (1, True)
    shop.send(counter(9, 110, began=0))
    assert shop.totals == [(9.0,)]


def test_a_counter_that_falls_without_a_restart_is_refused() -> None:
    """Its exporter is broken, and is told so."""
    shop = Shop()
    shop.send(counter(5, 10))
    assert "fell without a new start" in shop.send(counter(4, 20)).told()
    assert shop.totals == [(5.0,)]


def test_attributes_without_end_are_stopped() -> None:
    """A label that names users does not fill the disk; counters that are known go on."""
    shop = Shop()
    shop.send(counter(1, 10))
    rejected = Rejected()
    points = points_of(export(counter(2, 20), counter(1, 20, user="u1")), rejected)
    changed = fold_points(points, shop.kept, MOST_COUNTERS, NOW, rejected)
    assert [one.total for one in changed.values()] == [(2.0,)]
    assert (rejected.count, "fewer attributes" in rejected.told()) == (1, True)


# --- points ---------------------------------------------------------------------------------------


def test_what_the_sdk_exports_is_understood() -> None:
    """Protobuf as a real exporter writes it: names, attributes, units, both kinds of buckets."""
    rejected = Rejected()
    found = [point for points in points_of(decode_protobuf(EXPORTED), rejected).values() for point in points]
    named = {(point.metric, point.labels.get("outcome", "")): point for point in found}
    assert rejected.count == 0
    assert named["checkout_requests", "error"].values == (30.0,)
    assert named["checkout_requests", "ok"].values == (270.0,)
    labels = {"service_version": "2.0", "outcome": "ok", "retry": "false", "code": "200"}
    assert named["checkout_requests", "ok"].labels == labels
    assert named["paid", ""].values == (1.5,)
    assert (named["wait", ""].bounds, named["wait", ""].values) == ((0.01, 0.1), (11.0, 101.0, 300.0))
    expo = named["expo", ""]
    assert len(found) == 5
    for bound, count in zip((*expo.bounds, 1e9), expo.values, strict=True):
        assert count == min(300, int(bound * 1000 + 1e-9)), bound


@given(st.lists(st.floats(0.0005, 200), max_size=50), st.integers(1, 6))
def test_exponential_buckets_are_counted_exactly(durations: list[float], scale: int) -> None:
    """At any scale the count up to each half octave is what a look at every duration gives."""
    import math

    # Just inside of its bucket: where a duration lies on a bound, floating point may say either.
    indices = [math.ceil(math.log2(one) * 2**scale) - 1 for one in durations]
    inside = [2 ** ((index + 0.5) / 2**scale) for index in indices]
    offset = min(indices, default=0)
    counts = [indices.count(offset + n) for n in range(max(indices, default=0) - offset + 1)]
    raw = {"scale": scale, "zeroCount": "2", "positive": {"offset": offset, "bucketCounts": counts}}
    metric = {**histogram(1, **raw), "unit": "s"}
    ((point,),) = points_of(export(metric), Rejected()).values()
    assert point.values[-1] == len(durations) + 2
    for bound, count in zip(point.bounds, point.values, strict=False):
        assert count == 2 + sum(one <= bound for one in inside)


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (histogram(1, explicitBounds=[], bucketCounts=["3"]), "without buckets"),
        (histogram(1, explicitBounds=[1, 2], bucketCounts=["3"]), "1 counts do not go with 2 bounds"),
        (histogram(1, explicitBounds=[2, 1], bucketCounts=[1, 2, 3]), "do not rise"),
        (histogram(1, scale=0, positive={"offset": 0, "bucketCounts": [1]}), "wider than half an octave"),
        (histogram(1, scale=3, negative={"offset": 0, "bucketCounts": [1]}), "below zero"),
        (counter(-1, 1), "nothing that a counter can be"),
        (
            {**counter(1, 1), "sum": {**counter(1, 1)["sum"], "aggregationTemporality": 0}},
            "neither delta nor",
        ),
    ],
)
def test_a_point_that_cannot_be_used_is_rejected_alone(metric: dict[str, Any], problem: str) -> None:
    """Its metric and the reason are told; the others of the export are taken."""
    shop = Shop()
    rejected = shop.send(metric, counter(5, 10))
    assert (rejected.count, problem in rejected.told()) == (1, True)
    assert (5.0,) in shop.totals


def test_what_cannot_be_compared_is_passed_over() -> None:
    """Gauges, sums that may fall and points without a value are no fault of the sender's."""
    shop = Shop()
    falling = counter(5, 10)
    falling["sum"]["isMonotonic"] = False
    stale = counter(5, 10)
    stale["sum"]["dataPoints"][0]["flags"] = 1
    rejected = shop.send(falling, stale, {"name": "heap", "gauge": {"dataPoints": [{"asInt": "1"}]}})
    assert (rejected.count, shop.kept) == (0, {})


@pytest.mark.parametrize(
    "body", [[], {}, {"resourceMetrics": 3}, {"resourceMetrics": [3]}, {"resourceMetrics": [{"resource": 1}]}]
)
def test_what_is_no_export_is_refused(body: Any) -> None:
    """An error that says so, and no crash."""
    with pytest.raises(InputError, match="OTLP"):
        points_of(decode_json(body), Rejected())


@given(st.binary(max_size=60), st.integers(0, len(EXPORTED)), st.integers(0, len(EXPORTED)))
@example(b"\x00\x00\x00\x00\x00\x12", 400, 108)  # a single value, packed, and nothing in it
def test_broken_protobuf_is_refused_and_never_crashes(noise: bytes, start: int, end: int) -> None:
    """Noise, cut messages and messages with noise inside give points or an InputError."""
    for body in (noise, EXPORTED[:end], EXPORTED[:start] + noise + EXPORTED[end:]):
        try:
            points_of(decode_protobuf(body), Rejected())
        except InputError as error:
            assert "OTLP export" in error.message  # noqa: PT017


def test_a_number_may_be_packed_or_not() -> None:
    """Both ways of writing repeated numbers are read; unknown fields are skipped."""

    def message(number: int, inner: bytes) -> bytes:
        return bytes([number << 3 | 2, len(inner)]) + inner

    times = b"\x11" + struct.pack("<Q", 1) + b"\x19" + struct.pack("<Q", 2)
    counts = b"".join(b"\x31" + struct.pack("<Q", n) for n in (3, 4))
    point = times + counts + message(7, struct.pack("<d", 0.5)) + b"\x7d\x00\x00\x00\x00"
    metric = message(1, b"wait") + message(9, message(1, point) + b"\x10\x02")
    ((one,),) = points_of(decode_protobuf(message(1, message(2, message(2, metric)))), Rejected()).values()
    assert (one.bounds, one.values, one.started, one.at) == ((0.5,), (3.0, 7.0), 1, 2)


def test_the_answer_to_an_exporter_tells_what_was_rejected() -> None:
    """As ExportMetricsServiceResponse in protobuf; empty where all was taken."""
    assert encode_partial_success(0, "") == b""
    assert encode_partial_success(300, "no") == b"\x0a\x07\x08\xac\x02\x12\x02no"


# --- the signal -----------------------------------------------------------------------------------


def signal(shop: Any, kind: Any = "rate", **options: str) -> OtlpSignal:
    return OtlpSignal("errors", kind, {**OPTIONS, **options}, pushed=shop)


def test_what_was_counted_between_two_exports_is_read(at: Ask) -> None:
    """Both versions, over all processes; an interval ends when the newest export came in."""
    shop = Shop()
    one = signal(shop)
    for number in ("a", "b"):
        shop.send(counter(100, 10, outcome="ok", pod=number), now=NOW + 10)
        shop.send(counter(900, 10, outcome="ok", pod=number), now=NOW + 10, version="1.0")
    begun = one.collect(None, at(NOW + 12))
    assert one.collect(begun.cursor, at(NOW + 15)).reading is None
    shop.send(counter(103, 20, outcome="ok", pod="a"), counter(2, 20, outcome="error", pod="a"), now=NOW + 20)
    shop.send(counter(104, 20, outcome="ok", pod="b"), now=NOW + 20)
    shop.send(counter(950, 20, outcome="ok", pod="b"), now=NOW + 21, version="1.0")
    shop.send(counter(8, 20, outcome="ok"), now=NOW + 21, version="0.9")
    reading = one.collect(begun.cursor, at(NOW + 25)).reading
    assert reading is not None
    assert (reading.candidate, reading.baseline) == (Counts(9, 2), Counts(50, 0))
    assert (reading.start, reading.end) == (NOW + 10, NOW + 21)


def test_what_matches_nothing_of_what_was_sent_is_told(at: Ask) -> None:
    """A slip in a value names the values that there are."""
    shop = Shop()
    shop.send(counter(90, 10, outcome="ok"), counter(9, 10, outcome="error"), now=NOW + 10)
    shop.send(counter(90, 10, outcome="ok"), now=NOW + 10, version="1.0")
    assert signal(shop).examine(at(NOW + 12)).unmatched == ()
    slip = signal(shop, bad='checkout_requests{outcome="eror"}').examine(at(NOW + 12)).unmatched or ()
    assert [one.option for one in slip] == ["bad"]
    assert 'has outcome="eror"; there are: error, ok' in slip[0].told


def test_a_pod_that_is_replaced_costs_no_interval(at: Ask) -> None:
    """A new process begins at 0 and the old one stops; what each counted is counted."""
    shop = Shop()
    one = signal(shop)
    shop.send(counter(100, 10, pod="a"), now=NOW + 10)
    shop.send(counter(100, 10, pod="a"), now=NOW + 10, version="1.0")
    begun = one.collect(None, at(NOW + 12))
    shop.send(counter(7, 20, began=15, pod="b"), now=NOW + 20)
    shop.send(counter(4, 20, began=15, pod="a"), now=NOW + 20, version="1.0")
    reading = one.collect(begun.cursor, at(NOW + 25)).reading
    assert reading is not None
    assert (reading.candidate, reading.baseline, reading.problem) == (Counts(7, 0), Counts(4, 0), None)


def test_durations_are_read_as_histograms(at: Ask) -> None:
    """Milliseconds become seconds."""
    shop = Shop()
    given = {name: OPTIONS[name] for name in ("source", "arm_label", "candidate", "baseline")}
    one = OtlpSignal("slow", "latency", {**given, "histogram": "wait"}, pushed=shop)
    shop.send(histogram(1, explicitBounds=[10, 100], bucketCounts=[1, 1, 1]), now=NOW + 1)
    begun = one.collect(None, at(NOW + 2))
    shop.send(histogram(3, explicitBounds=[10, 100], bucketCounts=[3, 4, 6]), now=NOW + 3)
    reading = one.collect(begun.cursor, at(NOW + 4)).reading
    assert reading is not None
    assert reading.candidate == Histogram((0.01, 0.1), (2, 3, 5))


def test_nothing_sent_is_nothing_reported(at: Ask) -> None:
    """No series, no numbers: not zero, and the note names the attribute."""
    one = signal(Shop())
    begun = one.collect(None, at(NOW))
    assert 'service_version="2.0"' in begun.note
    reading = one.collect(begun.cursor, at(NOW + 10)).reading
    assert reading is not None
    assert (reading.candidate, reading.baseline) == (None, None)


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("rate", {"source": ""}, r"signal\.source: missing"),
        ("rate", {"url": "http://a"}, r"signal\.url: an otlp signal has no such option"),
        ("rate", {"bad": 'a{service_version="2.0"}'}, r"signal\.bad: the selector already chooses"),
        ("mean", {}, "an otlp signal cannot read a mean"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(kind: Any, options: dict[str, str], problem: str) -> None:
    """A slip in the release file is told when the signal is made."""
    with pytest.raises(InputError, match=problem):
        signal(Shop(), kind, **options)
