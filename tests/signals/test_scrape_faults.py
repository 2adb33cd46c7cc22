"""The scrape signal where services restart, hang, go away, or answer what cannot be."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import Counts, Reading
from rollway.judge import Histogram as Durations
from rollway.signals.pages import Page, Trouble, parse_page
from support.scraping import At, Scripted, arms, hang, latency, page, rate

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


def test_a_histogram_that_began_again_without_a_fall_is_counted_on_after_a_minute(
    scripted: Scripted, at: At
) -> None:
    """Fifty slow requests, then sixty fast ones: no count fell, yet fast ones took the place of slow ones.
    A page that was half written is whole at the next look; what is not by then began again, and costs the
    interval instead of all that follows."""

    def durations(fast: int, both: int) -> str:
        return "".join(
            f'seconds_bucket{{variant="{name}",le="{bound}"}} {value}\n'
            for name in ("new", "old")
            for bound, value in (("0.1", fast), ("+Inf", both))
        )

    signal = latency(scripted.url)
    scripted.say(durations(0, 50))
    cursor = begun = signal.collect(None, at(1.0)).cursor
    for now, fast in ((11.0, 60), (41.0, 70)):
        scripted.say(durations(fast, fast))
        torn = signal.collect(cursor, at(now))
        assert torn.reading == Reading("latency", 1.0, now, "first", 0.1, problem="implausible")
        assert torn.cursor == cursor
    scripted.say(durations(3, 55))
    assert arms(signal.collect(begun, at(42.0)))[0] == Durations((0.1,), (3, 2))
    scripted.say(durations(80, 80))
    lost = signal.collect(cursor, at(61.0))
    assert lost.reading == Reading("latency", 1.0, 61.0, "first", 0.1, problem="implausible")
    assert "went back by itself" in lost.note
    scripted.say(durations(85, 86))
    assert arms(signal.collect(lost.cursor, at(71.0)))[0] == Durations((0.1,), (5, 1))


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
    "hangs": (hang, "did not answer within 1 s"),
    "hangs up": (hang_up, "did not answer"),
    "drips": (slowly, "did not answer within 1 s"),
    "never ends": (endlessly, "more than 8 MiB"),
}


@pytest.mark.parametrize("case", [*SAID, *DONE])
def test_a_source_that_is_down_changes_nothing(scripted: Scripted, at: At, no_rest: None, case: str) -> None:
    """No number, no exception, the cursor stays, and a sentence says why; soon after, it works again."""
    signal = rate(scripted.url, timeout="2s" if case == "never ends" else "1s")
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
