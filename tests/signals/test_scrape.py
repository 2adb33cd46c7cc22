"""The scrape signal against real web servers: what it reads, and what it says when it cannot."""

from __future__ import annotations

import importlib.metadata
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from rollway.errors import InputError
from rollway.judge import Counts, Reading
from rollway.judge import Histogram as Durations
from rollway.rollout.ports import Collected, Interval
from rollway.signals.pages import Page, Trouble, parse_page
from rollway.signals.scrape import ScrapeSignal

At = Callable[..., Interval]
Scripted = Any  # a web server that answers what it is told; see conftest.py


def rate(url: str, /, **more: str) -> ScrapeSignal:
    options = {
        "url": url,
        "arm_label": "variant",
        "candidate": "new",
        "baseline": "old",
        "total": "requests_total",
        "bad": 'requests_total{outcome="error"}',
    }
    return ScrapeSignal("errors", "rate", {**options, **more})


def latency(url: str, histogram: str = "seconds", **more: str) -> ScrapeSignal:
    options = {"url": url, "arm_label": "variant", "candidate": "new", "baseline": "old"}
    return ScrapeSignal("latency", "latency", {**options, "histogram": histogram, **more})


def page(
    *, new: tuple[int, int] | None = None, old: tuple[int, int] | None = None, started: float = 0
) -> str:
    """A metrics page with (ok, error) counts per version."""
    lines = ["# TYPE requests_total counter"]
    for variant, counts in (("new", new), ("old", old)):
        for outcome, value in zip(("ok", "error"), counts or (), strict=False):
            lines.append(f'requests_total{{variant="{variant}",outcome="{outcome}"}} {value}')
    if started:
        lines.append(f"process_start_time_seconds {started}")
    return "\n".join(lines) + "\n"


def arms(collected: Collected) -> tuple[Any, Any]:
    assert collected.reading is not None
    assert collected.reading.problem is None, collected.note
    return collected.reading.candidate, collected.reading.baseline


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


# --- restarts -------------------------------------------------------------------------------------


def test_a_restart_without_a_start_time_makes_no_false_evidence(scripted: Scripted, at: At) -> None:
    """1200 requests with 24 errors (2%) after 1000 with 40 are not 200 with 24 (12%), in no arm's name."""
    signal = rate(scripted.url)
    scripted.say(page(new=(960, 40), old=(9000, 90)))
    cursor = signal.collect(None, at(1.0)).cursor
    scripted.say(page(new=(1176, 24), old=(9900, 99)))
    lost = signal.collect(cursor, at(2.0))
    assert lost.reading == Reading("errors", 1.0, 2.0, "first", 0.1, problem="implausible")
    assert 'outcome="error",variant="new"} fell from 40 to 24' in lost.note
    scripted.say(page(new=(1274, 26), old=(10800, 108)))
    after = signal.collect(lost.cursor, at(3.0))
    assert arms(after) == (Counts(100, 2), Counts(909, 9))
    assert after.reading is not None
    assert after.reading.start == 2.0


def test_an_error_that_was_forgotten_in_a_restart_counts_when_it_happens_again(
    scripted: Scripted, at: At
) -> None:
    """Its series is gone until then; it begins at zero, and costs no other interval."""
    signal = rate(scripted.url)
    scripted.say(page(new=(960, 40), old=(9000, 90)))
    cursor = signal.collect(None, at(1.0)).cursor
    scripted.say(page(new=(5,), old=(30,)))  # type: ignore[arg-type]
    lost = signal.collect(cursor, at(2.0))
    assert lost.reading is not None
    assert lost.reading.problem == "implausible"
    scripted.say(page(new=(9, 2), old=(60,)))  # type: ignore[arg-type]
    kept = json.loads(json.dumps(lost.cursor))
    assert arms(signal.collect(kept, at(3.0))) == (Counts(6, 2), Counts(30, 0))


