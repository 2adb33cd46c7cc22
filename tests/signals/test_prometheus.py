"""The prometheus signal counts exactly what a service counted, through a real Prometheus server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from rollway.errors import InputError
from rollway.judge import Counts, Reading
from rollway.rollout.ports import Collected, Interval
from rollway.signals.prometheus import PrometheusSignal
from support.prometheus import Prometheus, prometheus
from support.versions import wait_until

Ask = Callable[..., Interval]
OPTIONS = {"arm_label": "version", "candidate": "v2", "baseline": "v1"}
RATE = {"total": "requests_total", "bad": 'requests_total{code=~"5.."}'}


class Shop:
    """A service that counts, and the Prometheus that scrapes it."""

    def __init__(self, name: str, registry: CollectorRegistry, server: Prometheus) -> None:
        self.server, self.name = server, name
        labels = ["version", "code"]
        self.requests = Counter(f"{name}_requests", "Requests", labels, registry=registry)
        self.seconds = Histogram(
            f"{name}_seconds", "Durations", ["version"], buckets=[0.1, 0.5], registry=registry
        )

    def serve(self, version: str, good: int, bad: int = 0) -> None:
        self.requests.labels(version, "200").inc(good)
        self.requests.labels(version, "503").inc(bad)

    def signal(self, kind: Any = "rate", **options: str) -> PrometheusSignal:
        total = f"{self.name}_requests_total"
        parts = {"total": total, "bad": total + '{code=~"5.."}'} if kind == "rate" else {}
        given = {"url": self.server.url, **OPTIONS, **parts, **options}
        return PrometheusSignal("errors", kind, given)


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[CollectorRegistry, str]]:
    """Prometheus takes five seconds to find whom to scrape, so all tests share one page."""
    registry = CollectorRegistry()
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield registry, f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def scraping(
    page: tuple[CollectorRegistry, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), page[1]) as server:
        yield server


@pytest.fixture
def shop(page: tuple[CollectorRegistry, str], scraping: Prometheus, request: pytest.FixtureRequest) -> Shop:
    """A shop whose metrics carry the test's name."""
    return Shop(request.node.name, page[0], scraping)


def look(signal: PrometheusSignal, at: Ask, cursor: Any) -> Collected:
    return signal.collect(cursor, at(time.time()))


def all_until(signal: PrometheusSignal, at: Ask, cursor: Any, total: int) -> tuple[list[Reading], Any]:
    """Readings until they add up to so many of the new version's trials."""
    readings: list[Reading] = []

    def is_there() -> bool:
        nonlocal cursor
        collected = look(signal, at, cursor)
        cursor = collected.cursor
        if collected.reading is not None:
            readings.append(collected.reading)
        return sum(one.candidate.trials for one in readings if isinstance(one.candidate, Counts)) >= total

    wait_until(is_there, within=15)
    return readings, cursor


def first(shop: Shop, at: Ask, signal: PrometheusSignal) -> Any:
    """A cursor behind the first sample of both versions."""
    shop.serve("v1", 10)
    shop.serve("v2", 10)
    found: list[Any] = []

    def is_seen() -> bool:
        collected = look(signal, at, None)
        found[:] = [collected.cursor]
        return bool(collected.cursor.get("counters")) and not collected.note

    wait_until(is_seen, within=15)
    return found[0]


def test_every_request_is_counted_once(shop: Shop, at: Ask) -> None:
    """Over many looks the readings add up to what the service served, per version, good and bad."""
    signal = shop.signal()
    cursor = first(shop, at, signal)
    for _ in range(20):
        shop.serve("v1", 30, 1)
        shop.serve("v2", 5, 2)
        time.sleep(0.05)
    readings, _ = all_until(signal, at, cursor, 140)
    told = [
        (sum(getattr(one, arm).trials for one in readings), sum(getattr(one, arm).bad for one in readings))
        for arm in ("baseline", "candidate")
    ]
    assert told == [(620, 20), (140, 40)]
    ends = [one.end for one in readings]
    assert [one.start for one in readings[1:]] == ends[:-1]


def test_nothing_new_is_no_reading(shop: Shop, at: Ask) -> None:
    """Asked twice between two scrapes, the second answer says nothing instead of `no traffic`."""
    signal = shop.signal()
    cursor = first(shop, at, signal)
    empty = [collected for _ in range(30) if (collected := look(signal, at, cursor)).reading is None]
    assert empty
    assert all(collected.cursor == cursor for collected in empty)


