"""The sites target on shops, told and read back as the engine does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Served
from rollway.targets.sites import SitesTarget
from support.shops import Shops


def target(shops: Shops, rollout: str = "r-1", **more: Any) -> SitesTarget:
    return SitesTarget(shops.options(**more), Surroundings(rollout=rollout, flags=None))  # type: ignore[arg-type]


class Told:
    """A target that is told the same again and again, as the engine does until it is read back."""

    def __init__(self, target: SitesTarget) -> None:
        self.target = target
        self.fence = 0

    def until(
        self,
        share: float,
        groups: tuple[str, ...] = (),
        *,
        when: Callable[[Served], bool] | None = None,
        within: float = 30,
    ) -> Served:
        deadline = time.monotonic() + within
        while True:
            self.fence += 1
            self.target.apply(share, fence=self.fence, groups=groups)
            served = self.target.observe()
            is_there = abs(served.share - self.target.nearest(share)) < 1e-9
            if when(served) if when else is_there:
                return served
            assert time.monotonic() < deadline, served
            time.sleep(0.02)

    def rest(self) -> None:
        """Wait until no thread works any more."""
        deadline = time.monotonic() + 30
        while self.target._crew.is_at_work:
            assert time.monotonic() < deadline
            time.sleep(0.01)
