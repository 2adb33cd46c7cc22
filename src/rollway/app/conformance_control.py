"""The promises of a target that samples control groups; of one that does not, that it tells none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from rollway.app.conformance_moves import SAME_SHARE, Moves, is_same, looked, percent, require, served_words
from rollway.errors import TemporaryError
from rollway.rollout import Target
from rollway.rollout.ports import samples_control
from rollway.rollout.serving import Served

LATE_SECONDS = 0.3
DRAWN = 0.01237
"""A first control group that no target has by counting in hundredths of a percent."""
GROWING = ((0.1, DRAWN), (0.1, 0.1), (0.34567, 0.34567), (0.5, 0.5))
"""The share and the control group, first one alone and then both, up to all users."""


@dataclass(frozen=True)
class ControlPromises:
    """What is tried of control groups. `anew` makes another instance of the target, as after a restart."""

    moves: Moves
    anew: Callable[[], Target]

    def of(self, target: Target) -> dict[str, Callable[[Target], str]]:
        """The promises by name, in the order in which they are tried: each begins where another ended."""
        if not samples_control(target):
            return {"control is told truly": self._none_is_told}
        return {
            "control is read back": self._is_drawn,
            "a restart keeps control": self._a_restart_tells_the_same,
            "preflight keeps control": self._preflight_changes_nothing,
            "late calls keep control": self._late_calls_change_nothing,
            "groups only grow": self._groups_only_grow,
            "control 0 is read back": self._shrinks_to_none,
        }

    def _none_is_told(self, _: Target) -> str:
        most = self.moves.most_control
        require(most == 0, f"it does not say samples_control, and tells a control group of {percent(most)}")
        return "it does not say that it samples control groups (samples_control): told none, it tells none"

    def _is_drawn(self, target: Target) -> str:
        """As in the first look at the old version: before anybody has the new one."""
        served = self.moves.reach(target, 0.0, control=DRAWN)
        return f"{percent(served.control)} before anybody has the new version"

    def _a_restart_tells_the_same(self, target: Target) -> str:
        here, anew = looked(target), looked(self.anew())
        require(is_same(here, anew), f"a new instance tells {served_words(anew)}, not {served_words(here)}")
        return f"a new instance tells {percent(anew.control)}"

    def _preflight_changes_nothing(self, target: Target) -> str:
        before = looked(target)
        self.anew().preflight()
        after = looked(target)
        told = f"it served {served_words(before)} before and {served_words(after)} after"
        require(is_same(before, after), told)
        return f"{percent(after.control)} as before"

    def _late_calls_change_nothing(self, target: Target) -> str:
        before = looked(target)
        with contextlib.suppress(TemporaryError):  # it may say so
            self.moves.tell(target, 0.0, control=0.5, late=5)
        time.sleep(LATE_SECONDS)
        after = looked(target)
        told = f"an older call turned {served_words(before)} into {served_words(after)}"
        require(is_same(before, after), told)
        return "an older call came and changed nothing"

    def _groups_only_grow(self, target: Target) -> str:
        """Who is in which group cannot be seen here; one that is drawn anew falls meanwhile, and that can."""
        self.moves.reach(target, 0.0, control=DRAWN)
        for share, control in GROWING:
            before = looked(target)

            def is_no_less(served: Served, before: Served = before) -> None:
                told = f"while it grew, {served_words(before)} fell to {served_words(served)}"
                require(served.share > before.share - SAME_SHARE, told)
                require(served.control > before.control - SAME_SHARE, told)

            self.moves.reach(target, share, control=control, seen=is_no_less)
        return f"to {served_words(looked(target))}, and at no look less"

    def _shrinks_to_none(self, target: Target) -> str:
        """Beyond a half as in a plan, to everyone; and back from the middle."""
        for share, control in ((0.75, 0.25), (1.0, 0.0), (0.1, 0.1), (0.0, 0.0)):
            self.moves.reach(target, share, control=control)
        return "told none any more, it tells none: with everyone, and back with nobody"
