"""Real servers for tests: found where they are installed, installed where that is allowed, else skipped."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from examples.live import servers
from examples.live.servers import NotInstalledError, free_port


@contextmanager
def or_skipped() -> Iterator[None]:
    """A block that needs a program which may not be there."""
    try:
        yield
    except NotInstalledError as error:
        pytest.skip(str(error))


def installed(package: str, pattern: str) -> Path:
    """The newest file below /usr that matches; its Debian package is installed first where we may."""
    with or_skipped():
        return servers.installed(package, pattern)


class PostgresServer:
    """A PostgreSQL server in a folder of its own, not yet started.

    `url` is its empty database, `data` its data folder; `start` and `stop` may be called again and again.
    """

    def __init__(self, folder: Path) -> None:
        binaries = installed("postgresql", "lib/postgresql/*/bin/postgres").parent
        port = free_port()
        self.url = f"postgresql+psycopg://rollway@127.0.0.1:{port}/postgres"
        self.data, self._log = folder / "data", folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        user = _server_user(folder)
        run = ["runuser", "-u", user, "--"] if user else []
        self._control = [*run, binaries / "pg_ctl", "-D", self.data, "-w", "-l", self._log]
        self._options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        made = ["-U", "rollway", "-A", "trust", "--no-sync"]
        subprocess.run([*run, binaries / "initdb", "-D", self.data, *made], check=True, capture_output=True)

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError with the end of its log if it does not."""
        done = self._run("-o", self._options, "start")
        if done.returncode:
            raise RuntimeError(f"PostgreSQL did not start: {done.stderr.decode()}{self.last_words()}")

    def stop(self) -> None:
        """Kill it, and every connection with it. Raises RuntimeError where it runs on."""
        self._run("-m", "immediate", "stop")
        if self._run("status").returncode == 0:
            raise RuntimeError(f"PostgreSQL does not stop: {self.last_words()}")

    def new_database(self) -> str:
        """The URL of another empty database. An error carries the end of the server's log."""
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                number = connection.scalar(sa.text("SELECT count(*) FROM pg_database"))
                name = f"test_{number}"
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
        except sa.exc.OperationalError as error:
            error.add_note(self.last_words())
            raise
        finally:
            engine.dispose()
        return sa.engine.make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def last_words(self, lines: int = 20) -> str:
        """Whether it runs, and the end of its log."""
        state = self._run("status").stdout.decode().partition("\n")[0]
        said = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join([state, f"--- the end of {self._log}", *said[-lines:]])

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*self._control, *words], check=False, capture_output=True)


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """A server that runs as long as the block."""
    server = PostgresServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _server_user(folder: Path) -> str:
    # PostgreSQL refuses to run as root, so it runs as the user of its package, who must reach the folder.
    if os.geteuid() != 0:
        return ""
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return "postgres"


__all__ = ["PostgresServer", "free_port", "installed", "or_skipped", "postgres"]
