"""What was sent to Rollway itself: rows about a time, and counters as they stand. Stores keep them, signals
read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rollway.judge import Sample


@dataclass(frozen=True, slots=True)
class SentRow:
    """What a sender counted for one version from `start` (not included) to `end` (included), unix seconds."""

    series: str
    arm: str
    start: float
    end: float
    sample: Sample


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows of one series: those that end in (start, end], and those that end in (begun, start] but came only
    after the row with the number `seen`. No row after the number `newest`."""

    begun: float
    start: float
    end: float
    seen: int
    newest: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The rows that were wanted; how many of them came late, and how many too late to be counted at all."""

    rows: tuple[SentRow, ...]
    late: int = 0
    too_late: int = 0


@dataclass(frozen=True, slots=True)
class KeptCounter:
    """One counter of one sender, as a total that never falls.

    `labels` without the bucket's bound; `bounds` (seconds) and several totals for a histogram, whose totals
    are cumulative. `started` and `point_at` (unix nanoseconds) and `last` are the newest point as it was
    sent; `seen_at` (unix seconds) is when it was received.
    """

    metric: str
    labels: Mapping[str, str]
    bounds: tuple[float, ...]
    started: int
    point_at: int
    last: tuple[float, ...]
    total: tuple[float, ...]
    seen_at: float


class PushedShelf(Protocol):
    """What the signals need of what was sent."""

    def newest(self, source: str) -> int:
        """The number of the newest row of this source; numbers rise in the order of arrival. 0 for none."""
        ...

    def sent(self, source: str, series: str, wanted: Wanted) -> Sent: ...

    def counters(self, source: str, metrics: Sequence[str]) -> tuple[KeptCounter, ...]:
        """The counters of this source under these names."""
        ...
