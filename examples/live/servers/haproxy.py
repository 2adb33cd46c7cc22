"""A real HAProxy in a folder of its own: `haproxy.cfg` beside this file, on free ports."""

from __future__ import annotations

import os
from pathlib import Path

from examples.live.servers.places import Places
from examples.live.servers.process import Process, installed
from examples.live.servers.reached import answers_at

CONFIGURATION = Path(__file__).with_suffix(".cfg")
TILLS = CONFIGURATION.with_name("haproxy-tills.cfg")


class Haproxy:
    """`port` takes users' requests; `socket` is the runtime API."""

    def __init__(self, places: Places, text: str | None = None) -> None:
        """`text` is a configuration in the place of the one beside this file."""
        self.folder, self.port = places.folder, places.ports["front"]
        # Both sides name the socket from where they stand: its path must be short, the folder may be deep.
        self.socket = Path(os.path.relpath(self.folder / "admin.sock"))
        text = CONFIGURATION.read_text(encoding="utf-8") if text is None else text
        (self.folder / "haproxy.cfg").write_text(places.put(text))
        (self.folder / "state").touch()
        self.start()

    @staticmethod
    def requires() -> Path:
        """The program. Raises NotInstalledError where it is not there and cannot be installed."""
        return installed("haproxy", "sbin/haproxy")

    def start(self) -> None:
        command = [self.requires(), "-db", "-f", self.folder / "haproxy.cfg"]
        self._process = Process(command, self.folder / "haproxy.log", folder=self.folder)
        self._process.wait_until(lambda: answers_at(self.port))

    def stop(self) -> None:
        self._process.stop()


class HaproxyByTill(Haproxy):
    """Sends each shop to the version that `tills.map` names for it: `haproxy-tills.cfg` beside this file."""

    def __init__(self, places: Places, shops: int = 12) -> None:
        lines = (f"shop-{number} 1.0\n" for number in range(1, shops + 1))
        (places.folder / "tills.map").write_text("".join(lines))
        super().__init__(places, TILLS.read_text(encoding="utf-8"))
