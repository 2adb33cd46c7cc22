"""What a toy lacks and a real service has: a warehouse that is slow now and then, and fails at times.

The new code is built in three ways, so that one can watch what a fault does to a rollout.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

MEDIAN_SECONDS = 0.040
SPREAD = 0.45  # of the logarithm: the slowest tenth takes more than 71 ms, the slowest hundredth 114 ms
SLOWEST_TENTH = 1.2816  # where a standard normal variable has a tenth above it


class WarehouseError(Exception):
    """The warehouse did not give the rows."""


@dataclass(frozen=True)
class Build:
    """How a version behaves: which share of requests fails, and how much longer the slowest tenth takes."""

    failing: float = 0.04
    tail_factor: float = 1.0


OLD_CODE = Build()
NEW_CODE = {
    "good": Build(),
    "errors": Build(failing=0.20),
    "latency": Build(tail_factor=2.0),
}


class Conditions:
    """Draws what a request meets; the same seed draws the same."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = random.Random(seed)

    def seconds(self, build: Build) -> float:
        """How long the warehouse takes: log-normal, about 44 ms on average, with a tail."""
        level = self._dice.gauss()
        slower = build.tail_factor if level > SLOWEST_TENTH else 1.0
        return MEDIAN_SECONDS * math.exp(SPREAD * level) * slower

    def refuse_some(self, build: Build) -> None:
        """Raise WarehouseError as often as the build fails."""
        if self._dice.random() < build.failing:
            raise WarehouseError
