"""The protocols that signals and targets fill. rollout names none of them; they are found by entry point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rollway.judge import Reading

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """What a signal is asked about: the plan's stage and share, and the moment of asking (unix seconds)."""

    stage: str
    share: float
    now: float


@dataclass(frozen=True, slots=True)
class Collected:
    """A signal's answer: the new reading, and the cursor from which the next one starts.

    The reading is None only at the very first call, when there is nothing to subtract from. The cursor
    is plain JSON and is kept by the caller, so that a restart neither loses nor repeats an interval.
    """

    reading: Reading | None
    cursor: Cursor


class Signal(Protocol):
    """Where a KPI's numbers come from."""

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """Read the numbers since the cursor. Never raises for a source that is down: the reading then
        carries `problem="source_down"` and the cursor stays as it was."""
        ...


class Target(Protocol):
    """What can be told to expose the new version.

    `fence` rises with every tick of a rollout; a target that can remember refuses an older one, so that
    a delayed call never undoes a newer one.
    """

    def apply(self, share: float, *, fence: int) -> None:
        """Serve the new version to this share. Absolute and idempotent. Raises TemporaryError."""
        ...

    def observe(self) -> float:
        """The share that is served now, read back from the target itself. Raises TemporaryError."""
        ...


class FlagShelf(Protocol):
    """What the flag target needs of the flags that Rollway serves itself."""

    def read(self, key: str) -> Mapping[str, Any] | None:
        """The flag's definition (flagd format), or None where there is none."""
        ...

    def write(self, key: str, definition: Mapping[str, Any], *, owner: str, fence: int) -> bool:
        """Store the definition; False where another owner holds it or a newer fence was seen."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a signal or a target is given besides its options: who asks, and Rollway's own flags."""

    rollout: str
    flags: FlagShelf
