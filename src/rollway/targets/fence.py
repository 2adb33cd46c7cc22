"""For targets that cannot remember themselves: a delayed call must not undo a newer one."""

from __future__ import annotations

from threading import Lock


class Fence:
    """Lets each number pass once it is at least as high as every number before; safe between threads."""

    def __init__(self) -> None:
        self._highest = -1
        self._lock = Lock()

    def is_late(self, number: int) -> bool:
        """Whether a call with this number comes after a newer one."""
        with self._lock:
            self._highest = max(self._highest, number)
            return number < self._highest
