"""A real HAProxy in a folder of its own, in front of old and new instances."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.servers import free_port, installed
from support.versions import Version, answers, wait_until

_CONFIGURATION = """
global
    stats socket unix@admin.sock mode 600 level {level}
    server-state-file {folder}/state
    hard-stop-after 1s
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    load-server-state-from-file global
frontend front
    bind 127.0.0.1:{port}
    default_backend web
backend web
    balance roundrobin
    option httpchk GET /health
    {cookie}
    default-server inter 100ms rise 1 fall 1
{servers}
"""


class Haproxy:
    """`port` takes users' requests; `socket` the runtime API."""

    def __init__(
        self, folder: Path, servers: Sequence[tuple[str, Version, int]], *, level: str, cookie: bool
    ) -> None:
        self.folder, self.port = folder, free_port()
        # Both sides name the socket from where they stand: its path must be short, the folder may be deep.
        self.socket = Path(os.path.relpath(folder / "admin.sock"))
        lines = "\n".join(
            f"    server {name} 127.0.0.1:{one.port} check weight {weight}"
            + (f" cookie {name}" if cookie else "")
            for name, one, weight in servers
        )
        sticky = "cookie SERVER insert indirect nocache" if cookie else ""
        (folder / "haproxy.cfg").write_text(
            _CONFIGURATION.format(
                folder=folder,
                port=self.port,
                servers=lines,
                level=level,
                cookie=sticky,
            )
        )
        (folder / "state").touch()
        self.start()

    def start(self) -> None:
        binary = installed("haproxy", "sbin/haproxy")
        self._process = subprocess.Popen([binary, "-db", "-f", self.folder / "haproxy.cfg"], cwd=self.folder)
        wait_until(lambda: answers(self.port, 1).keys() - {"503", "ConnectionRefusedError"})

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)


@contextmanager
def haproxy(
    folder: Path, servers: Sequence[tuple[str, Version, int]], *, level: str = "admin", cookie: bool = False
) -> Iterator[Haproxy]:
    """HAProxy with these servers: name, instance, weight in its configuration."""
    running = Haproxy(folder, servers, level=level, cookie=cookie)
    try:
        yield running
    finally:
        running.stop()
