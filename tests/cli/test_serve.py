"""`rollway serve` listens in a way that answers at once, and says what is wrong where it cannot."""

from __future__ import annotations

import socket

import pytest

from rollway.cli.serve import _listen
from rollway.errors import TemporaryError


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Every accepted connection sends small writes at once; else a kept one answers 40 ms late."""
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_said() -> None:
    """One message with the address and what to do, before anything was started."""
    with _listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TemporaryError, match=f"127.0.0.1:{port}"):
            _listen("127.0.0.1", port)
