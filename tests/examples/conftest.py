"""The reporting example as it is run by hand: its own processes, and flags served over real OFREP."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rollway.flags import Answer, FlagBook, answer_one, exposure_definition

EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting"
FLAG = "new-reporting"


@pytest.fixture(scope="session")
def example() -> Path:
    return EXAMPLE


@pytest.fixture(scope="session")
def module() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the example by its name, as its scripts do."""
    before = set(sys.modules)
    sys.path.insert(0, str(EXAMPLE))
    yield importlib.import_module
    sys.path.remove(str(EXAMPLE))
    for name in set(sys.modules) - before:
        if str(EXAMPLE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class FlagServer(ThreadingHTTPServer):
    """Serves one flag over OFREP, evaluated by Rollway's own flags room."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ofrep)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.book = FlagBook()
        self.delay = 0.0

    def expose(self, share: float) -> None:
        definition = exposure_definition(
            key=FLAG,
            candidate_variant="new",
            baseline_variant="old",
            variants={"new": "new", "old": "old"},
            share=share,
            salt="test",
        )
        self.book.replace({"flags": {FLAG: definition}})

    def answer(self, path: str, body: bytes) -> Answer:
        time.sleep(self.delay)
        return answer_one(self.book, path.rsplit("/", 1)[1], body, time.time())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is what some tests are about."""


class _Ofrep(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FlagServer

    def do_POST(self) -> None:
        said = self.server.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(said.status)
        for name, value in said.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="session")
def flags() -> Iterator[FlagServer]:
    server = FlagServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Service:
    """A reporting service that runs in a process of its own."""

    def __init__(self, build: str, ofrep: str) -> None:
        arguments = ("--port=0", f"--ofrep={ofrep}", f"--build={build}", "--seed=1")
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE / "service.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert " on http://" in line, self.process.communicate()[1]
        self.url = line.split(" on ")[1].strip()

    def get(self, path: str) -> tuple[int, Message, bytes]:
        return self._send(urllib.request.Request(self.url + path))

    def post(self, path: str) -> tuple[int, Message, bytes]:
        return self._send(urllib.request.Request(self.url + path, method="POST"))

    def _send(self, request: urllib.request.Request) -> tuple[int, Message, bytes]:
        opener = urllib.request.build_opener(_KeepErrors)
        with opener.open(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it; gives the exit code and what it wrote to standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=8)
        return self.process.returncode, said


class _KeepErrors(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: Any, response: Any) -> Any:
        return response


@pytest.fixture(scope="session")
def services(flags: FlagServer) -> Iterator[dict[str, Service]]:
    """One service per build, and one ("alone") whose Rollway is not there."""
    with ExitStack() as stack:
        running = {build: Service(build, flags.url) for build in ("good", "errors", "latency")}
        running["alone"] = Service("good", "http://127.0.0.1:9")
        for service in running.values():
            stack.enter_context(service)
        for service in running.values():
            service.wait()
        yield running


@pytest.fixture
def one_more(flags: FlagServer) -> Iterator[Service]:
    """A service of the test's own, which it may end."""
    with Service("good", flags.url) as service:
        service.wait()
        yield service
