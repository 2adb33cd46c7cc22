"""Where everything is: the files name the usual addresses, a run takes free ones."""

from __future__ import annotations

import re
from pathlib import Path

from examples.live.servers.ports import free_port

FOLDER = "/srv/shop"
"""Where the files of an example say that they lie."""
PORTS = {
    "front": 8080,
    "old": 8081,
    "new": 8082,
    "rollway": 8100,
    "prometheus": 9090,
    "envoy": 9901,
}
"""The ports that the files name."""


class Places:
    """The addresses of one run. `ports[name]` is instead of `PORTS[name]`, `folder` instead of FOLDER."""

    def __init__(self, folder: Path, **ports: int) -> None:
        self.folder = folder
        self.ports = {name: ports.get(name) or free_port() for name in PORTS}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def put(self, text: str) -> str:
        """The text with the addresses of this run."""
        told = {str(usual): str(self.ports[name]) for name, usual in PORTS.items()}
        told[FOLDER] = str(self.folder)
        pattern = "|".join(rf"(?<!\d){re.escape(usual)}(?!\d)" for usual in told)
        return re.sub(pattern, lambda found: told[found[0]], text)

    def write(self, source: Path, name: str = "") -> Path:
        """A copy of a file in the folder of this run, with its addresses; keeps the mode of its source."""
        path = self.folder / (name or source.name)
        path.write_text(self.put(source.read_text(encoding="utf-8")), encoding="utf-8")
        path.chmod(source.stat().st_mode)
        return path
