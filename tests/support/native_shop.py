"""A service that counts durations natively, the Prometheus that scrapes it, and who looks at that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rollway.judge import Histogram
from rollway.rollout.ports import Collected, Interval
from rollway.signals.prometheus import PrometheusSignal
from support.native import Native, NativePage, native_page
from support.prometheus import Prometheus, prometheus
from support.versions import wait_until

Ask = Callable[..., Interval]


class Shop:
    """A service whose durations have the test's name, the Prometheus that scrapes it, and who looks."""

    def __init__(self, name: str, page: NativePage, server: Prometheus, at: Ask) -> None:
        self.name, self.page, self.server, self._at = name, page, server, at
        self.cursor: Any = None
        self.signal = self.looking()

    def looking(self, **options: str) -> PrometheusSignal:
        given = {"arm_label": "version", "candidate": "v2", "baseline": "v1", "histogram": self.name}
        return PrometheusSignal("latency", "latency", {"url": self.server.url, **given, **options})

    def named(self, more: str) -> None:
        """Of several tests of one name each has series of its own."""
        self.name += f"_{more}"
        self.signal = self.looking()

    def add(self, version: str, histogram: Native | None = None, **labels: str) -> Native:
        return self.page.add(self.name, histogram, version=version, **labels)

    def look(self) -> Collected:
        collected = self.signal.collect(self.cursor, self._at(time.time()))
        self.cursor = collected.cursor
        return collected

    def begin(self) -> None:
        """Until both versions were seen."""
        self.cursor = None

        def is_seen() -> bool:
            collected = self.signal.collect(None, self._at(time.time()))
            self.cursor = collected.cursor
            return "at" in collected.cursor and bool(_held(collected.cursor)) and not collected.note

        wait_until(is_seen, within=15)

    def until(self, candidate: int, baseline: int = 0) -> list[Collected]:
        """Look until so many were counted of each version; no more, and no problem on the way."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            told = found[-1].reading
            assert told is None or told.problem is None, found[-1].note
            sums = counted(found)
            assert sums[0] <= candidate, sums
            assert sums[1] <= baseline, sums
            return sums == (candidate, baseline)

        wait_until(is_there, within=15)
        return found

    def next_reading(self) -> Collected:
        """The next look that tells of an interval."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            return found[-1].reading is not None

        wait_until(is_there, within=15)
        return found[-1]

    def until_told(self, word: str) -> Collected:
        """Look until a note has this word."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            return word in found[-1].note

        wait_until(is_there, within=15)
        return found[-1]


def _held(cursor: Any) -> Any:
    return cursor.get("native") or cursor.get("counters")


def counted(found: list[Collected]) -> tuple[int, int]:
    readings = [one.reading for one in found if one.reading is not None]
    return (
        sum(sum(one.candidate.counts) for one in readings if isinstance(one.candidate, Histogram)),
        sum(sum(one.baseline.counts) for one in readings if isinstance(one.baseline, Histogram)),
    )


def up_to(found: list[Collected], bound: float, arm: str = "candidate") -> int:
    """How many durations of all readings were at most so long; the bound must be one of each."""
    total = 0
    for one in found:
        sample = getattr(one.reading, arm, None)
        if isinstance(sample, Histogram):
            total += sum(sample.counts[: sample.bounds.index(bound) + 1])
    return total


@contextmanager
def scraped(folder: Path) -> Iterator[tuple[NativePage, Prometheus]]:
    """A page of native histograms and the Prometheus that scrapes it."""
    with native_page() as page, prometheus(folder, page.url, features=("native-histograms",)) as server:
        yield page, server
