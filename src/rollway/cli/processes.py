"""Child processes that end with their parent, however it ends."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from rollway.errors import RollwayError

PR_SET_PDEATHSIG = 1
STOP_WITHIN = 5.0


def free_port(wanted: int = 0) -> int:
    """This port of loopback if nobody listens on it, else another one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RollwayError("no free port on 127.0.0.1")


class Child:
    """A running program; its output goes to a log file."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._handle: IO[bytes] = log.open("wb")
        self.process = subprocess.Popen(  # noqa: S603  # our own programs with our own arguments
            [sys.executable, *command],
            stdout=self._handle,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # no threads yet
        )

    def wait_until(self, is_ready: Callable[[], bool], *, within: float = 30.0) -> None:
        """Wait until the program answers. Raises RollwayError with the end of its log if it does not."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RollwayError(f"{self.name} stopped at once", details=self._last_words())
            if is_ready():
                return
            time.sleep(0.05)
        raise RollwayError(f"{self.name} did not answer within {within:.0f} s", details=self._last_words())

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end; insist after a while."""
        self.ask_to_stop()
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._handle.close()

    def _last_words(self) -> tuple[str, ...]:
        lines = self.log.read_text(errors="replace").splitlines()
        return tuple(f"  {line}" for line in lines[-8:])


class Children:
    """A context in which children live; leaving it ends them all."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.ask_to_stop()
        for child in self._children:
            child.stop()

    def start(self, name: str, *command: str) -> Child:
        child = Child(name, command, self._logs / f"{name.replace(' ', '-')}.log")
        self._children.append(child)
        return child


def _die_with_parent() -> None:
    # Also when the parent is killed and cannot clean up after itself.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
