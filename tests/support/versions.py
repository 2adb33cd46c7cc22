"""Two versions of a service on loopback, as balancers meet them: each answers with its own name."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from examples.live.servers import wait_until


class Version:
    """One running instance. `is_sick` makes its health check fail while it still answers; `pages` are
    answers of some paths, `delay` the seconds before each answer but health checks."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name, self.is_sick, self.delay = name, False, 0.0
        self.pages: dict[str, str] = {}
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
                time.sleep(0.0 if self.path == "/health" else version.delay)
                body = version.pages.get(self.path, version.name).encode()
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


__all__ = ["Version", "answers", "versions", "wait_until"]
