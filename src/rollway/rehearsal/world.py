"""The simulated service: its traffic, what its KPIs usually show, and the noise of its versions."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import accumulate
from typing import Literal, Protocol

QUARTER = 900.0
MeasureKind = Literal["rate", "latency", "check", "assignment", "mean"]


class Traffic(Protocol):
    """How many requests come, to both versions together. Times are unix seconds."""

    def expected(self, start: float, end: float) -> float:
        """How many are expected in an interval."""
        ...

    def rate(self, kpi: str, start: float, end: float) -> float | None:
        """The old version's share of bad requests in an interval; None where the KPI's usual one holds."""
        ...


@dataclass(frozen=True, slots=True)
class Steady:
    """The same number of requests per second; or `by_hour`, by the hour of the day (24) or of the week (168,
    from Monday on) in a zone."""

    per_second: float
    by_hour: tuple[float, ...] = ()
    zone: tzinfo = UTC

    def expected(self, start: float, end: float) -> float:
        if not self.by_hour:
            return self.per_second * max(0.0, end - start)
        total, at = 0.0, start
        while at < end:
            # Zones differ by quarters of an hour, so that within one the hour is the same.
            until = min(end, (math.floor(at / QUARTER) + 1) * QUARTER)
            total += self.by_hour[self._hour(at) % len(self.by_hour)] * (until - at)
            at = until
        return total

    def _hour(self, at: float) -> int:
        local = datetime.fromtimestamp(at, self.zone)
        return local.weekday() * 24 + local.hour

    def rate(self, kpi: str, start: float, end: float) -> float | None:
        return None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a service really had, interval by interval; it begins anew where the record ends.

    starts: seconds from the beginning of the record, rising from 0; per_second and the KPIs' rates hold
    from one to the next, the last one until `seconds`. `shift`: where in the record the rollout begins.
    """

    starts: tuple[float, ...]
    seconds: float
    per_second: tuple[float, ...]
    rates: dict[str, tuple[float, ...]] = field(default_factory=dict)
    shift: float = 0.0
    sums: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ends = (*self.starts[1:], self.seconds)
        parts = ((end - start) * n for start, end, n in zip(self.starts, ends, self.per_second, strict=True))
        object.__setattr__(self, "sums", tuple(accumulate(parts, initial=0.0)))

    def expected(self, start: float, end: float) -> float:
        return self._upto(end) - self._upto(start)

    def rate(self, kpi: str, start: float, end: float) -> float | None:
        known = self.rates.get(kpi)
        return None if known is None else known[self._place((start + end) / 2)[1]]

    def _upto(self, at: float) -> float:
        rounds, place = divmod(at + self.shift, self.seconds)
        index = bisect_right(self.starts, place) - 1
        return (
            rounds * self.sums[-1] + self.sums[index] + (place - self.starts[index]) * self.per_second[index]
        )

    def _place(self, at: float) -> tuple[float, int]:
        place = (at + self.shift) % self.seconds
        return place, bisect_right(self.starts, place) - 1


@dataclass(frozen=True, slots=True)
class Measure:
    """What one KPI shows of the old version.

    rate: its share of bad requests (failed checks; good ones where `is_good`). per_request: how many of its
    trials a request makes. For a latency `bounds` (seconds) and `law`: the share of requests in each bucket.
    A mean's figures are 0 or `bound`, and `rate` is how many of them are not 0. `has_past`: no old version
    runs beside the new one, and the same hours of past weeks are handed over in its place.
    """

    kpi: str
    kind: MeasureKind
    rate: float = 0.0
    per_request: float = 1.0
    is_good: bool = False
    bounds: tuple[float, ...] = ()
    law: tuple[float, ...] = ()
    bound: float = 1.0
    has_past: bool = False


@dataclass(frozen=True, slots=True)
class Noise:
    """What the new version has of its own by chance: its rates are multiplied by exp of a normal figure with
    deviation `spread`, drawn anew for each block, and events come in clusters of about `cluster`."""

    spread: float = 0.0
    block_seconds: float = 300.0
    cluster: float = 1.0


QUIET = Noise()


@dataclass(frozen=True, slots=True)
class World:
    """A service before a release: its traffic, its KPIs, its noise, and how many users it has, if known."""

    traffic: Traffic
    measures: tuple[Measure, ...]
    noise: Noise = QUIET
    users: int | None = None