def test_a_restarted_histogram_is_not_counted_either(scripted: Scripted, at: At) -> None:
    """The baseline's buckets fell, so the candidate's rise is doubtful too: the interval is dropped."""

    def durations(new: tuple[int, int], old: tuple[int, int]) -> str:
        return "".join(
            f'seconds_bucket{{variant="{name}",le="{bound}"}} {value}\n'
            for name, values in (("new", new), ("old", old))
            for bound, value in zip(("0.1", "+Inf"), values, strict=True)
        )

    signal = latency(scripted.url)
    scripted.say(durations((5, 10), (500, 1000)))
    cursor = signal.collect(None, at(1.0)).cursor
    scripted.say(durations((6, 12), (8, 20)))
    lost = signal.collect(cursor, at(2.0))
    assert lost.reading == Reading("latency", 1.0, 2.0, "first", 0.1, problem="implausible")
    scripted.say(durations((7, 14), (10, 25)))
    assert arms(signal.collect(lost.cursor, at(3.0))) == (
        Durations((0.1,), (1, 1)),
        Durations((0.1,), (2, 3)),
    )


def test_a_restart_shows_in_the_start_time_where_no_counter_fell(scripted: Scripted, at: At) -> None:
    """A rare error may soon be above its old count; the process's start time tells the truth."""
    signal = rate(scripted.url)
    scripted.say(page(new=(100, 1), old=(1000, 2), started=50.0))
    cursor = signal.collect(None, at(1000.0)).cursor
    scripted.say(page(new=(40, 4), old=(400, 5), started=1001.0))
    after = signal.collect(cursor, at(1030.0))
    assert arms(after) == (Counts(44, 4), Counts(405, 5))
    scripted.say(page(new=(41, 4), old=(400, 5), started=1001.0))
    assert arms(signal.collect(after.cursor, at(1031.0))) == (Counts(1, 0), Counts(0, 0))


def test_two_processes_behind_one_address_are_not_mixed_up(scripted: Scripted, at: At) -> None:
    """Their counters are no history of each other: the interval is dropped and the reason is told."""
    signal = rate(scripted.url)
    scripted.say(page(new=(100, 1), old=(1000, 2), started=500.0))
    cursor = signal.collect(None, at(1000.0)).cursor
    scripted.say(page(new=(90, 9), old=(900, 3), started=400.0))
    other = signal.collect(cursor, at(1001.0))
    assert other.reading is not None
    assert other.reading.problem == "implausible"
    assert "another process answers" in other.note
    scripted.say(page(new=(95, 9), old=(900, 3), started=400.0))
    assert arms(signal.collect(other.cursor, at(1002.0))) == (Counts(5, 0), Counts(0, 0))


def test_a_page_that_gathers_many_processes_has_no_start_of_its_own(scripted: Scripted, at: At) -> None:
    """Which of them began again, and with which counters, cannot be told: that interval is not counted."""
    both = 'process_start_time_seconds{instance="a"} 50\nprocess_start_time_seconds{instance="b"} 60\n'
    signal = rate(scripted.url)
    scripted.say(page(new=(100, 1), old=(1000, 2)) + both)
    cursor = signal.collect(None, at(1000.0)).cursor
    assert "started" not in cursor
    scripted.say(page(new=(3, 0), old=(1001, 2)) + both.replace(" 50", " 1000"))
    lost = signal.collect(cursor, at(1001.0))
    assert lost.reading is not None
    assert lost.reading.problem == "implausible"
    scripted.say(page(new=(5, 1), old=(1003, 2)) + both.replace(" 50", " 1000"))
    assert arms(signal.collect(lost.cursor, at(1002.0))) == (Counts(3, 1), Counts(2, 0))


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


# --- problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-3"])
def test_numbers_that_cannot_be_are_implausible(scripted: Scripted, at: At, value: str) -> None:
    """They are no evidence, and the next good page covers the gap."""
    signal = rate(scripted.url)
    scripted.say(page(new=(1, 0), old=(10, 0)))
    cursor = signal.collect(None, at(1.0)).cursor
    scripted.say(page(new=(2, 0), old=(20, 0)).replace(" 20\n", f" {value}\n"))
    odd = signal.collect(cursor, at(2.0))
    assert odd.reading == Reading("errors", 1.0, 2.0, "first", 0.1, problem="implausible")
    assert odd.cursor == cursor
    assert 'requests_total{outcome="ok",variant="old"} is' in odd.note
    scripted.say(page(new=(3, 0), old=(30, 1)))
    healed = signal.collect(odd.cursor, at(3.0))
    assert arms(healed) == (Counts(2, 0), Counts(21, 1))
    assert healed.reading is not None
    assert healed.reading.start == 1.0


