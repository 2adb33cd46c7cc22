"""Readings and metrics that are sent over real HTTP: who may, what is taken, and what is answered."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import httpx2
import pytest

from rollway.facts.model import SignalSpec
from rollway.rollout import tick
from rollway.rollout.pushed import Wanted
from support.stories import GATE, canary
from web.site import Site
from web.story import EVENING

NOW = EVENING.timestamp()
ROW = {"series": "tickets", "arm": "new", "time": NOW, "trials": 5, "bad": 1}


@pytest.fixture
def token(site: Site) -> str:
    return site.rollway.pushed.new_token("desk", "ana")[1]


def send(site: Site, token: str, rows: Any, key: str = "k1", **headers: str) -> httpx2.Response:
    head = {"authorization": f"Bearer {token}", "idempotency-key": key, **headers}
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return site.client.post("/api/v1/readings", content=body, headers=head)


def kept(site: Site) -> int:
    shelf = site.rollway.pushed
    return len(shelf.sent("desk", "tickets", Wanted(0.0, 0.0, 1e12, 0, shelf.newest("desk"))).rows)


def test_rows_are_taken_once(site: Site, token: str) -> None:
    """201 and how many; the same request again is 200, says so, and changes nothing."""
    first = send(site, token, [ROW, {**ROW, "arm": "old"}])
    assert (first.status_code, first.json()) == (201, {"source": "desk", "key": "k1", "taken": 2})
    again = send(site, token, [ROW, {**ROW, "arm": "old"}])
    assert (again.status_code, again.json()["taken"]) == (200, 0)
    assert "nothing was changed" in again.json()["told"]
    assert kept(site) == 2


def test_a_repetition_that_comes_days_later_is_still_one(site: Site, token: str) -> None:
    """Rows that are too old by now were good when they were taken."""
    send(site, token, [ROW])
    site.story.tick(site.story.start(), seconds=3 * 86_400)
    assert send(site, token, [ROW]).status_code == 200
    late = send(site, token, [ROW], key="k2")
    assert (late.status_code, "48 hours" in late.json()["details"][0]) == (400, True)


def test_a_bad_row_is_named_and_no_row_is_taken(site: Site, token: str) -> None:
    """The sender is told which row and why, and may send all of them again under the same key."""
    answer = send(site, token, [ROW, {**ROW, "bad": 9}])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["details"] == ["row 2: bad: 9 bad ones among 5 trials"]
    assert kept(site) == 0
    assert send(site, token, [ROW]).status_code == 201


def test_a_key_that_was_used_for_something_else_is_a_conflict(site: Site, token: str) -> None:
    """Else rows would be lost without a word."""
    send(site, token, [ROW])
    assert send(site, token, [{**ROW, "trials": 6}]).status_code == 409
    assert kept(site) == 1


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}"])
def test_without_a_valid_token_nothing_is_taken(site: Site, token: str, sent: str) -> None:
    """401 with the scheme that is wanted, for both addresses, before the body is looked at."""
    head = {"idempotency-key": "k1", **({"authorization": sent.format(token=token)} if sent else {})}
    for path in ("/api/v1/readings", "/v1/metrics"):
        answer = site.client.post(path, content=b"no json", headers=head)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "rollway tokens create" in answer.json()["hint"]
    assert kept(site) == 0


def test_a_revoked_token_is_refused_at_once(site: Site, token: str) -> None:
    """The next request does not come through."""
    assert send(site, token, [ROW]).status_code == 201
    site.rollway.pushed.revoke(1)
    assert send(site, token, [ROW], key="k2").status_code == 401


def test_a_token_speaks_for_its_own_source_only(site: Site, token: str) -> None:
    """A ticket desk cannot send what a survey should have said."""
    answer = send(site, token, [{**ROW, "source": "survey"}])
    assert (answer.status_code, answer.json()["details"][0].startswith("row 1: source")) == (400, True)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"\xff", {}, 400),
        (b"[]", {}, 400),
        (b" " * (2**20 + 1), {}, 413),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"content-encoding": "gzip"}, 413),
        (b"no gzip", {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"[]", mtime=0)[:-9], {"content-encoding": "gzip"}, 400),
        (b"[]", {"content-encoding": "br"}, 400),
        (b"[]", {"idempotency-key": ""}, 400),
        (b"[]", {"idempotency-key": "k" * 201}, 400),
    ],
)
def test_a_body_that_cannot_be_used_is_a_problem_and_no_crash(
    site: Site, token: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Too large (unpacked too), broken, empty, packed in an unknown way, or without a key."""
    answer = send(site, token, body, **headers)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_packed_body_is_unpacked(site: Site, token: str) -> None:
    """As many senders do."""
    packed = gzip.compress(json.dumps([ROW]).encode())
    assert send(site, token, packed, **{"content-encoding": "gzip"}).status_code == 201


