"""A Prometheus that is upgraded during a rollout spells bounds otherwise: `le="1"` becomes `le="1.0"`.

For as long as it holds series to be alive, its answers have both; so they have where it begins to scrape
protobuf, as it does with native histograms.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rollway.judge import Counts, Histogram
from rollway.rollout.ports import Collected, Interval
from rollway.signals.prometheus import PrometheusSignal
from rollway.signals.selector import parse_selector
from support.native import Native
from support.native_shop import Shop, counted, up_to
from support.scraping import latency as scraped_latency
from tests.signals.conftest import Scripted

At = Callable[..., Interval]
OPTIONS = {"arm_label": "version", "candidate": "v2", "baseline": "v1"}
LOOK_BACK = 300.0
BEFORE, AFTER = 1000.0, 1015.0
"""The last sample in the old spelling, and the first one in the new spelling."""


class Server:
    """Has samples of series, and answers with those of the last five minutes, as a server does."""

    def __init__(self, scripted: Scripted) -> None:
        self.url = scripted.url
        self.series: dict[tuple[tuple[str, str], ...], list[tuple[float, str]]] = {}
        self.now = 0.0
        scripted.answer = self._answer

    def scrape(self, at: float, count: int, *, les: Sequence[str]) -> None:
        """Both versions have answered so many requests, one in ten of which took two seconds."""
        for version in ("v1", "v2"):
            self._add("took_seconds_count", at, count, version=version)
            for le in les:
                below = count if float(le) >= 2 else count * 9 // 10
                self._add("took_seconds_bucket", at, below, version=version, le=le)
        self.now = at

    def _add(self, name: str, at: float, value: int, **labels: str) -> None:
        key = tuple(sorted({"__name__": name, **labels}.items()))
        self.series.setdefault(key, []).append((at, str(value)))

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        (query,) = parse_qs(urlsplit(handler.path).query)["query"]
        is_range = query.endswith("[5m]")
        result = self._matrix(query.removesuffix("[5m]")) if is_range else []
        data = {"resultType": "matrix" if query.endswith("]") else "vector", "result": result}
        text = json.dumps({"status": "success", "data": data}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _matrix(self, query: str) -> list[dict[str, Any]]:
        selector = parse_selector(query, where="test")
        found = []
        for key, samples in self.series.items():
            labels = dict(key)
            kept = [one for one in samples if self.now - LOOK_BACK <= one[0] <= self.now]
            is_meant = labels["__name__"] == selector.metric and all(
                _is_met(one.operator, one.value, labels.get(one.label, "")) for one in selector.matchers
            )
            if kept and is_meant:
                found.append({"metric": labels, "values": kept})
        return found


def _is_met(operator: str, value: str, told: str) -> bool:
    """To a server a label is a text."""
    is_pattern = operator.endswith("~")
    is_equal = re.fullmatch(value, told) is not None if is_pattern else value == told
    return is_equal == operator.startswith("=")


OLD, NEW = ("0.5", "1", "10", "+Inf"), ("0.5", "1.0", "10.0", "+Inf")


def reading(collected: Collected) -> Any:
    assert collected.reading is not None, collected.note
    assert collected.reading.problem is None, collected.note
    return collected.reading


@pytest.mark.parametrize(("first", "then"), [(OLD, NEW), (NEW, OLD)])
def test_an_upgrade_of_the_server_is_no_burst_and_costs_no_interval(
    scripted: Scripted, at: At, first: Sequence[str], then: Sequence[str]
) -> None:
    """Whole seconds are spelled otherwise from one scrape to the next, and a thousand requests are behind
    each bucket: as many are counted as came, at each look, also once the old spelling is out of sight."""
    server = Server(scripted)
    signal = PrometheusSignal(
        "latency", "latency", {"url": server.url, **OPTIONS, "histogram": "took_seconds"}
    )
    server.scrape(BEFORE - 15, 1000, les=first)
    cursor = signal.collect(None, at(BEFORE - 14)).cursor
    count = 1000
    for number in range(25):
        time = BEFORE + 15 * number
        count += 10
        server.scrape(time, count, les=first if time < AFTER else then)
        collected = signal.collect(cursor, at(time + 1))
        cursor = collected.cursor
        found = reading(collected)
        assert found.candidate == found.baseline == Histogram((0.5, 1.0, 10.0), (9, 0, 1, 0))
        assert (found.start, found.end) == (time - 15, time)
    assert len(cursor["counters"]) == 8
    assert not cursor.get("absent")


@pytest.mark.parametrize("le", ["1", "1.0"])
def test_a_bucket_that_was_named_as_the_good_ones_stays_found(scripted: Scripted, at: At, le: str) -> None:
    """`good: took_seconds_bucket{le="1"}` of a service level: not all requests seem slow from then on."""
    server = Server(scripted)
    parts = {"total": "took_seconds_count", "bad": f'took_seconds_bucket{{le="{le}"}}'}
    signal = PrometheusSignal("fast", "rate", {"url": server.url, **OPTIONS, **parts})
    server.scrape(BEFORE, 1000, les=OLD)
    cursor = signal.collect(None, at(BEFORE + 1)).cursor
    for number in range(25):
        time = AFTER + 15 * number
        server.scrape(time, 1010 + 10 * number, les=NEW)
        collected = signal.collect(cursor, at(time + 1))
        cursor = collected.cursor
        found = reading(collected)
        assert found.candidate == found.baseline == Counts(10, 9)


@pytest.mark.parametrize(("kept", "told"), [("1", "1.0"), ("1.0", "1"), ("1e+06", "1000000.0")])
def test_a_cursor_of_the_other_spelling_is_gone_on_from(
    scripted: Scripted, at: At, kept: str, told: str
) -> None:
    """A rollout that was under way before spellings were one has such a cursor in the database."""

    def page(le: str, count: int) -> str:
        return "".join(
            f'seconds_bucket{{variant="{arm}",le="{bound}"}} {count}\n'
            for arm in ("new", "old")
            for bound in (le, "+Inf")
        )

    signal = scraped_latency(scripted.url)
    counters = {
        f'seconds_bucket{{le="{le}",variant="{arm}"}}': 100 for arm in ("new", "old") for le in (kept, "+Inf")
    }
    scripted.say(page(told, 104))
    found = reading(signal.collect({"at": 1.0, "counters": counters}, at(2.0)))
    assert found.candidate == found.baseline == Histogram((float(kept),), (4, 0))


def test_a_page_that_tells_one_bucket_in_both_spellings_is_refused(scripted: Scripted, at: At) -> None:
    """Of a server the newer one is known; of a page nobody knows which of them is right."""
    lines = [f'seconds_bucket{{variant="new",le="{le}"}} 3' for le in ("1", "1.0", "+Inf")]
    scripted.say("\n".join(lines) + "\n")
    collected = scraped_latency(scripted.url).collect(None, at(1.0))
    assert collected.reading is not None
    assert collected.reading.problem == "implausible"
    assert "twice" in collected.note


def test_a_real_server_that_was_started_again_and_spells_otherwise(shop: Shop) -> None:
    """It was killed, so that no series was ended: both spellings are alive for five minutes. What came
    meanwhile and afterwards is counted once."""
    old, new = (shop.add(version, Native(3, (0.5, 1.0, 10.0), is_native=False)) for version in ("v1", "v2"))
    for one in (old, new):
        one.observe(0.7, 1000)
    shop.begin()
    new.observe(0.7, 3)
    shop.until(3)
    shop.server.stop()
    with shop.page.at_once():
        for one in (old, new):
            one.has_floats = True
            one.observe(0.7, 5)
            one.observe(5.0, 2)
    shop.server.start()
    found = shop.until(7, 7)
    assert up_to(found, 0.5) == 0
    assert up_to(found, 1.0) == 5
    new.observe(0.2, 4)
    time.sleep(0.3)
    assert up_to(shop.until(4), 0.5) == 4
    assert counted(found) == (7, 7)