def test_odd_numbers_of_somebody_else_do_not_matter(scripted: Scripted, at: At) -> None:
    """Only the series that were asked for are judged."""
    scripted.say(page(new=(1, 0), old=(10, 0)) + "temperature NaN\nbalance -7\n")
    assert arms(rate(scripted.url).collect({"at": 0.0, "counters": {}}, at(1.0))) == (
        Counts(1, 0),
        Counts(10, 0),
    )


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ('seconds_bucket{variant="new"} 1\n', "no number in its label 'le'"),
        ('seconds_bucket{variant="new",le="1"} 1\n', 'no bucket le="+Inf"'),
        ('seconds_bucket{variant="new",le="+Inf"} 1\n' * 2, "on the page twice"),
    ],
)
def test_a_broken_histogram_is_implausible(scripted: Scripted, at: At, broken: str, problem: str) -> None:
    """It is said what is broken."""
    scripted.say(broken)
    answer = latency(scripted.url).collect({"at": 0.0, "counters": {}}, at(1.0))
    assert answer.reading is not None
    assert answer.reading.problem == "implausible"
    assert problem in answer.note


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b"#")
            time.sleep(0.05)
    except OSError:
        return


def endlessly(handler: BaseHTTPRequestHandler) -> None:
    """Send a page that has no end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b"# nothing to see here\n" * 5000)
    except OSError:
        return


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read1(1)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "an error": ({"body": "oops", "status": 500}, "answered with status 500"),
    "a move": ({"body": "", "status": 302, "Location": "/elsewhere"}, "answered with status 302"),
    "html": ({"body": "<html><body>Sign in</body></html>"}, "no metrics page"),
    "half a line": ({"body": 'requests_total{variant="new",outc'}, "no metrics page"),
    "no text": ({"body": b"\xff\xfe\x00"}, "no metrics page"),
    "compressed": ({"body": b"\x1f\x8b", "Content_Encoding": "gzip"}, "compressed"),
}
DONE: dict[str, tuple[Callable[[BaseHTTPRequestHandler], None], str]] = {
    "hangs": (hang, "did not answer within 0.2 s"),
    "hangs up": (hang_up, "did not answer"),
    "drips": (slowly, "did not answer within 0.2 s"),
    "never ends": (endlessly, "more than 8 MiB"),
}


@pytest.mark.parametrize("case", [*SAID, *DONE])
def test_a_source_that_is_down_changes_nothing(scripted: Scripted, at: At, no_rest: None, case: str) -> None:
    """No number, no exception, the cursor stays, and a sentence says why; soon after, it works again."""
    signal = rate(scripted.url, timeout="2s" if case == "never ends" else "0.2s")
    scripted.say(page(new=(1, 0), old=(10, 0)))
    cursor = signal.collect(None, at(1.0)).cursor
    if case in SAID:
        said, note = SAID[case]
        scripted.say(**said)
    else:
        scripted.answer, note = DONE[case]
    began = time.monotonic()
    down = signal.collect(cursor, at(2.0))
    assert time.monotonic() - began < 4
    assert down.reading == Reading("errors", 1.0, 2.0, "first", 0.1, problem="source_down")
    assert down.cursor == cursor
    assert note in down.note
    assert scripted.url in down.note
    scripted.say(page(new=(3, 1), old=(15, 0)))
    # It is left alone for as long as the failure took.
    time.sleep(time.monotonic() - began)
    healed = signal.collect(down.cursor, at(3.0))
    assert arms(healed) == (Counts(3, 1), Counts(5, 0))


def test_nobody_listening_is_a_source_that_is_down(at: At) -> None:
    """Before the very first page there is no cursor; the next call is the first one again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/metrics"
    down = rate(url).collect(None, at(5.0))
    assert down.reading == Reading("errors", 5.0, 5.0, "first", 0.1, problem="source_down")
    assert down.cursor == {}


