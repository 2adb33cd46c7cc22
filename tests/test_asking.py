"""Asking others over HTTP: nobody keeps Rollway waiting, however slowly the answer comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rollway.asking import Asker
from rollway.errors import TemporaryError


@contextmanager
def dripping(pause: float, size: int) -> Iterator[str]:
    """The address of a server whose answer comes a byte at a time, with a pause (seconds) after each."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(size))
            self.end_headers()
            with suppress(OSError):
                for _ in range(size):
                    self.wfile.write(b"1")
                    self.wfile.flush()
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_answer_that_never_ends_is_given_up() -> None:
    """Each byte comes in time, the whole does not: after the timeout nobody waits for the rest."""
    with dripping(0.1, 1000) as url:
        began = time.monotonic()
        with pytest.raises(TemporaryError, match=r"did not end its answer within 0.4 s"):
            Asker(0.4).ask(url)
        assert time.monotonic() - began < 5


def test_an_answer_in_pieces_is_read_whole() -> None:
    """Slow, and within the time that is given for a whole answer."""
    with dripping(0.05, 12) as url:
        assert Asker(0.4, within=20).ask(url) == "1" * 12
