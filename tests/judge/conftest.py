"""Readings in one line each, and a service whose numbers are drawn with a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from rollway.judge import Counts, Histogram, Reading

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass
class Service:
    """Two versions at work. Each call of `tick` gives one interval of 10 s of the three KPIs.

    errors and logins are rates, latency is log-normal around 0.1 s; `errors_times` and `slow_tenth` make
    the new version worse.
    """

    rng: np.random.Generator
    per_second: float = 100.0
    errors_times: float = 1.0
    slow_tenth: float = 1.0
    at: float = 1000.0

    def tick(self, stage: str, share: float) -> list[Reading]:
        start, self.at = self.at, self.at + 10.0
        total = int(self.rng.poisson(10 * self.per_second))
        new = int(self.rng.binomial(total, share))
        place = (start, self.at, stage, share)
        drift = 1 + 0.5 * np.sin(self.at / 300)
        return [
            Reading(
                "errors",
                *place,
                self._counts(new, 0.02 * drift * self.errors_times),
                self._counts(total - new, 0.02 * drift),
            ),
            Reading("logins", *place, self._counts(new, 0.05), self._counts(total - new, 0.05)),
            Reading(
                "latency", *place, self._durations(new, self.slow_tenth), self._durations(total - new, 1.0)
            ),
        ]

    def ticks(self, number: int, stage: str, share: float) -> Iterator[list[Reading]]:
        for _ in range(number):
            yield self.tick(stage, share)

    def _counts(self, trials: int, rate: float) -> Counts:
        return Counts(trials, int(self.rng.binomial(trials, min(rate, 1.0))))

    def _durations(self, trials: int, slow_tenth: float) -> Histogram:
        drawn = self.rng.lognormal(np.log(0.1), 0.6, trials)
        drawn[drawn > 0.1 * np.exp(0.6 * 1.2816)] *= slow_tenth
        counts = np.bincount(np.searchsorted(BOUNDS, drawn), minlength=len(BOUNDS) + 1)
        return Histogram(BOUNDS, tuple(counts.tolist()))


@pytest.fixture
def service() -> Service:
    """A healthy service with 100 requests per second."""
    return Service(np.random.default_rng(2026))
