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

import sqlalchemy as sa

from examples.live.servers import installed
from tests.support.servers import postgres


class Postgres:
    """`url` is its empty database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self._data = folder / "data"
        port = sa.engine.make_url(url).port
        self._options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        binaries = installed("postgresql", "lib/postgresql/*/bin/postgres").parent
        self._control = [*user, binaries / "pg_ctl", "-D", self._data, "-w", "-l", folder / "log"]

    @contextmanager
    def away(self) -> Iterator[None]:
        """It is killed, and every connection with it; afterwards it is started again, and recovers."""
        subprocess.run([*self._control, "-m", "immediate", "stop"], check=True, capture_output=True)
        try:
            yield
        finally:
            start = [*self._control, "-o", self._options, "start"]
            subprocess.run(start, check=True, capture_output=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Neither the server nor one of its backends moves: connections are taken, and nobody answers."""
        first = int((self._data / "postmaster.pid").read_text().splitlines()[0])
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
        with postgres(folder) as url:
            yield Postgres(folder, url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