@pytest.mark.parametrize(("bad", "became"), [(3, "done"), (30, "rolled_back")])
def test_a_rollout_is_carried_out_on_what_was_sent(
    site: Site, token: str, monkeypatch: pytest.MonkeyPatch, bad: int, became: str
) -> None:
    """Rows over HTTP, the real signal, the real flag: few errors carry it to the end, many take it back."""
    monkeypatch.setattr("rollway.app.connectors.entry_points", with_push)
    plan = canary(
        prepared_by="ana",
        guards=(TICKETS,),
        target={"type": "flag", "flag": "shop", "candidate": "b", "baseline": "a"},
    )
    rollout = site.story.start(plan)
    rollway, share = site.rollway, 0.0
    for n in range(80):
        loaded = rollway.load(rollout)
        if loaded.state.is_final:
            break
        share, at = loaded.state.served_share or 0.0, site.story.now.timestamp()
        arms = {
            "new": (round(1000 * share), round(bad * share)),
            "old": (round(1000 * (1 - share)), round(3 * (1 - share))),
        }
        rows = [
            {"series": "errors", "arm": arm, "time": at - 1, "trials": trials, "bad": faults}
            for arm, (trials, faults) in arms.items()
            if trials
        ]
        assert send(site, token, rows, key=f"round-{n}").status_code == 201
        site.story.now += timedelta(seconds=2)
        tick(
            rollout,
            loaded.seq,
            rollouts=rollway.rollouts,
            connectors=rollway.connectors,
            clock=lambda: site.story.now,
        )
    assert rollway.load(rollout).state.phase == became


TICKETS = GATE.model_copy(
    update={
        "signal": SignalSpec.model_validate(
            {"type": "push", "source": "desk", "candidate": "new", "baseline": "old", "delay": "0s"}
        )
    }
)


def with_push(**chosen: Any) -> list[EntryPoint]:
    """The push signal under its name, as its entry point gives it."""
    more = [EntryPoint("push", "rollway.signals.push:PushSignal", "rollway.signals")]
    return [*entry_points(**chosen), *(more if chosen["group"] == "rollway.signals" else [])]


# --- metrics --------------------------------------------------------------------------------------


def export(value: int, **more: Any) -> dict[str, Any]:
    point = {"timeUnixNano": str(int(NOW * 1e9)), "startTimeUnixNano": str(int(NOW * 1e9) - 10**9)}
    data = {"isMonotonic": True, "aggregationTemporality": 2, "dataPoints": [{**point, "asInt": str(value)}]}
    metric = {"name": "hits", "sum": {**data, **more}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


def post(site: Site, token: str, body: bytes, kind: str = "application/json") -> httpx2.Response:
    head = {"authorization": f"Bearer {token}", "content-type": kind}
    return site.client.post("/v1/metrics", content=body, headers=head)


def test_metrics_are_kept_as_counters(site: Site, token: str) -> None:
    """A repetition, as exporters send it when they heard no answer, changes nothing."""
    for _ in range(2):
        answer = post(site, token, json.dumps(export(7)).encode(), "application/json; charset=utf-8")
        assert (answer.status_code, answer.json()) == (200, {})
    (one,) = site.rollway.pushed.counters("desk", ["hits"])
    assert one.total == (7.0,)


def test_what_is_rejected_is_told_in_the_protocols_way(site: Site, token: str) -> None:
    """200 with a partial success: an exporter must not send it again."""
    body = json.dumps(export(7, aggregationTemporality=0)).encode()
    told = post(site, token, body).json()["partialSuccess"]
    assert told["rejectedDataPoints"] == "1"
    assert "temporality" in told["errorMessage"]


def test_protobuf_is_answered_in_protobuf(site: Site, token: str) -> None:
    """An empty message is an export with nothing in it, and its answer is empty."""
    answer = post(site, token, b"", "application/x-protobuf")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"[", "application/json"),
        (b"\xff", "application/x-protobuf"),
        (b"", "text/xml"),
    ],
)
def test_what_is_no_export_is_refused(site: Site, token: str, body: bytes, kind: str) -> None:
    """400: an exporter gives up, and says why in its log."""
    assert post(site, token, body, kind).status_code == 400
