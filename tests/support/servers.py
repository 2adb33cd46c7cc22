"""Real servers for tests: found where they are installed, installed where that is allowed, else skipped."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own in this folder; yields its URL with an empty database."""
    binaries = installed("postgresql", "lib/postgresql/*/bin/postgres").parent
    data, port = folder / "data", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    user = _server_user(folder)
    run = ["runuser", "-u", user, "--"] if user else []
    subprocess.run(
        [*run, binaries / "initdb", "-D", data, "-U", "rollway", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
    )
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    control = [*run, binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True)
    try:
        yield f"postgresql+psycopg://rollway@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)


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


__all__ = ["free_port", "installed", "or_skipped", "postgres"]
