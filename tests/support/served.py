"""`rollway serve` as a real process that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from support.servers import free_port


class Served:
    """One `rollway serve` process on a database; it can be killed and started again."""

    def __init__(self, where: str, log: Path, *, worker: str = "") -> None:
        self.where, self.worker = where, worker
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log.open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "rollway", "--data", self.where, "serve", "--port", str(self.port)]
        worker = ["--worker", self.worker] if self.worker else []
        self.process = subprocess.Popen([*command, *worker], stdout=self._log, stderr=self._log)

    def wait_ready(self, within: float = 40) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except OSError:
                assert self.process is not None
                assert self.process.poll() is None, "rollway serve stopped"
                time.sleep(0.05)
        raise AssertionError("rollway serve did not answer")

    def kill(self) -> None:
        """kill -9: no goodbye."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()
