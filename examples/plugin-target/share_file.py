"""A target for Rollway: the share of users who get the new version, in a file that your own program reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.files import put
from rollway.targets.options import Options
from rollway.targets.preflight import tried


class ShareFileTarget:
    """Options: `file`, which your program reads for each user; see which_version.py beside this."""

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        self.file = Path(Options(options, "share_file", {"file": "/srv/shop/share"}).text("file"))
        self.rollout = surroundings.rollout

    @property
    def identity(self) -> str:
        return f"share_file:{self.file}"

    def nearest(self, share: float) -> float:
        return round(share, 4)

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        if mirrored:
            raise TemporaryError("a file sends no copies of requests")
        last = self._read()
        if last.get("rollout") == self.rollout and fence < last["fence"]:
            return  # a delayed call must not undo a newer one, not even after a restart
        told = {"share": self.nearest(share), "rollout": self.rollout, "fence": fence}
        put(self.file, json.dumps(told) + "\n")

    def observe(self) -> Served:
        return Served(self._read()["share"])

    def preflight(self) -> tuple[Check, ...]:
        return tried(self, unchecked="a file cannot tell")

    def _read(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(self.file.read_text())
            return {**told, "share": float(told["share"])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TemporaryError(f"{self.file} tells no share: {error}", hint='write {"share": 0}') from error
