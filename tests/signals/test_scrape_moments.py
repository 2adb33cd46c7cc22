"""One page for all KPIs of a moment, and whose clock an interval is of."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest

from rollway.judge import Counts
from rollway.judge import Histogram as Durations
from support.scraping import At, Scripted, arms, hang, latency, page, rate


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
    time.sleep(0.5)

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
    time.sleep(0.5)
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
