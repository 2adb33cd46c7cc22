"""The OFREP endpoints behind a real server, asked by the published OpenFeature client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from starlette.applications import Starlette
from starlette.routing import Mount

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.flags import FlagBook, answer_one, exposure_definition
from rollway.store.tables import flag
from rollway.web.ofrep import LARGEST_BODY, ofrep_routes

FLAGS = "/ofrep/v1/evaluate/flags"
USER = EvaluationContext("user-1", {"plan": "pro"})
ENABLED = {"state": "ENABLED"}


def exposure(share: float) -> dict[str, Any]:
    return exposure_definition(
        key="new-reporting",
        candidate_variant="on",
        baseline_variant="off",
        variants={"on": True, "off": False},
        share=share,
        salt="new-reporting",
    )


def document(share: float = 0.5) -> dict[str, Any]:
    return {
        "flags": {
            "new-reporting": exposure(share),
            "bool": {**ENABLED, "variants": {"on": True, "off": False}, "defaultVariant": "on"},
            "text": {**ENABLED, "variants": {"hi": "hé", "bye": "bye"}, "defaultVariant": "hi"},
            "count": {**ENABLED, "variants": {"few": 3, "many": 300}, "defaultVariant": "few"},
            "price": {**ENABLED, "variants": {"low": 1, "high": 1.5}, "defaultVariant": "low"},
            "object": {**ENABLED, "variants": {"a": {"size": [1, 2]}}, "defaultVariant": "a"},
            "by/plan": {
                **ENABLED,
                "variants": {"pro": "P", "free": "F"},
                "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "pro", "free"]},
            },
            "broken": {**ENABLED, "variants": {"a": "A"}, "targeting": {"cat": ["b", {"var": "plan"}]}},
            "code": {**ENABLED, "variants": {"a": "A"}},
            "dark": {"state": "DISABLED", "variants": {"a": "A"}, "defaultVariant": "a"},
        }
    }


@dataclass
class Served:
    book: FlagBook
    url: str


@contextmanager
def serving(app: Any, book: FlagBook) -> Iterator[str]:
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        book.close()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    book = FlagBook(document())
    with serving(Starlette(routes=ofrep_routes(book)), book) as url:
        yield Served(book, url)


@pytest.fixture
def http(served: Served) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.url) as client:
        yield client


@contextmanager
def published_client(url: str, domain: str = "test") -> Iterator[OpenFeatureClient]:
    provider = OFREPProvider(url)
    api.set_provider_and_wait(provider, domain)
    try:
        yield api.get_client(domain)
    finally:
        provider.session.close()


@pytest.fixture
def client(served: Served) -> Iterator[OpenFeatureClient]:
    with published_client(served.url) as one:
        yield one


def test_the_published_client_gets_every_type(client: OpenFeatureClient) -> None:
    """A boolean, a text, an integer, a float that looks like an integer, and an object."""
    boolean = client.get_boolean_details("bool", False, USER)
    assert (boolean.value, boolean.variant, boolean.reason, boolean.error_code) == (
        True,
        "on",
        "STATIC",
        None,
    )
    assert client.get_string_value("text", "", USER) == "hé"
    assert client.get_integer_value("count", 0, USER) == 3
    price = client.get_float_details("price", 0.0, USER)
    assert (price.value, price.error_code) == (1.0, None)
    assert client.get_object_value("object", {}, USER) == {"size": [1, 2]}


def test_the_published_client_is_served_by_its_context(client: OpenFeatureClient) -> None:
    """A rule sees the attributes; a key with a slash in it finds its flag."""
    assert client.get_string_details("by/plan", "", USER).value == "P"
    assert client.get_string_details("by/plan", "", EvaluationContext("user-1", {"plan": "x"})).value == "F"


def test_the_published_client_understands_what_goes_wrong(client: OpenFeatureClient) -> None:
    """The caller's default comes with the right code: unknown flag, wrong type, a rule that fails."""
    unknown = client.get_boolean_details("new-reportin", True, USER)
    assert (unknown.value, unknown.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    assert 'no flag "new-reportin"' in (unknown.error_message or "")
    assert client.get_string_details("bool", "mine", USER).error_code == ErrorCode.TYPE_MISMATCH
    broken = client.get_string_details("broken", "mine", USER)
    assert (broken.value, broken.error_code) == ("mine", ErrorCode.GENERAL)
    assert '"bpro", which is no variant' in (broken.error_message or "")


@pytest.mark.parametrize("key", ["code", "dark"])
def test_the_published_client_keeps_its_own_default(client: OpenFeatureClient, key: str) -> None:
    """A flag that leaves the choice to the code, or is disabled, does not change the code's choice."""
    assert client.get_string_value(key, "mine", USER) == "mine"


def test_a_new_share_is_served_at_once(served: Served, client: OpenFeatureClient) -> None:
    """From nobody to everybody between two requests."""
    served.book.replace(document(0))
    assert client.get_boolean_value("new-reporting", True, USER) is False
    served.book.replace(document(1))
    assert client.get_boolean_value("new-reporting", False, USER) is True


def test_twenty_clients_at_once_are_each_answered_for_themselves(served: Served) -> None:
    """Twenty published clients, each for its own users, while the share changes under them."""
    users = [EvaluationContext(f"user-{number}") for number in range(400)]
    expected = {True, False}

    def ask(number: int) -> list[Any]:
        with published_client(served.url, f"client-{number}") as one:
            return [
                (details.value, details.error_code)
                for user in users[number::20]
                for details in [one.get_boolean_details("new-reporting", False, user)]
            ]

    with ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(ask, number) for number in range(20)]
        for share in (0.1, 0.5, 0.9):
            served.book.replace(document(share))
        answers = [answer for one in asking for answer in one.result()]
    assert len(answers) == 400
    assert {code for _, code in answers} == {None}
    assert {value for value, _ in answers} == expected


