"""A target that is a file: the share in it, with every promise kept; tests break one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from rollway.errors import TemporaryError
from rollway.rollout import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.fence import Fence
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.testing import Promise, target_promises


class Good:
    """A share in a file, with every promise kept. Options: `file`."""

    fences: ClassVar[dict[str, Fence]] = {}
    copies = 0.0

    def __init__(self, options: Mapping[str, Any], around: Surroundings) -> None:
        self.file = Path(Options(options, "good", {"file": "/srv/share"}).text("file"))

    @property
    def identity(self) -> str:
        return f"good:{self.file}"

    def nearest(self, share: float) -> float:
        return share

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        if not self.fences.setdefault(str(self.file), Fence()).is_late(fence):
            self.set(share)

    def set(self, share: float) -> None:
        self.file.write_text(repr(share))

    def observe(self) -> Served:
        try:
            return Served(float(self.file.read_text()))
        except (OSError, ValueError) as error:
            raise TemporaryError(f"{self.file} tells no share") from error

    def preflight(self) -> tuple[Check, ...]:
        return tried(self)


def promises_of(target: type[Good], folder: Path, start: str = "0.25") -> tuple[Promise, ...]:
    """What `rollway target check` finds of this target, with so much in its file."""
    (folder / "share").write_text(start)
    target.fences, target.copies = {}, 0.0
    return target_promises(target, {"file": str(folder / "share")}, within=0.3)
