"""The webhook target speaks to a real service over HTTP: signed, idempotent, and read back."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Served
from rollway.targets.webhook import WebhookTarget


class Service:
    """Keeps a share as it is told. `fails` is how many of the next requests are answered with 503."""

    def __init__(self) -> None:
        self.share: Any = 0.0
        self.fails = 0
        self.told: list[tuple[dict[str, str], bytes]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(json.dumps({"share": service.share, "candidate_ready": True}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                service.told.append((dict(self.headers), body))
                if service.fails:
                    service.fails -= 1
                    self.send_error(503)
                    return
                service.share = json.loads(body)["share"]
                self._answer("{}")

            def _answer(self, text: str) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *words: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/share"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def target(self, **options: Any) -> WebhookTarget:
        given = {"url": self.url, "observe": self.url, **options}
        return WebhookTarget(given, Surroundings(rollout="r-1", flags=None))  # type: ignore[arg-type]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.stop()


def test_the_service_is_told_the_whole_share_and_tells_it_back(service: Service) -> None:
    """Absolute, with who asks and the number that orders calls."""
    service.target().apply(0.1, fence=7)
    assert json.loads(service.told[0][1]) == {
        "rollout": "r-1",
        "share": 0.1,
        "percent": 10.0,
        "mirrored": 0.0,
        "fence": 7,
    }
    assert service.target().observe() == Served(0.1, candidate_ready=True)


def test_each_try_of_one_step_carries_the_same_key(service: Service) -> None:
    """A service that acts on each key once does nothing twice."""
    service.fails = 1
    service.target().apply(0.5, fence=3)
    assert [headers["Idempotency-Key"] for headers, _ in service.told] == ["r-1:3:0.5", "r-1:3:0.5"]
    assert service.share == 0.5


def test_a_service_that_keeps_failing_is_told(service: Service) -> None:
    """After its tries the target says what was answered."""
    service.fails = 9
    with pytest.raises(TemporaryError, match="status 503"):
        service.target(retries=1).apply(0.5, fence=3)
    assert len(service.told) == 2


def test_what_is_said_is_signed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shared secret the service can prove who spoke, and when."""
    monkeypatch.setenv("TILL_SECRET", "s3cret")
    service.target(secret_env="TILL_SECRET").apply(0.1, fence=1)
    headers, body = service.told[0]
    expected = hmac.new(
        b"s3cret", headers["Rollway-Timestamp"].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    assert headers["Rollway-Signature"] == f"sha256={expected}"


def test_a_secret_that_is_not_there_stops_before_anything_is_said(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsigned words are worse than none; the variable is named."""
    monkeypatch.delenv("TILL_SECRET", raising=False)
    with pytest.raises(TemporaryError, match="TILL_SECRET"):
        service.target(secret_env="TILL_SECRET").apply(0.1, fence=1)
    assert not service.told


def test_a_preflight_changes_nothing(service: Service) -> None:
    """The present share is told once more; readiness is as the service says."""
    service.share = 0.25
    assert {check.name: check.state for check in service.target().preflight()} == {
        "reachable": "ok",
        "candidate ready": "ok",
        "baseline ready": "unknown",
        "way back": "ok",
    }
    assert service.share == 0.25


def test_a_service_that_tells_no_share_is_never_taken_to_serve_nobody(service: Service) -> None:
    """Null, or a text, is an error and not zero."""
    for share in (None, "0.1", 7):
        service.share = share
        with pytest.raises(TemporaryError):
            service.target().observe()


def test_an_address_that_is_none_is_named(service: Service) -> None:
    """A slip in the release file is told when the target is made."""
    with pytest.raises(InputError, match=r"target\.url"):
        service.target(url="deploy.example.com")
