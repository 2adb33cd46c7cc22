"""A real Prometheus server in a folder of its own, which scrapes one page five times a second."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from support.servers import free_port, installed
from support.versions import wait_until

_CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: service
    metrics_path: {path}
    static_configs: [{{targets: ['{address}']}}]
"""


class Prometheus:
    """`url` is its address."""

    def __init__(self, folder: Path, page: str) -> None:
        self.folder, self._port = folder, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        parts = urlsplit(page)
        (folder / "prometheus.yml").write_text(_CONFIGURATION.format(path=parts.path, address=parts.netloc))
        self.start()

    def start(self) -> None:
        command = [
            installed("prometheus", "bin/prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=error",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._is_ready, within=30)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def prometheus(folder: Path, page: str) -> Iterator[Prometheus]:
    """Prometheus, which scrapes this page."""
    running = Prometheus(folder, page)
    try:
        yield running
    finally:
        running.stop()
