"""For signals that ask what happened between two moments: which moments, and what the answer means."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rollway.judge import Assigned, Counts, Moments, Reading, Sample
from rollway.rollout.ports import Collected, Cursor, Interval

Arm = Literal["candidate", "baseline"]
Kind = Literal["rate", "check", "assignment", "mean"]
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "rate": ("trials", "bad"),
    "check": ("trials", "bad"),
    "assignment": ("units",),
    "mean": ("units", "total", "squares"),
}
"""What a row tells besides its arm: how many there were and how many of them bad; how many units; how many
units, the sum of their figures, and the sum of the squares."""


class UnusableError(Exception):
    """An answer that cannot be true, or is none; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """From `start` (not included) to `end` (included), unix seconds."""

    start: float
    end: float


def next_window(cursor: Cursor | None, now: float, delay: float) -> Asked | None:
    """What to ask next: from where the last answer ended to `delay` seconds ago, when late rows have come in.

    None where there is nothing to ask yet: at the first look, and while less than the delay has gone by.
    """
    if not cursor or now - delay <= cursor["until"]:
        return None
    return Asked(cursor["until"], now - delay)


class DownError(Exception):
    """A source that cannot be asked, or does not answer; the text says why, for people."""


class WindowedSignal(ABC):
    """Asks a source what happened since the last answer. A subclass says how.

    The cursor is `{"until": unix seconds}`. The first look only begins. What is younger than the delay is not
    asked for, so that late rows are in. After a problem the cursor stays, and the next good answer covers the
    gap.
    """

    kpi: str
    kind: Kind
    arms: Mapping[str, Arm]
    delay: float

    @abstractmethod
    def rows(self, asked: Asked) -> Iterable[Mapping[str, Any]]:
        """A row for each version, with `arm` and the kind's COLUMNS. Raises DownError, UnusableError."""

    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        """What happened since the cursor; a source's trouble is told, and never raised."""
        asked = next_window(cursor, interval.now, self.delay)
        if asked is None or cursor is None:
            return Collected(None, cursor or {"until": interval.now - self.delay})
        try:
            samples = samples_of(self.kind, self.rows(asked), self.arms)
        except DownError as error:
            return Collected(self._reading(asked, interval, problem="source_down"), cursor, str(error))
        except UnusableError as doubt:
            return Collected(self._reading(asked, interval, problem="implausible"), cursor, str(doubt))
        reading = self._reading(asked, interval, candidate=samples["candidate"], baseline=samples["baseline"])
        return Collected(reading, {"until": asked.end})

    def _reading(self, asked: Asked, interval: Interval, **more: Any) -> Reading:
        stage, share = interval.stage, interval.share
        return Reading(kpi=self.kpi, start=asked.start, end=asked.end, stage=stage, share=share, **more)


def samples_of(kind: Kind, rows: Iterable[Mapping[str, Any]], arms: Mapping[str, Arm]) -> dict[Arm, Sample]:
    """One sample per arm from rows with `arm` and the kind's COLUMNS.

    `arms`: the value that names each arm. Rows of other values are none of ours. An arm without a row had no
    trials: whoever counts groups of rows does not tell of empty ones. Raises UnusableError for a column that
    is missing, a number that cannot be, and an arm that is told twice.
    """
    found: dict[Arm, Sample] = {}
    for row in rows:
        for name in ("arm", *COLUMNS[kind]):
            if name not in row:
                has = ", ".join(map(str, row)) or "none"
                raise UnusableError(f"the answer has no column {name}; it has {has}")
        arm = arms.get(str(row["arm"]))
        if arm is None:
            continue
        if arm in found:
            raise UnusableError(f"{row['arm']} is told twice; the answer should have one row per version")
        found[arm] = _sample(kind, row)
    return {arm: found.get(arm) or _sample(kind, dict.fromkeys(COLUMNS[kind], 0)) for arm in arms.values()}


def _sample(kind: Kind, row: Mapping[str, Any]) -> Sample:
    if kind == "assignment":
        return Assigned(_count(row["units"], "units"))
    if kind == "mean":
        total, squares = (_number(row[name], name) for name in ("total", "squares"))
        return Moments(_count(row["units"], "units"), total, squares)
    trials, bad = _count(row["trials"], "trials"), _count(row["bad"], "bad")
    if bad > trials:
        raise UnusableError(f"{bad} bad ones among {trials}")
    return Counts(trials, bad)


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise UnusableError(f"{value!r} is no number for {name}") from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise UnusableError(f"{value!r} is no number for {name}")
    return number


def _count(value: Any, name: str) -> int:
    number = _number(value, name)
    if number < 0 or number != int(number):
        raise UnusableError(f"{value!r} is no count for {name}")
    return int(value)