def test_all_flags_with_an_etag(served: Served, http: httpx2.Client) -> None:
    """200 with all flags, 304 for the same question, 200 again for another user or another definition."""
    ann, bob = {"context": {"targetingKey": "ann"}}, {"context": {"targetingKey": "bob"}}
    first = http.post(FLAGS, json=ann)
    assert first.status_code == 200
    assert {entry["key"] for entry in first.json()["flags"]} == set(document()["flags"])
    known = {"If-None-Match": first.headers["etag"]}
    again = http.post(FLAGS, json=ann, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert http.post(FLAGS, json=bob, headers=known).status_code == 200
    served.book.replace(document(0.6))
    assert http.post(FLAGS, json=ann, headers=known).status_code == 200


def test_a_page_of_another_origin_may_ask_and_read_the_etag(http: httpx2.Client) -> None:
    """Browsers ask beforehand whether they may, and hide headers that are not named."""
    origin = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Headers": "content-type,if-none-match",
    }
    asked = http.options(FLAGS, headers={**origin, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "if-none-match" in asked.headers["access-control-allow-headers"].lower()
    for path in (FLAGS, f"{FLAGS}/bool", f"{FLAGS}/nope"):
        answer = http.post(path, json={}, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "ETag"


def test_a_body_without_end_is_refused(http: httpx2.Client) -> None:
    """Above one MiB nothing more is read, and the error has OFREP's form."""
    answer = http.post(f"{FLAGS}/bool", content=b" " * (LARGEST_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["errorDetails"]


def test_a_bad_body_is_a_parse_error(http: httpx2.Client) -> None:
    """400 with the protocol's code."""
    answer = http.post(f"{FLAGS}/bool", content=b"{")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "PARSE_ERROR")


def test_other_methods_are_not_allowed(http: httpx2.Client) -> None:
    """Flags are asked for by POST only."""
    assert http.get(FLAGS).status_code == 405


class Listener:
    """Reads the stream of changes in a thread, and notes when each event came."""

    def __init__(self, url: str, last_event_id: str = "") -> None:
        self.events: list[tuple[float, dict[str, str]]] = []
        self.error: Exception | None = None
        self._url = url
        self._headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self.is_open = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            with httpx2.stream("GET", f"{self._url}/ofrep/v1/events", headers=self._headers) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                self.is_open.set()
                self._read(stream)
        except Exception as error:
            self.error = error

    def _read(self, stream: httpx2.Response) -> None:
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                self.events.append((time.monotonic(), fields))
                fields = {}
            if self._stop.is_set():
                return

    def wait_for(self, count: int, seconds: float = 5) -> None:
        deadline = time.monotonic() + seconds
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(self.events) >= count, self.events

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert self.error is None, self.error


def test_a_change_is_told_within_half_a_second(served: Served) -> None:
    """A client hears at once where it stands, and then of each change, soon enough for a rollback."""
    listener = Listener(served.url)
    listener.wait_for(1)
    for count, share in enumerate((0.7, 0.0), start=2):
        changed = time.monotonic()
        served.book.replace(document(share))
        listener.wait_for(count)
        at, event = listener.events[-1]
        assert at - changed < 0.5
        assert (event["event"], event["id"]) == ("message", served.book.version)
        assert json.loads(event["data"]) == {"type": "refetchEvaluation", "etag": f'"{served.book.version}"'}
    served.book.close()
    listener.join()


def test_a_client_that_comes_back_is_told_only_what_it_missed(served: Served) -> None:
    """With the id of its last event a client is left alone until something changes."""
    up_to_date = Listener(served.url, served.book.version)
    behind = Listener(served.url, "of long ago")
    behind.wait_for(1)
    assert up_to_date.is_open.wait(5)
    assert up_to_date.events == []
    served.book.replace(document(0.9))
    up_to_date.wait_for(1)
    behind.wait_for(2)
    served.book.close()
    up_to_date.join()
    behind.join()


def test_silence_is_filled(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies hang up on streams that say nothing; a comment is no event."""
    monkeypatch.setattr("rollway.web.ofrep.KEEP_ALIVE_EVERY", 0.1)
    listener = Listener(served.url, served.book.version)
    listener.wait_for(1)
    assert listener.events[0][1] == {"": "still here"}
    served.book.close()
    listener.join()


def test_a_stream_below_a_prefix_is_found() -> None:
    """Where the routes are mounted deeper, clients are sent to the stream that is there."""
    book = FlagBook(document())
    app = Starlette(routes=[Mount("/flags", routes=ofrep_routes(book))])
    with serving(app, book) as url:
        answer = httpx2.post(f"{url}/flags{FLAGS}", json={})
        (stream,) = answer.json()["eventStreams"]
        assert stream["endpoint"]["requestUri"] == "/flags/ofrep/v1/events"
        book.close()
        assert httpx2.get(url + stream["endpoint"]["requestUri"]).status_code == 200


# --- from the database ----------------------------------------------------------------------------


def test_a_server_starts_and_serves_beside_a_broken_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One row that is no JSON is left out and told once; the others are answered, and go on changing."""
    rollway = Rollway(tmp_path)
    for key in ("oops", "new-reporting"):
        rollway.flags.write(key, exposure(1.0), owner="r", fence=1)
    with rollway.engine.begin() as connection:
        connection.execute(sa.update(flag).where(flag.c.key == "oops").values(definition="{oops"))
    runtime = Runtime(rollway)
    runtime.start()
    try:
        assert json.loads(answer_one(runtime.book, "new-reporting", b"{}", 0).body)["value"] is True
        assert answer_one(runtime.book, "oops", b"{}", 0).status == 404
        rollway.flags.write("new-reporting", exposure(0.0), owner="r", fence=2)
        assert json.loads(answer_one(runtime.book, "new-reporting", b"{}", 0).body)["value"] is False
        assert [one.name for one in caplog.records if "cannot be served" in one.message] == [
            "rollway.runtime"
        ]
        rollway.flags.write("oops", exposure(1.0), owner="r", fence=2)
        assert answer_one(runtime.book, "oops", b"{}", 0).status == 200
    finally:
        runtime.stop()
        rollway.close()