def test_a_gap_is_covered_once_prometheus_is_back(shop: Shop, at: Ask) -> None:
    """While the server is down the source is down; afterwards nothing that was counted is lost."""
    signal = shop.signal()
    cursor = first(shop, at, signal)
    shop.server.stop()
    shop.serve("v1", 70)
    shop.serve("v2", 7, 1)
    down = look(signal, at, cursor)
    assert down.reading is not None
    assert down.reading.problem == "source_down"
    assert down.cursor == cursor
    shop.server.start()
    readings, _ = all_until(signal, at, down.cursor, 8)
    assert sum(one.candidate.bad for one in readings if isinstance(one.candidate, Counts)) == 1


def test_durations_keep_their_buckets(shop: Shop, at: Ask) -> None:
    """A classic histogram is read bucket by bucket."""
    signal = shop.signal("latency", histogram=f"{shop.name}_seconds")
    for version in ("v1", "v2"):
        shop.seconds.labels(version).observe(0.05)
    found: list[Collected] = []
    wait_until(lambda: bool((c := look(signal, at, None)).cursor.get("counters")) and not c.note, within=15)
    cursor = look(signal, at, None).cursor
    for duration in (0.05, 0.3, 0.3, 2.0):
        shop.seconds.labels("v2").observe(duration)

    def is_there() -> bool:
        collected = look(signal, at, cursor)
        found.append(collected)
        told = collected.reading and collected.reading.candidate
        return told is not None and sum(told.counts) == 4  # type: ignore[union-attr]

    wait_until(is_there, within=15)
    assert tuple(found[-1].reading.candidate.counts) == (1, 2, 1)  # type: ignore[union-attr]


def test_a_version_without_series_is_told(shop: Shop, at: Ask) -> None:
    """Only the old version is known to Prometheus: the new one is silent, and the note says so."""
    signal = shop.signal()
    shop.serve("v1", 10)
    wait_until(lambda: look(signal, at, None).cursor.get("counters"), within=15)
    assert 'no series with version="v2"' in look(signal, at, None).note


def test_what_matches_nothing_is_told_with_what_there_is(shop: Shop, at: Ask) -> None:
    """Prometheus is asked for the values that the labels have; a version at 0 is there."""
    total = f"{shop.name}_requests_total"
    shop.serve("v1", 10, 1)
    shop.serve("v3", 0)
    wait_until(lambda: look(shop.signal(), at, None).cursor.get("counters"), within=15)

    def told(**options: str) -> list[tuple[str, str]]:
        unmatched = shop.signal(**options).examine(at(time.time())).unmatched
        return [(one.option, one.told) for one in unmatched or ()]

    assert told(candidate="v3") == []
    assert told() == [("candidate", 'no series has version="v2" yet; there are: v1, v3')]
    bad = f'no series of {total} has code="5xxx"; there are: 200, 503'
    assert told(candidate="v3", bad=total + '{code="5xxx"}') == [("bad", bad)]
    assert told(total="nothing_total", bad="nothing_total") == [
        ("total", "no metric is called nothing_total")
    ]
    assert told(arm_label="verson")[0][0] == "arm_label"
    so_far = shop.signal(candidate="v3").examine(at(time.time())).so_far
    assert so_far is not None
    assert (so_far.baseline, so_far.candidate) == (Counts(11, 1), Counts(0, 0))


def test_a_question_that_prometheus_refuses_is_told(shop: Shop, at: Ask) -> None:
    """A pattern that its engine does not know is a source that is down, with its own words."""
    signal = shop.signal(bad=shop.name + '_requests_total{code=~"(?=5).."}')
    collected = look(signal, at, None)
    assert collected.reading is not None
    assert collected.reading.problem == "source_down"
    assert "400" in collected.note


def test_a_missing_token_is_told_before_anything_is_asked(
    shop: Shop, at: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named."""
    monkeypatch.delenv("PROM_TOKEN", raising=False)
    assert "PROM_TOKEN" in look(shop.signal(token_env="PROM_TOKEN"), at, None).note


def test_an_option_that_does_not_exist_is_named() -> None:
    """A query with functions is no selector, and a slip is told when the signal is made."""
    given = {"url": "http://127.0.0.1:9090", **OPTIONS, **RATE}
    with pytest.raises(InputError, match="a prometheus signal has no such option"):
        PrometheusSignal("errors", "rate", {**given, "tokn_env": "X"})
    with pytest.raises(InputError, match=r"signal\.total"):
        PrometheusSignal("errors", "rate", {**given, "total": "sum(rate(requests_total[1m]))"})
