"""Answers of servers that are not installed here, written after their sources (util/jsonutil/marshal.go and
model/histogram/generic.go of Prometheus 3): histograms with custom buckets, and APIs without native ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rollway.judge import Histogram
from rollway.rollout.ports import Collected, Interval
from rollway.signals.prometheus import PrometheusSignal
from tests.signals.conftest import Scripted

NAME = "took_seconds"
At = Callable[..., Interval]
Buckets = list[list[Any]]
Natives = dict[str, tuple[float, dict[str, Any]]]


class Server:
    """Answers with what is stored: histograms and plain series, each (labels, time, value)."""

    def __init__(self, scripted: Scripted) -> None:
        self.natives: Natives = {}
        self.plain: list[tuple[dict[str, str], float, str]] = []
        self.lacks = ""
        self.has_last = True
        self.asked: list[str] = []
        scripted.answer = self._answer

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        (query,) = parse_qs(urlsplit(handler.path).query)["query"]
        self.asked.append(query)
        refused = bool(self.lacks) and self.lacks in query
        body: dict[str, Any] = {"status": "error", "errorType": "bad_data", "error": "unknown function"}
        if not refused:
            kind, result = self._result(query)
            # Newer servers add what they have to remark.
            body = {"status": "success", "infos": ["it may not be a counter"], "warnings": []}
            body["data"] = {"resultType": kind, "result": result}
        text = json.dumps(body).encode()
        handler.send_response(400 if refused else 200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _result(self, query: str) -> tuple[str, list[Any]]:
        metric = f"{NAME}_bucket" if f"{NAME}_bucket" in query else NAME
        plain = [one for one in self.plain if one[0]["__name__"] == metric]
        natives = {} if metric != NAME else self.natives
        if query.startswith("last_over_time"):
            return "vector", self._last(query)
        if query.startswith("timestamp"):
            alive = self._newest() - 300
            labelled = [
                ({"version": version}, time) for version, (time, _) in self.natives.items() if time >= alive
            ]
            labelled += [
                ({name: value for name, value in labels.items() if name != "__name__"}, time)
                for labels, time, _ in self.plain
                if labels.get("le", "+Inf") == "+Inf"
            ]
            return "vector", [{"metric": one, "value": [time, str(time)]} for one, time in labelled]
        if query.startswith("count by"):
            versions = list(natives)
            if "histogram_count" not in query:
                versions += [labels["version"] for labels, *_ in plain]
            return "vector", [{"metric": {"version": one}, "value": [1, "1"]} for one in versions]
        found: list[dict[str, Any]] = [
            {"metric": {"__name__": NAME, "version": version}, "histograms": [[time, told]]}
            for version, (time, told) in self._within(query, natives)
        ]
        return "matrix", found + [
            {"metric": labels, "values": [[time, value]]} for labels, time, value in plain
        ]

    def _newest(self) -> float:
        return max(time for time, _ in self.natives.values()) if self.natives else 0.0

    def _within(self, query: str, natives: Natives) -> list[tuple[str, tuple[float, dict[str, Any]]]]:
        """Those with a sample in the range that is asked for, up to the newest one."""
        length = int(query[query.rindex("[") + 1 : query.rindex("ms]")]) / 1000 if "ms]" in query else 300.0
        return [one for one in natives.items() if one[1][0] >= self._newest() - length]

    def _last(self, query: str) -> list[Any]:
        """The newest of each; version 2.42 makes plain numbers of histograms."""
        return [
            {"metric": {"__name__": NAME, "version": version}}
            | ({"histogram": [self._newest(), told]} if self.has_last else {"value": [self._newest(), "0"]})
            for version, (_, told) in self._within(query, self.natives)
        ]


def told(*buckets: tuple[int, str, str, int]) -> dict[str, Any]:
    count = sum(number for *_, number in buckets)
    lines: Buckets = [[rule, low, high, str(number)] for rule, low, high, number in buckets]
    return {"count": str(count), "sum": "1", **({"buckets": lines} if lines else {})}


def latency(scripted: Scripted) -> PrometheusSignal:
    options = {"arm_label": "version", "candidate": "v2", "baseline": "v1", "histogram": NAME}
    return PrometheusSignal("latency", "latency", {"url": scripted.url, **options})


def reading(collected: Collected) -> Any:
    assert collected.reading is not None, collected.note
    assert collected.reading.problem is None, collected.note
    return collected.reading


def test_a_classic_histogram_that_was_stored_as_a_native_one_keeps_its_bounds(
    scripted: Scripted, at: At
) -> None:
    """Its first bucket reaches from -Inf and is closed, its last one to +Inf; empty ones are not told."""
    server, signal = Server(scripted), latency(scripted)
    old = told((3, "-Inf", "0.005", 10), (0, "0.005", "0.1", 20), (0, "0.1", "2.5", 5), (0, "2.5", "+Inf", 1))
    server.natives = {"v1": (1000.0, old), "v2": (1000.0, told())}
    cursor = signal.collect(None, at(1001.0)).cursor
    new = told((3, "-Inf", "0.005", 1), (0, "0.1", "2.5", 3))
    server.natives = {"v1": (1010.0, old), "v2": (1010.0, new)}
    found = reading(signal.collect(cursor, at(1011.0)))
    assert found.candidate == Histogram((0.005, 0.1, 2.5), (1, 0, 3, 0))
    assert found.baseline == Histogram((0.005, 0.1, 2.5), (0, 0, 0, 0))
    assert found.end == 1010.0


def test_a_summary_of_that_name_is_no_histogram(scripted: Scripted, at: At) -> None:
    """It has plain values under the bare name; beside it the classic buckets are read as ever."""
    server, signal = Server(scripted), latency(scripted)

    def page(time: float, more: int) -> list[tuple[dict[str, str], float, str]]:
        quantiles = [
            ({"__name__": NAME, "version": version, "quantile": "0.5"}, time + 1, "0.2")
            for version in ("v1", "v2")
        ]
        buckets = [
            ({"__name__": f"{NAME}_bucket", "version": version, "le": le}, time, str(50 + more))
            for version in ("v1", "v2")
            for le in ("0.5", "+Inf")
        ]
        return quantiles + buckets

    server.plain = page(1000.0, 0)
    cursor = signal.collect(None, at(1002.0)).cursor
    server.plain = page(1010.0, 7)
    found = reading(signal.collect(cursor, at(1012.0)))
    assert found.candidate == found.baseline == Histogram((0.5,), (7, 0))
    assert found.end == 1010.0


def test_who_has_never_heard_of_native_histograms_is_asked_for_classic_ones(
    scripted: Scripted, at: At
) -> None:
    """An older server, or another one with the same API: preflight goes without the function it lacks."""
    server, signal = Server(scripted), latency(scripted)
    server.lacks = "histogram_count"
    server.plain = [
        ({"__name__": f"{NAME}_bucket", "version": version, "le": le}, 1000.0, "5")
        for version in ("v1", "v2")
        for le in ("0.5", "+Inf")
    ]
    assert signal.examine(at(1001.0)).unmatched == ()


def test_an_answer_of_another_shape_is_a_source_that_is_down(scripted: Scripted, at: At) -> None:
    """A histogram without a count, or with buckets of three numbers, is not guessed at."""
    server, signal = Server(scripted), latency(scripted)
    for broken in ({"sum": "1"}, {"count": "1", "buckets": [["0.5", "1", "1"]]}, {"count": "many"}):
        server.natives = {"v1": (1000.0, broken)}
        collected = signal.collect(None, at(1001.0))
        assert collected.reading is not None
        assert collected.reading.problem == "source_down"
        assert "native histogram" in collected.note


def test_no_more_of_the_past_is_asked_for_than_is_needed(scripted: Scripted, at: At) -> None:
    """A native sample has a line for each bucket: back to the last look, and a minute at most; where that
    is too much for an answer, only what is newest."""
    server, signal = Server(scripted), latency(scripted)
    server.has_last = False
    server.natives = {"v1": (1000.0, told()), "v2": (1000.0, told())}
    cursor = signal.collect(None, at(1001.0)).cursor
    for time, length in ((1015.0, 15_001), (4000.0, 60_001)):
        server.natives = {version: (time, told()) for version in ("v1", "v2")}
        cursor = signal.collect(cursor, at(time + 1)).cursor
        assert server.asked[-1].endswith(f"[{length}ms]")
    server.lacks = "[60001ms]"
    server.natives = {version: (5000.0, told()) for version in ("v1", "v2")}
    assert reading(signal.collect(cursor, at(5001.0))).end == 5000.0
    assert server.asked[-1].endswith("[1ms]")


@pytest.mark.parametrize("gap", [90.0, 3_600.0])
def test_what_ended_long_ago_is_counted_to_its_end(scripted: Scripted, at: At, gap: float) -> None:
    """Nobody looked for so long, and soon after the last look the new version's only instance ended. Of each
    histogram the server is asked for its newest sample, one each, however long the time is."""
    server, signal = Server(scripted), latency(scripted)
    fast = (0, "0.25", "0.5", 10)
    server.natives = {"v1": (1000.0, told(fast)), "v2": (1000.0, told(fast))}
    cursor = signal.collect(None, at(1001.0)).cursor
    end = 1000.0 + gap
    server.natives = {
        "v1": (end, told((0, "0.25", "0.5", 12))),
        "v2": (1020.0, told(fast, (0, "1", "2", 7))),
    }
    found = reading(signal.collect(cursor, at(end + 1)))
    assert (sum(found.candidate.counts), sum(found.baseline.counts)) == (7, 2)
    assert server.asked[-1] == f'last_over_time({NAME}{{version=~"v2|v1"}}[{round(gap * 1000) + 1}ms])'
    cursor = signal.collect(cursor, at(end + 1)).cursor
    server.natives["v1"] = (end + 15, told((0, "0.25", "0.5", 13)))
    found = reading(signal.collect(cursor, at(end + 16)))
    assert found.candidate is None or sum(found.candidate.counts) == 0
    assert sum(found.baseline.counts) == 1


def test_preflight_counts_what_is_alive_and_no_instance_of_old(scripted: Scripted, at: At) -> None:
    """All that was counted so far is asked for without a range back to the beginning of time."""
    server, signal = Server(scripted), latency(scripted)
    server.natives = {"v1": (5000.0, told((0, "0.25", "0.5", 12))), "v2": (1020.0, told((0, "1", "2", 7)))}
    so_far = signal.examine(at(5001.0)).so_far
    assert so_far is not None
    assert so_far.candidate is None
    assert sum(so_far.baseline.counts) == 12  # type: ignore[union-attr]
    assert not any("last_over_time" in query for query in server.asked)
