"""The scrape signal against real web servers: what it reads, and what it says when it cannot."""

from __future__ import annotations

import importlib.metadata
import json
import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from rollway.errors import InputError
from rollway.judge import Counts, Reading
from rollway.judge import Histogram as Durations
from rollway.signals.scrape import ScrapeSignal
from support.scraping import At, Scripted, arms, latency, page, rate

# --- what is read ---------------------------------------------------------------------------------


def test_a_reading_is_what_happened_since_the_cursor(
    registry: CollectorRegistry, metrics_url: str, at: At
) -> None:
    """The first page only sets the mark; the next one gives both arms' increase over the same interval."""
    requests = Counter("requests", "Requests.", ["variant", "outcome"], registry=registry)
    requests.labels("old", "ok").inc(1000)
    signal = rate(metrics_url)
    first = signal.collect(None, at(100.0))
    assert first.reading is None
    requests.labels("old", "ok").inc(90)
    requests.labels("new", "ok").inc(9)
    requests.labels("new", "error").inc()
    requests.labels("shadow", "error").inc(50)
    second = signal.collect(first.cursor, at(101.0))
    assert second.reading == Reading(
        kpi="errors",
        start=100.0,
        end=101.0,
        stage="first",
        share=0.1,
        candidate=Counts(10, 1),
        baseline=Counts(90, 0),
    )
    assert arms(signal.collect(second.cursor, at(102.0))) == (Counts(0, 0), Counts(0, 0))


def test_the_cursor_is_plain_json(scripted: Scripted, at: At) -> None:
    """A cursor that was written down and read again starts the next interval at the same place."""
    scripted.say(page(new=(5, 0), old=(50, 1), started=77.0))
    cursor = rate(scripted.url).collect(None, at(1.0)).cursor
    assert set(cursor) == {"at", "counters", "started"}
    scripted.say(page(new=(6, 0), old=(50, 3), started=77.0))
    kept = json.loads(json.dumps(cursor))
    assert arms(rate(scripted.url).collect(kept, at(2.0))) == (Counts(1, 0), Counts(2, 2))


def test_latency_is_a_histogram_per_arm(registry: CollectorRegistry, metrics_url: str, at: At) -> None:
    """Each duration lands in the bucket that the service put it in, above the last bound too."""
    seconds = Histogram("seconds", "Durations.", ["variant"], buckets=(0.01, 0.1, 1), registry=registry)
    signal = latency(metrics_url)
    seconds.labels("old").observe(0.005)
    cursor = signal.collect(None, at(1.0)).cursor
    for duration in (0.005, 0.05, 0.05, 5.0):
        seconds.labels("new").observe(duration)
    seconds.labels("old").observe(0.5)
    assert arms(signal.collect(cursor, at(2.0))) == (
        Durations((0.01, 0.1, 1.0), (1, 2, 0, 1)),
        Durations((0.01, 0.1, 1.0), (0, 0, 1, 0)),
    )


def test_a_selector_narrows_a_histogram(registry: CollectorRegistry, metrics_url: str, at: At) -> None:
    """Series of one arm that match are added up; the others are left out."""
    seconds = Histogram("seconds", "Durations.", ["variant", "path"], buckets=(1,), registry=registry)
    signal = latency(metrics_url, 'seconds{path!="/health"}')
    cursor = signal.collect(None, at(1.0)).cursor
    for path in ("/a", "/b", "/health"):
        seconds.labels("new", path).observe(0.5)
    assert arms(signal.collect(cursor, at(2.0))) == (Durations((1.0,), (2, 0)), None)


def test_openmetrics_is_read_where_the_page_says_so(scripted: Scripted, at: At) -> None:
    """The content type decides; exemplars, creation times and the end mark are understood."""
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    def said(value: int) -> str:
        return (
            "# TYPE requests counter\n"
            f'requests_total{{variant="new",outcome="error"}} {value} # {{trace_id="a1"}} 1.0\n'
            'requests_created{variant="new",outcome="error"} 1.7e9\n'
            f'requests_total{{variant="old",outcome="ok"}} {value * 10}\n'
            "# EOF\n"
        )

    scripted.say(said(3), kind=kind)
    for total in ("requests_total", "requests"):
        signal = rate(scripted.url, total=total, bad=f'{total}{{outcome="error"}}')
        scripted.say(said(3), kind=kind)
        cursor = signal.collect(None, at(time.time())).cursor
        scripted.say(said(5), kind=kind)
        assert arms(signal.collect(cursor, at(time.time()))) == (Counts(2, 2), Counts(20, 0))
    scripted.say(said(3).replace("# EOF\n", ""), kind=kind)
    assert signal.collect(cursor, at(9.0)).reading.problem == "source_down"  # type: ignore[union-attr]


def test_a_counter_without_the_usual_ending_is_found(scripted: Scripted, at: At) -> None:
    """An old page may write `requests` where the client library would write `requests_total`."""
    signal = rate(scripted.url, total="requests", bad='requests{outcome="error"}')
    text = page(new=(1, 1), old=(5, 0)).replace("requests_total", "requests")
    scripted.say(text)
    assert arms(signal.collect({"at": 0.0, "counters": {}}, at(1.0))) == (Counts(2, 1), Counts(5, 0))


