"""TCP ports of loopback, taken by one process each: a port is its own until that process ends."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
import threading
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

RANGE = range(20_000, 32_000)
"""Below the ports that a kernel gives to connections: traffic cannot take one before its server has it."""


class NoFreePortError(Exception):
    """Every port of the range is taken or listened on."""


class Ports:
    """Gives each port once, among all processes that name the same register.

    The register is an empty file. Whoever takes port n holds a lock on its byte n, which ends with the
    process, however that ends, and which no child inherits. So a server may come up long after its port was
    chosen, and nobody else chooses the same meanwhile.
    """

    def __init__(self, register: Path, choice: Sequence[int] = RANGE) -> None:
        self._register, self._choice = register, choice
        self._taken = set[int]()
        self._one_at_a_time = threading.Lock()

    def take(self) -> int:
        """A port that nobody else is given while we live. Raises NoFreePortError where there is none."""
        with self._one_at_a_time:
            first = random.randrange(len(self._choice))
            for port in chain(self._choice[first:], self._choice[:first]):
                # Our own locks are no bar to us, so what we have given out is remembered too.
                if port not in self._taken and self._has_locked(port):
                    if _is_free(port):
                        self._taken.add(port)
                        return port
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, port)
        raise NoFreePortError(f"no port from {min(self._choice)} to {max(self._choice)} is free on 127.0.0.1")

    @cached_property
    def _file(self) -> int:
        # Opened once and never closed: closing any descriptor of this file would end all our locks on it.
        return os.open(self._register, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    def _has_locked(self, port: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            return False
        return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_OURS = Ports(Path(tempfile.gettempdir()) / f"rollway-ports-of-{os.getuid()}")


def free_port() -> int:
    """A TCP port of loopback on which nobody listens, and which no other process of this user is given."""
    return _OURS.take()
