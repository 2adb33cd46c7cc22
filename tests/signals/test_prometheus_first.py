"""What happened since the last look: neither a service's past at its first scrape, nor two lives as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from rollway.rollout.ports import Interval
from rollway.signals.prometheus import PrometheusSignal
from tests.signals.conftest import Scripted

TOTAL = "requests_total"
SCRAPED = 1_000.0


def found(query: str, at: float, more: int) -> list[dict[str, object]]:
    """What a server has of a service that has answered 90,000 requests, and of them 900 badly."""
    codes = {"503": 900 + more} if "5.." in query else {"200": 89_100 + more, "503": 900 + more}
    return [
        {
            "metric": {"__name__": TOTAL, "version": version, "code": code},
            "values": [[SCRAPED, str(count - more)], [at, str(count)]],
        }
        for version in ("v1", "v2")
        for code, count in codes.items()
    ]


def answers(scripted: Scripted, told: Callable[[str], list[dict[str, object]]]) -> list[str]:
    """Answer each question with what is `told`; returns the list of questions, which grows."""
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (query,) = parse_qs(urlsplit(handler.path).query)["query"]
        result = told(query)
        asked.append(query)
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    scripted.answer = answer
    return asked


def errors(scripted: Scripted) -> PrometheusSignal:
    options = {"arm_label": "version", "candidate": "v2", "baseline": "v1"}
    parts = {"total": TOTAL, "bad": TOTAL + '{code=~"5.."}'}
    return PrometheusSignal("errors", "rate", {"url": scripted.url, **options, **parts})


def test_a_first_scrape_between_two_questions_is_not_a_burst_of_requests(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """Asked for the total it has nothing yet, asked for the bad ones it has been scraped; a second later ten
    more of each kind have come, and these are counted, not all that ever were."""
    newest, more = SCRAPED, 0
    asked = answers(scripted, lambda query: found(query, newest, more) if asked else [])
    signal = errors(scripted)
    cursor = signal.collect(None, at(SCRAPED + 0.5)).cursor
    newest, more = SCRAPED + 1, 10
    reading = signal.collect(cursor, at(SCRAPED + 1.5)).reading
    assert reading is not None
    assert (reading.baseline.trials, reading.baseline.bad) == (20, 10)


def test_a_service_without_errors_costs_two_questions_a_look(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """Nothing bad after a total that is there is no race, and may stay so for ever."""
    asked = answers(scripted, lambda query: [] if "5.." in query else found(query, SCRAPED, 0)[::2])
    assert errors(scripted).collect(None, at(SCRAPED + 0.5)).cursor
    assert len(asked) == 2


def test_a_restart_between_two_looks_is_seen_though_it_is_ahead_of_its_past(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """A crash loop: from 40 to 5 and on to 60 within a minute. That is no rise of 20; it costs the interval,
    and what comes after counts."""
    seen: list[tuple[float, int]] = [(SCRAPED, 40)]

    def told(query: str) -> list[dict[str, object]]:
        return [
            {
                "metric": {"__name__": TOTAL, "version": version, "code": code},
                "values": [[time, str(count if version == "v2" else 40)] for time, count in seen],
            }
            for version in ("v1", "v2")
            for code in (("503",) if "5.." in query else ("200", "503"))
        ]

    answers(scripted, told)
    signal = errors(scripted)
    cursor = signal.collect(None, at(SCRAPED + 1)).cursor
    seen += [(SCRAPED + 15, 5), (SCRAPED + 30, 30), (SCRAPED + 45, 60)]
    lost = signal.collect(cursor, at(SCRAPED + 46))
    assert lost.reading is not None
    assert lost.reading.problem == "implausible"
    assert 'requests_total{code="200",version="v2"} fell between two looks' in lost.note
    seen.append((SCRAPED + 60, 70))
    reading = signal.collect(lost.cursor, at(SCRAPED + 61)).reading
    assert reading is not None
    assert (reading.candidate.trials, reading.candidate.bad) == (20, 10)


def test_the_end_of_the_only_series_of_errors_holds_nothing_up(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """The one instance that ever had an error was replaced: its series stays to be seen for five minutes, in
    which nothing bad was counted, and that is no silence."""
    newest = SCRAPED

    def told(query: str) -> list[dict[str, object]]:
        errors_, good = [(SCRAPED, 5)], [(SCRAPED, 100), *([(newest, 130)] if newest > SCRAPED else [])]
        return [
            {
                "metric": {"__name__": TOTAL, "version": version, "code": code},
                "values": [[time, str(count)] for time, count in times],
            }
            for version in ("v1", "v2")
            for code, times in (("503", errors_), ("200", good))
            if code == "503" or "5.." not in query
        ]

    answers(scripted, told)
    signal = errors(scripted)
    cursor = signal.collect(None, at(SCRAPED + 1)).cursor
    newest = SCRAPED + 15
    reading = signal.collect(cursor, at(SCRAPED + 16)).reading
    assert reading is not None
    assert (reading.end, reading.candidate.trials, reading.candidate.bad) == (SCRAPED + 15, 30, 0)


def test_what_was_scraped_between_two_questions_is_left_to_the_next_look(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """The bad ones are asked for last, and may be newer than the total: all is told as of the total."""
    seen = [(SCRAPED, 0)]

    def told(query: str) -> list[dict[str, object]]:
        known = seen if "5.." in query else seen[:-1] or seen
        return [
            {
                "metric": {"__name__": TOTAL, "version": version, "code": code},
                "values": [[time, str(100 + more)] for time, more in known],
            }
            for version in ("v1", "v2")
            for code in (("503",) if "5.." in query else ("200", "503"))
        ]

    answers(scripted, told)
    signal = errors(scripted)
    cursor = signal.collect(None, at(SCRAPED + 1)).cursor
    seen += [(SCRAPED + 15, 10), (SCRAPED + 30, 90)]
    reading = signal.collect(cursor, at(SCRAPED + 31)).reading
    assert reading is not None
    assert (reading.end, reading.candidate.trials, reading.candidate.bad) == (SCRAPED + 15, 20, 10)