# --- silence --------------------------------------------------------------------------------------


def test_an_arm_without_series_is_not_an_arm_with_zero(scripted: Scripted, at: At) -> None:
    """Nothing reported is None; reported and unchanged is zero. A person is told which label is missing."""
    signal = rate(scripted.url)
    scripted.say(page(old=(10, 0)))
    first = signal.collect(None, at(1.0))
    second = signal.collect(first.cursor, at(2.0))
    assert arms(second) == (None, Counts(0, 0))
    assert second.note == 'no series with variant="new"'
    scripted.say(page(new=(4, 1), old=(10, 0)))
    third = signal.collect(second.cursor, at(3.0))
    assert arms(third) == (Counts(5, 1), Counts(0, 0))
    assert third.note == ""


def test_a_page_without_our_metric_is_silence_in_both_arms(scripted: Scripted, at: At) -> None:
    """A misspelt metric never looks healthy."""
    scripted.say("up 1\n")
    cursor = rate(scripted.url).collect(None, at(1.0)).cursor
    assert arms(rate(scripted.url).collect(cursor, at(2.0))) == (None, None)
    cursor = latency(scripted.url).collect(None, at(3.0)).cursor
    assert arms(latency(scripted.url).collect(cursor, at(4.0))) == (None, None)


def test_a_selector_that_never_finds_anything_bad_is_mentioned(scripted: Scripted, at: At) -> None:
    """A misspelt `bad` would show no error for ever; a person is told that it has found nothing yet."""
    scripted.say(page(new=(10, 5), old=(10, 5)))
    signal = rate(scripted.url, bad='requests_total{outcome="eror"}')
    assert "no series matches 'bad' so far" in signal.collect(None, at(1.0)).note


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": None}, "signal.url: missing"),
        ({"url": "127.0.0.1:8101/metrics"}, "signal.url: not a web address"),
        ({"url": "file:///etc/passwd"}, "signal.url: not a web address"),
        ({"url": "http://[::1"}, "signal.url: not a web address"),
        ({"url": "http://me:secret@host/metrics"}, "signal.url: a password"),
        ({"candidate": 2}, "signal.candidate: not a text: 2"),
        ({"candidate": "old"}, "signal.candidate: the same as 'baseline'"),
        ({"totl": "x"}, "signal.totl: a scrape signal has no such option"),
        ({"histogram": "x"}, "signal.histogram: a scrape signal has no such option"),
        ({"bad": 'requests_total{outcome="error}'}, "signal.bad, column 24: this quote is never closed"),
        ({"total": 'requests_total{variant="new"}'}, "signal.total: the selector already chooses 'variant'"),
        ({"timeout": 2}, "signal.timeout: write the unit too"),
        ({"timeout": "2h"}, "signal.timeout: must be more than 0s"),
    ],
)
def test_options_that_cannot_be_used_are_refused_with_their_place(
    change: dict[str, Any], message: str
) -> None:
    """Before anything is asked of the service, and naming the KPI and the option."""
    with pytest.raises(InputError) as caught:
        rate("http://127.0.0.1:1/metrics", **change)
    assert f"KPI 'errors', {message}" in caught.value.message
    assert "secret" not in str(caught.value)


def test_a_histogram_is_named_without_its_buckets() -> None:
    """The usual slip is answered with the name to write."""
    with pytest.raises(InputError) as caught:
        latency("http://127.0.0.1:1/metrics", "seconds_bucket")
    assert "write 'seconds'" in str(caught.value)


def test_a_near_miss_is_answered_with_the_right_name() -> None:
    """Somebody who writes `totl` is told `total`."""
    with pytest.raises(InputError) as caught:
        rate("http://127.0.0.1:1/metrics", totl="x")
    assert caught.value.hint == "did you mean 'total'?"


def test_it_is_found_by_its_name() -> None:
    """The signal comes through the same door as a plugin's."""
    (entry,) = importlib.metadata.entry_points(group="rollway.signals", name="scrape")
    assert entry.load() is ScrapeSignal


def test_the_start_time_is_found_on_a_real_page(
    registry: CollectorRegistry, metrics_url: str, at: At
) -> None:
    """The Prometheus client's own page carries it under the name that is looked for."""
    ProcessCollector(registry=registry)
    started = rate(metrics_url).collect(None, at(1.0)).cursor["started"]
    assert time.time() - 3600 < started <= time.time() + 5


def test_a_histogram_that_is_not_there_is_told_by_its_base_name(scripted: Scripted, at: At) -> None:
    """With the one that is meant; and one that is there is matched by its buckets."""
    lines = [f'seconds_bucket{{variant="{v}",le="{le}"}} 1' for v in ("old", "new") for le in ("1", "+Inf")]
    scripted.say("\n".join(lines) + "\n")
    assert latency(scripted.url).examine(at(1.0)).unmatched == ()
    unmatched = latency(scripted.url, "second").examine(at(2.0)).unmatched
    assert unmatched is not None
    assert [(one.option, one.told) for one in unmatched] == [
        ("histogram", "no metric is called second; did you mean seconds?")
    ]
