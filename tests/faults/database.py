"""A PostgreSQL server of a row's own, which can be away for a while, or hang."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import PostgresServer, postgres


class Postgres:
    """`url` is its empty database."""

    def __init__(self, server: PostgresServer) -> None:
        self.url = server.url
        self._server = server

    @contextmanager
    def away(self) -> Iterator[None]:
        """It is killed, and every connection with it; afterwards it is started again, and recovers."""
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Neither the server nor one of its backends moves: connections are taken, and nobody answers."""
        first = int((self._server.data / "postmaster.pid").read_text().splitlines()[0])
        told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, check=True)
        every = [first, *map(int, told.stdout.split())]
        for pid in every:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in every:
                os.kill(pid, signal.SIGCONT)


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A server in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="faults-pg-"))
    try:
        with postgres(folder) as server:
            yield Postgres(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
