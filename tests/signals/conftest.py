"""Real web servers on loopback: the Prometheus client's own, and one that answers whatever it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from rollway.rollout.ports import Interval
from rollway.signals.scrape import ScrapeSignal
from support.native import NativePage
from support.native_shop import Shop, scraped
from support.prometheus import Prometheus

TEXT = "text/plain; version=0.0.4"


class Scripted(ThreadingHTTPServer):
    """Answers each request with `answer(handler)`; counts the requests."""

    daemon_threads = True
    answer: Callable[[BaseHTTPRequestHandler], None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/metrics"
        self.say("")

    def say(self, body: str | bytes, *, status: int = 200, kind: str = TEXT, **headers: str) -> None:
        data = body if isinstance(body, bytes) else body.encode()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.answer(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics_url(registry: CollectorRegistry) -> Iterator[str]:
    """The address at which the Prometheus client serves `registry`."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _forgotten_pages() -> Iterator[None]:
    yield
    ScrapeSignal.reader.close()


@pytest.fixture
def at() -> Callable[..., Interval]:
    """The question of one tick: `at(now)`, in the stage 'first' at a share of 10% unless told otherwise."""

    def ask(now: float, *, stage: str = "first", share: float = 0.1) -> Interval:
        return Interval(stage=stage, share=share, now=now)

    return ask


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that failed is left alone only for as long as the failure took."""
    monkeypatch.setattr("rollway.signals.pages.REST_SECONDS", 0.0)


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NativePage, Prometheus]]:
    """A page with native histograms, and a Prometheus that scrapes it. That takes five seconds to find whom
    to scrape, so all tests of a file share one page."""
    with scraped(tmp_path_factory.mktemp("prometheus")) as both:
        yield both


@pytest.fixture
def shop(
    scraping: tuple[NativePage, Prometheus], request: pytest.FixtureRequest, at: Callable[..., Interval]
) -> Shop:
    """A shop whose native durations carry the test's name."""
    return Shop(request.node.name.partition("[")[0], *scraping, at)