def test_the_first_page_after_a_bad_start_sets_the_mark(scripted: Scripted, at: At, no_rest: None) -> None:
    """The history that was counted before the rollout is nobody's evidence."""
    scripted.say("", status=503)
    began = time.monotonic()
    down = rate(scripted.url).collect(None, at(1.0))
    time.sleep(time.monotonic() - began)
    scripted.say(page(new=(5, 5), old=(1000, 0)))
    first = rate(scripted.url).collect(down.cursor, at(2.0))
    assert first.reading is None
    scripted.say(page(new=(6, 5), old=(1000, 0)))
    assert arms(rate(scripted.url).collect(first.cursor, at(3.0))) == (Counts(1, 0), Counts(0, 0))


def test_a_connection_that_was_closed_in_between_is_opened_again(scripted: Scripted, at: At) -> None:
    """A kept connection that the server drops is no outage."""
    signal = rate(scripted.url)
    text = page(new=(1, 0), old=(10, 0))

    def answer_and_drop(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())
        handler.close_connection = True  # without having said so

    scripted.answer = answer_and_drop
    cursor = signal.collect(None, at(1.0)).cursor
    for now in (2.0, 3.0, 4.0):
        assert arms(signal.collect(cursor, at(now))) == (Counts(0, 0), Counts(0, 0))


def test_a_connection_that_breaks_as_it_is_used_again_is_no_outage(scripted: Scripted, at: At) -> None:
    """Server and client may give a kept connection up at the same moment; a new one is tried at once."""
    signal = rate(scripted.url)
    scripted.say(page(new=(1, 0), old=(10, 0)))
    answer = scripted.answer
    cursor = signal.collect(None, at(1.0)).cursor

    def hang_up_once(handler: BaseHTTPRequestHandler) -> None:
        scripted.answer = answer
        handler.close_connection = True

    scripted.answer = hang_up_once
    assert arms(signal.collect(cursor, at(2.0))) == (Counts(0, 0), Counts(0, 0))
    assert scripted.requests == 3


@given(st.binary(max_size=200) | st.text(alphabet='ab_1{}"=,\\ #\nTYPEHLcounter.+-NI\t', max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader(raw: bytes | str) -> None:
    """Whatever a server says is a page or a trouble, never a traceback."""
    body = raw if isinstance(raw, bytes) else raw.encode()
    for kind in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        assert isinstance(parse_page(body, content_type=kind, where="here"), Page | Trouble)


# --- one page for one moment ----------------------------------------------------------------------


def test_kpis_of_one_moment_share_one_page(scripted: Scripted, at: At) -> None:
    """Several KPIs, asked at once by several threads, cost one request and see the same numbers."""
    lines = 'seconds_bucket{variant="new",le="1"} 6\nseconds_bucket{variant="new",le="+Inf"} 6\n'
    scripted.say(page(new=(5, 1), old=(10, 0)) + lines)
    signals = [rate(scripted.url), latency(scripted.url)] * 4
    before = {"at": 0.0, "counters": {}}
    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(lambda one: one.collect(before, at(1.0)).reading, signals))
    assert scripted.requests == 1
    assert readings[0].candidate == Counts(6, 1)
    assert readings[1].candidate == Durations((1.0,), (6, 0))
    signals[0].collect(before, at(2.0))
    assert scripted.requests == 2


def test_a_service_that_hangs_is_waited_for_once(scripted: Scripted, at: At) -> None:
    """Five KPIs of one dead service cost one timeout, not five, whatever moment they ask about."""
    scripted.answer = hang
    began = time.monotonic()
    for moment in range(5):
        down = rate(scripted.url, timeout="0.5s").collect(None, at(float(moment)))
        assert down.reading is not None
        assert "did not answer within 0.5 s" in down.note
    assert time.monotonic() - began < 1.5
    assert scripted.requests == 1


def test_rollouts_that_ask_at_once_do_not_queue(scripted: Scripted, at: At) -> None:
    """Eight callers with moments of their own wait one timeout together, not one after the other."""
    scripted.answer = hang
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda now: rate(scripted.url, timeout="0.5s").collect(None, at(now)), range(8))
        )
    assert time.monotonic() - began < 2
    assert all(one.reading is not None and one.reading.problem == "source_down" for one in found)


