"""A program that runs beside us: found or installed, started, waited for, stopped; it ends when we end."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

_PARENT_DEATH_SIGNAL = 1
_STOP_WITHIN = 5.0


class NotInstalledError(Exception):
    """A program that is needed is not there; the message says how to get it."""


@cache
def installed(package: str, pattern: str) -> Path:
    """The newest file below /usr that matches; its Debian package is installed first where we may.

    Raises NotInstalledError where it is not there and only root could install it.
    """
    found = sorted(Path("/usr").glob(pattern))
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False, capture_output=True)
        found = sorted(Path("/usr").glob(pattern))
    if not found:
        raise NotInstalledError(f"{package} is not installed; try: sudo apt-get install {package}")
    return found[-1]


def wait_until(is_so: Callable[[], object], within: float = 10.0) -> None:
    """Return once it is so. Raises AssertionError where it is not within the time (seconds)."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


class Process:
    """One running program; what it says goes to `log`."""

    def __init__(
        self,
        command: Sequence[object],
        log: Path,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=None if environment is None else os.environ | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # no threads
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, is_ready: Callable[[], object], within: float = 30.0) -> None:
        """Return once it is ready. Raises RuntimeError with the end of its log where that does not come."""
        end = time.monotonic() + within
        while not is_ready():
            if not self.is_running or time.monotonic() > end:
                last = self._log.read_text(errors="replace").splitlines()[-8:]
                raise RuntimeError("\n".join([f"{self._process.args!r} did not come up", *last]))
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and insist after a while. The signal of a program that has no good end is SIGKILL."""
        if self.is_running:
            self._process.send_signal(number)
        try:
            self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)
