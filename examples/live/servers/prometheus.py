"""A real Prometheus in a folder of its own: `prometheus.yml` beside this file, on free ports."""

from __future__ import annotations

import signal
from pathlib import Path

from examples.live.servers.places import Places
from examples.live.servers.process import Process, installed
from examples.live.servers.reached import status_at

CONFIGURATION = Path(__file__).with_suffix(".yml")


class Prometheus:
    """`url` is its address."""

    def __init__(self, places: Places, text: str | None = None, *, features: tuple[str, ...] = ()) -> None:
        """`text` is a configuration in the place of the one beside this file, `features` what to enable."""
        self.folder, self.url, self._port = (
            places.folder,
            places.url("prometheus"),
            places.ports["prometheus"],
        )
        self._features = features
        text = CONFIGURATION.read_text(encoding="utf-8") if text is None else text
        (self.folder / "prometheus.yml").write_text(places.put(text))
        self.start()

    @staticmethod
    def requires() -> Path:
        """The program. Raises NotInstalledError where it is not there and cannot be installed."""
        return installed("prometheus", "bin/prometheus")

    def start(self) -> None:
        command = [
            self.requires(),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=error",
            *(f"--enable-feature={feature}" for feature in self._features),
        ]
        self._process = Process(command, self.folder / "prometheus.log")
        self._process.wait_until(lambda: status_at(self._port, "/-/ready") == 200)

    def stop(self) -> None:
        # It would write out its store first, which nobody reads again.
        self._process.stop(signal.SIGKILL)