def test_while_one_asks_a_failing_source_again_the_others_have_their_answer(
    scripted: Scripted, at: At, no_rest: None
) -> None:
    """One worker at a time finds out whether it is back; nobody waits behind it."""
    released = threading.Event()
    scripted.say("", status=503)
    rate(scripted.url).collect(None, at(1.0))
    time.sleep(0.2)

    def hold(handler: BaseHTTPRequestHandler) -> None:
        released.wait(10)
        handler.close_connection = True

    scripted.answer = hold
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(rate(scripted.url).collect, None, at(2.0))
        deadline = time.monotonic() + 5
        while scripted.requests < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        began = time.monotonic()
        for moment in (2.0, 3.0, 4.0):
            assert "answered with status 503" in rate(scripted.url).collect(None, at(moment)).note
        assert time.monotonic() - began < 0.5
        assert not asking.done()
        released.set()


def test_a_source_that_is_back_is_read_at_once_at_every_moment(
    scripted: Scripted, at: At, no_rest: None
) -> None:
    """A failure is forgotten with the first good page."""
    scripted.say("", status=503)
    rate(scripted.url).collect(None, at(1.0))
    time.sleep(0.2)
    scripted.say(page(new=(1, 0), old=(10, 0)))
    for moment in (2.0, 3.0, 4.0):
        assert rate(scripted.url).collect(None, at(moment)).reading is None
    assert scripted.requests == 4


def test_moments_that_overlap_keep_their_pages(scripted: Scripted, at: At) -> None:
    """Two rollouts whose ticks interleave each see one page per tick."""
    scripted.say(page(new=(1, 0), old=(10, 0)))
    for moment in (1.0, 2.0, 1.0, 2.0):
        rate(scripted.url).collect(None, at(moment))
    assert scripted.requests == 2


def test_a_moment_that_comes_again_later_gets_a_new_page(
    scripted: Scripted, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is shared within a tick; it is never handed out once it is old."""
    monkeypatch.setattr("rollway.signals.pages.FRESH_SECONDS", 0.05)
    signal = rate(scripted.url)
    scripted.say(page(new=(1, 0), old=(10, 0)))
    cursor = signal.collect(None, at(1.0)).cursor
    time.sleep(0.06)
    scripted.say(page(new=(2, 0), old=(10, 0)))
    assert arms(signal.collect(cursor, at(1.0))) == (Counts(1, 0), Counts(0, 0))


def test_old_addresses_are_forgotten(scripted: Scripted, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest pages are kept, so a server that runs for months does not grow."""
    monkeypatch.setattr("rollway.signals.pages.KEPT_SOURCES", 1)
    for path in ("", "?other", ""):
        rate(scripted.url + path).collect(None, at(1.0))
    assert scripted.requests == 3


def test_a_clock_that_was_set_back_makes_no_negative_interval(scripted: Scripted, at: At) -> None:
    """The counts stay right; the interval is then without length."""
    signal = rate(scripted.url)
    scripted.say(page(new=(1, 0), old=(10, 0)))
    cursor = signal.collect(None, at(100.0)).cursor
    scripted.say(page(new=(2, 0), old=(20, 0)))
    back = signal.collect(cursor, at(40.0))
    assert arms(back) == (Counts(1, 0), Counts(10, 0))
    assert back.reading is not None
    assert (back.reading.start, back.reading.end) == (40.0, 40.0)


def test_an_interval_over_a_change_of_share_is_the_same_for_both_arms(scripted: Scripted, at: At) -> None:
    """What was served just before the change is counted for the arm that served it, in this interval."""
    errors, slow = rate(scripted.url), latency(scripted.url)
    scripted.say(page(new=(10, 0), old=(90, 0)))
    cursors = [signal.collect(None, at(1.0, share=0.1)).cursor for signal in (errors, slow)]
    scripted.say(page(new=(40, 0), old=(140, 0)) + 'seconds_bucket{variant="new",le="+Inf"} 30\n')
    readings = [
        signal.collect(cursor, at(2.0, stage="second", share=0.5)).reading
        for signal, cursor in zip((errors, slow), cursors, strict=True)
    ]
    assert {(one.start, one.end, one.stage, one.share) for one in readings if one} == {
        (1.0, 2.0, "second", 0.5)
    }
    assert readings[0] is not None
    assert (readings[0].candidate, readings[0].baseline) == (Counts(30, 0), Counts(50, 0))


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
