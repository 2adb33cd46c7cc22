"""Two versions of a service on loopback, as balancers meet them: each answers with its own name."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Version:
    """One running instance. `is_sick` makes its health check fail while it still answers."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name, self.is_sick = name, False
        self.seen: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        version = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                version.seen[self.path] += 1
                sick = version.is_sick and self.path == "/health"
                body = version.name.encode()
                self.send_response(503 if sick else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(body)  # a health check that has seen enough hangs up

            def log_message(self, *words: object) -> None:
                """Tests read what they ask for; a log would only be in the way."""

        return Handler


@contextmanager
def versions(*names: str) -> Iterator[list[Version]]:
    """Instances that run as long as the block, one for each name."""
    running = [Version(name) for name in names]
    try:
        yield running
    finally:
        for one in running:
            one.stop()


def answers(port: int, count: int, headers: dict[str, str] | None = None, path: str = "/") -> Counter[str]:
    """Who answered how many of `count` requests to a balancer, each over a connection of its own."""
    told: Counter[str] = Counter()
    for _ in range(count):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request("GET", path, headers=headers or {})
            answer = link.getresponse()
            told[answer.read().decode() if answer.status == 200 else str(answer.status)] += 1
        except OSError as error:
            told[type(error).__name__] += 1
        finally:
            link.close()
    return told


def wait_until(is_so: Callable[[], object], within: float = 10.0) -> None:
    """Return once it is so. Raises AssertionError where it is not within the time (seconds)."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)
