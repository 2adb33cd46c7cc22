"""For authors of targets: the promises that rollouts rely on, tried from a test of their own.

from rollway.testing import target_promises

def test_the_promises(tmp_path):
    broken = [p for p in target_promises(MyTarget, {"file": str(tmp_path / "share")}) if p.state == "broken"]
    assert not broken
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollway.app.conformance import Conformance, Promise
from rollway.rollout import Surroundings, Target, Written


class FlagsInMemory:
    """Flags for targets that are tried outside of Rollway; the last to write is right."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Mapping[str, Any]]] = {}

    def read(self, key: str) -> Mapping[str, Any] | None:
        kept = self._kept.get(key)
        return None if kept is None else kept[1]

    def write(self, key: str, definition: Mapping[str, Any], *, owner: str, fence: int) -> Written:
        kept = self._kept.get(key)
        if kept is not None and fence < kept[0]:
            return "fenced"
        self._kept[key] = fence, definition
        return "written"


def target_promises(
    make: Callable[[Mapping[str, Any], Surroundings], Target],
    options: Mapping[str, Any],
    *,
    around: Surroundings | None = None,
    move_traffic: bool = True,
    within: float = 10.0,
) -> tuple[Promise, ...]:
    """Each promise of a target, with whether it was kept.

    `make` is the target's class, `options` those of a target that may be moved freely; with
    `move_traffic=False` only what moves nothing is tried. `within` seconds each share may take to be read
    back. Raises InputError where the target cannot be made from these options.
    """
    from rollway.app.connectors import make_target

    here = around or Surroundings(rollout="promises", flags=FlagsInMemory(), make=make_target)
    return Conformance(lambda given: make(given, here), options, within=within).run(move=move_traffic)


__all__ = ["FlagsInMemory", "Promise", "target_promises"]
