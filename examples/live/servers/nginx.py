"""A real nginx in a folder of its own: `nginx.conf` beside this file, on free ports."""

from __future__ import annotations

import os
from pathlib import Path

from examples.live.servers.places import Places
from examples.live.servers.process import Process, installed
from examples.live.servers.reached import answers_at

CONFIGURATION = Path(__file__).with_suffix(".conf")
NOBODY = 'split_clients "$http_user" $web { * web_old; }\nmap "" $web_told { default "0"; }\n'
"""The file that Rollway writes, before it has: everybody is served by the old version."""
BY_TILL = (
    "map $http_site $web { default web_old; include /srv/shop/tills/*.conf; }\n"
    'map "" $web_told { default "0"; }\n'
)


class Nginx:
    """`port` takes users' requests, `file` is the split, `command` runs this nginx with more words."""

    def __init__(self, places: Places, text: str | None = None, split: str = NOBODY) -> None:
        """`text` is a configuration in the place of the one beside this file; `split` the first split."""
        self.folder, self.port = places.folder, places.ports["front"]
        self.file = self.folder / "rollway-web.conf"
        self.file.write_text(split)
        configuration = self.folder / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        text = CONFIGURATION.read_text(encoding="utf-8") if text is None else text
        configuration.write_text(user + places.put(text))
        self.command = [str(self.requires()), "-c", str(configuration)]
        self.start()

    @staticmethod
    def requires() -> Path:
        """The program. Raises NotInstalledError where it is not there and cannot be installed."""
        return installed("nginx-light", "sbin/nginx")

    def start(self) -> None:
        self._process = Process(self.command, self.folder / "nginx.log")
        self._process.wait_until(lambda: answers_at(self.port))

    def stop(self) -> None:
        self._process.stop()


class NginxByTill(Nginx):
    """Sends each shop to the version that a file of its own in `tills` names for it."""

    def __init__(self, places: Places) -> None:
        (places.folder / "tills").mkdir()
        super().__init__(places, split=places.put(BY_TILL))
