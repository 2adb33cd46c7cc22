"""How one build of an example fared, and whether that is as it should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

EXPECTED = {True: "done", False: "rolled_back"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is the record's word on why it went back. `exposed` users of `users` met the new version;
    `unserved` requests reached no version at all. `seconds_to_safety`: from the first bad answer of the new
    version (the first at all, where none was bad by itself) to its last one. `faults` say what is not as it
    should be; empty where all is right."""

    example: str
    build: str
    phase: str
    reason: str
    seconds: float
    users: int
    exposed: int
    requests: int
    unserved: int
    seconds_to_safety: float | None
    record: int
    faults: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_right": self.is_right}

    def line(self) -> str:
        """One line for people."""
        back = (
            "" if self.seconds_to_safety is None else f", back {self.seconds_to_safety:.1f} s after the fault"
        )
        met = f"{self.exposed} of {self.users} users met it"
        right = "as it should" if self.is_right else f"NOT as it should: {'; '.join(self.faults)}"
        return f"{self.example} {self.build}: {self.phase} after {self.seconds:.0f} s, {met}{back}. {right}"
