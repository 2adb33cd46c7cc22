"""The http signal asks a real service for what happened between two moments, and believes only rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rollway.errors import InputError
from rollway.judge import Counts
from rollway.rollout.ports import Interval
from rollway.signals.http import HttpSignal

Ask = Callable[..., Interval]
ARMS = {"candidate": "new", "baseline": "old"}


def signal(server: Any, **options: Any) -> HttpSignal:
    given = {"url": f"{server.url}?from={{start_epoch}}&to={{end_epoch}}", **ARMS, **options}
    return HttpSignal("tickets", "rate", given)


def test_the_time_since_the_last_answer_is_asked_for(scripted: Any, at: Ask) -> None:
    """The first look only begins; then each moment is asked about once."""
    asked: list[dict[str, list[str]]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(parse_qs(urlsplit(handler.path).query))
        body = json.dumps([{"arm": "new", "trials": 5, "bad": 1}]).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    scripted.answer = answer
    one = signal(scripted)
    begun = one.collect(None, at(100.0))
    first = one.collect(begun.cursor, at(110.0))
    one.collect(first.cursor, at(125.0))
    assert asked == [
        {"from": ["100.000000"], "to": ["110.000000"]},
        {"from": ["110.000000"], "to": ["125.000000"]},
    ]
    assert first.reading is not None
    assert (first.reading.candidate, first.reading.baseline) == (Counts(5, 1), Counts(0, 0))


def test_any_shape_of_answer_can_be_read(scripted: Any, at: Ask) -> None:
    """A JMESPath expression makes rows of what the service says."""
    scripted.say(json.dumps({"data": {"versions": [{"name": "new", "n": 40, "late": 3}]}}))
    one = signal(scripted, rows="data.versions[].{arm: name, trials: n, bad: late}")
    told = one.collect({"until": 100.0}, at(110.0)).reading
    assert told is not None
    assert told.candidate == Counts(40, 3)


def test_times_are_told_as_people_write_them_where_that_is_wanted(scripted: Any, at: Ask) -> None:
    """{start} is ISO 8601 with its offset, quoted for an address."""
    paths: list[str] = []
    scripted.answer = lambda handler: (paths.append(handler.path), handler.send_error(404))
    signal(scripted, url=f"{scripted.url}?since={{start}}&until={{end}}").collect({"until": 0.0}, at(60.0))
    assert "since=1970-01-01T00%3A00%3A00%2B00%3A00" in paths[0]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ("{}", 503, "source_down"),
        ("<html>", 200, "source_down"),
        ("null", 200, "implausible"),
        ('{"arm": "new"}', 200, "implausible"),
        ('[{"arm": "new", "trials": NaN, "bad": 0}]', 200, "implausible"),
        ('[{"arm": "new", "trials": 1e999, "bad": 0}]', 200, "implausible"),
    ],
)
def test_an_answer_that_cannot_be_used_is_no_evidence(
    scripted: Any, at: Ask, body: str, status: int, problem: str
) -> None:
    """Neither good nor bad is read out of it, and the time is asked for again."""
    scripted.say(body, status=status)
    collected = signal(scripted).collect({"until": 100.0}, at(110.0))
    assert collected.reading is not None
    assert (collected.reading.problem, collected.reading.candidate) == (problem, None)
    assert collected.cursor == {"until": 100.0}
    assert collected.note


def test_a_token_is_taken_from_the_environment(
    scripted: Any, at: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent as a bearer token; where it is missing the variable is named."""
    heard: list[str | None] = []
    scripted.answer = lambda handler: (
        heard.append(handler.headers["Authorization"]),
        handler.send_error(404),
    )
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    one = signal(scripted, token_env="DESK_TOKEN")
    assert "DESK_TOKEN" in one.collect({"until": 100.0}, at(110.0)).note
    monkeypatch.setenv("DESK_TOKEN", "t0ken")
    one.collect({"until": 100.0}, at(110.0))
    assert heard == ["Bearer t0ken"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "http://a/b"}, r"signal\.url: does not say which time"),
        ({"url": "a?{start}{end}"}, r"signal\.url: not a web address"),
        ({"rows": "versions[?"}, r"signal\.rows: not a JMESPath"),
        ({"query": "x"}, r"signal\.query"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, str], problem: str) -> None:
    """A slip in the release file is told when the signal is made."""
    with pytest.raises(InputError, match=problem):
        HttpSignal("tickets", "rate", {"url": "http://a?{start}{end}", **ARMS, **options})
