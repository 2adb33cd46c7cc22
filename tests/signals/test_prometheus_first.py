"""The first scrape of a service that has long been running: its past is not what happened since."""

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


def test_a_first_scrape_between_two_questions_is_not_a_burst_of_requests(
    scripted: Scripted, at: Callable[..., Interval]
) -> None:
    """Asked for the total it has nothing yet, asked for the bad ones it has been scraped; a second later ten
    more of each kind have come, and these are counted, not all that ever were."""
    asked: list[str] = []
    newest, more = SCRAPED, 0

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (query,) = parse_qs(urlsplit(handler.path).query)["query"]
        result = found(query, newest, more) if asked else []
        asked.append(query)
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    scripted.answer = answer
    options = {"arm_label": "version", "candidate": "v2", "baseline": "v1"}
    parts = {"total": TOTAL, "bad": TOTAL + '{code=~"5.."}'}
    signal = PrometheusSignal("errors", "rate", {"url": scripted.url, **options, **parts})
    cursor = signal.collect(None, at(SCRAPED + 0.5)).cursor
    newest, more = SCRAPED + 1, 10
    reading = signal.collect(cursor, at(SCRAPED + 1.5)).reading
    assert reading is not None
    assert (reading.baseline.trials, reading.baseline.bad) == (20, 10)
