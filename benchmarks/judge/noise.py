"""A real telemetry series as the noise of a simulation: its rate and its traffic, from random moments on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """Requests and bad ones at even steps of `seconds`, each of shape (steps,)."""

    seconds: float
    trials: FloatArray
    bad: FloatArray

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, int], tick_seconds: float
    ) -> tuple[FloatArray, FloatArray]:
        """Rate and requests per second, each of the shape (ticks, runs).

        Each run begins at a random moment and goes round at the end. The chance in the series' own
        counts is taken as part of the true rate.
        """
        ticks, runs = shape
        moments = np.arange(ticks)[:, np.newaxis] * tick_seconds / self.seconds
        steps = np.floor(moments + rng.uniform(0, len(self.trials), runs)).astype(np.int64)
        steps %= len(self.trials)
        rates = self.bad / np.maximum(self.trials, 1.0)
        return np.minimum(rates, 0.95)[steps], (self.trials / self.seconds)[steps]


def read(path: Path) -> Series:
    """The series in a CSV file with the columns time (unix seconds or ISO), trials and bad.

    Raises ValueError where a column is missing or there are fewer than ten rows.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < 10 or not {"time", "trials", "bad"} <= set(rows[0]):
        raise ValueError(f"{path}: ten rows or more with the columns time, trials and bad are needed")
    times = np.sort(np.array([_seconds(row["time"]) for row in rows]))
    return Series(
        float(np.median(np.diff(times))),
        np.array([float(row["trials"] or 0) for row in rows]),
        np.array([float(row["bad"] or 0) for row in rows]),
    )


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
