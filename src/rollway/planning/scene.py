"""What courses of a plan are drawn for: stages, gates, the judge's numbers, and how courses arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rollway.judge.logs import FloatArray
from rollway.planning.flow import Flow
from rollway.planning.model import Guard, Stage

IndexArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Watched:
    """A guard that may send a release back, and the old version's usual rate."""

    guard: Guard
    rate: float
    part: float
    """Its part of the weights of all that may."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the courses are drawn for: the stages with users of both versions, and the judge's numbers.

    watched: the gates that every request counts for, and whose usual rate is known. questions: how many sizes
    of fault in how many guards and stages are asked about. alone_seconds: for how long the old version is
    seen before the first stage.
    """

    stages: tuple[Stage, ...]
    watched: tuple[Watched, ...]
    flow: Flow
    tick_seconds: float
    planned_seconds: float
    alpha: float
    alpha_promote: float
    questions: int = 1
    alone_seconds: float = 0.0

    @property
    def alone(self) -> float:
        """Requests of the old version that are seen before the first stage."""
        beside = self.stages[0].exposure.control if self.stages else 0.0
        return self.flow.between(0.0, self.alone_seconds) * (beside or 1.0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How courses come into a stage: the wealth on each bet, shape (rows, bets), by KPI; which courses they
    are, (rows,), rising, of how many; and, for all of them together, when (seconds since the first exposure),
    after how many changes of stage, with how many of the old version's requests in memory, and how many seen
    in all. passed_by: in how many of those stages, and for how long (seconds), a KPI did not count."""

    wealth: Mapping[str, FloatArray]
    numbers: IndexArray
    courses: int
    at: float
    changes: int
    known: float
    seen: float
    passed_by: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def only(self, rows: IndexArray) -> Arrival:
        """The courses in these rows."""
        which = np.sort(rows)
        wealth = {kpi: each[which] for kpi, each in self.wealth.items()}
        return replace(self, wealth=wealth, numbers=self.numbers[which])
