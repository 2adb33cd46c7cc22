"""When may a fault begin: how much prior mass each moment of the exposure gets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollway.judge.quick import quick

AT_START = 0.50
AT_STAGE_CHANGES = 0.15
OVER_PLANNED_TIME = 0.31
OVER_LATER_TIME = 0.04
LEFT_AFTER_A_CHANGE = 2 / 3


@quick
@dataclass(frozen=True, slots=True)
class Interval:
    """One reading's place in time: its stage, its start (unix seconds), its length, and the planned time."""

    stage: str
    start: float
    seconds: float
    planned_seconds: float


@quick
@dataclass(frozen=True, slots=True)
class Onset:
    """How far an exposure has come: its stage (None before it begins), stage changes, elapsed seconds.

    Only intervals with usable numbers count, so silence spends nothing.
    """

    stage: str | None = None
    changes: int = 0
    elapsed_seconds: float = 0.0


Moved = tuple[Onset, float]
"""An exposure after an interval, and the prior mass of the faults that may begin with it."""


def move(onset: Onset, interval: Interval) -> Moved:
    """The exposure after one more interval, and the prior mass of the faults that may begin with it."""
    stage, seconds, planned = interval.stage, interval.seconds, interval.planned_seconds
    changes = onset.changes + (onset.stage is not None and onset.stage != stage)
    moved = Onset(stage, changes, onset.elapsed_seconds + (seconds if seconds > 0.0 else 0.0))
    return moved, spent(moved, planned) - spent(onset, planned)


def spent(onset: Onset, planned_seconds: float) -> float:
    """The prior mass of all faults that may have begun by now; rises from 0 and stays below 1.

    0.50 at the start; of 0.15 for stage changes (faults like ramps) each change takes a third of what is
    left; 0.31 evenly over the planned time; 0.04 for an exposure that is held longer, half of what is
    left for each planned time more.
    """
    if onset.stage is None:
        return 0.0
    elapsed = onset.elapsed_seconds / (planned_seconds if planned_seconds > 1.0 else 1.0)
    begun = AT_START + AT_STAGE_CHANGES * (1 - math.pow(LEFT_AFTER_A_CHANGE, onset.changes))
    if elapsed <= 1:
        return begun + OVER_PLANNED_TIME * elapsed
    return begun + OVER_PLANNED_TIME + OVER_LATER_TIME * (1 - math.pow(0.5, elapsed - 1.0))
