"""What a reader of foreign files leaves out: counted by reason, with the first few names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SHOWN = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not taken over, why, how often, and the first few of them."""

    why: str
    count: int
    names: tuple[str, ...] = ()

    def told(self) -> str:
        """One line: `2 skipped: cancelled ('Freeze', 'Holiday')`."""
        more = ", …" if self.count > len(self.names) else ""
        return f"{self.count:,} skipped: {self.why} ({', '.join(map(repr, self.names))}{more})"


@dataclass(slots=True)
class LeftOut:
    """Counts what is skipped, in the order in which the reasons first come up."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, why: str, name: str) -> None:
        self.names.setdefault(why, []).append(name)

    def result(self) -> tuple[Skipped, ...]:
        return tuple(Skipped(why, len(names), tuple(names[:_SHOWN])) for why, names in self.names.items())


def one_line(value: object, longest: int = 120) -> str:
    """A foreign text on one line, without what a terminal would obey, and no longer than a title may be."""
    text = " ".join(_CONTROL.sub(" ", str(value if value is not None else "")).split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
