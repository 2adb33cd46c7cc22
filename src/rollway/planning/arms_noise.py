"""The arms' own noise in a plan's promises: by what the judge divides evidence as events come faster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rollway.judge.courses import Setting, paced
from rollway.judge.dispersion import Dispersion, Pace, factors
from rollway.judge.logs import FloatArray
from rollway.judge.processes import Arms
from rollway.planning.model import Guard

LARGEST, UNDIVIDED = -1, -2
"""In the place of a row: the bet leans on all of them, and is divided by the largest of their factors; or it
is one against a limit, which nothing divides."""


@dataclass(frozen=True, slots=True)
class ArmsNoise:
    """What a guard's numbers are divided by at one share.

    judged: requests per tick of the version whose events are too many, and of the other one. rows: which
    counts are events of each row, shape (counts, rows). of_bets, of_safe: the row of each bet on harm,
    (bets,), and of each cut at which safety is shown, (cuts,). usual: each row's events per request while all
    is well, (rows,). largest: those of the row with the most, of all rows that the judge has.
    """

    dispersion: Dispersion
    judged: tuple[float, float]
    tick: float
    tolerance: float
    margin: float
    rows: FloatArray
    of_bets: NDArray[np.intp]
    of_safe: NDArray[np.intp]
    usual: FloatArray
    largest: float

    @property
    def per_second(self) -> float:
        return sum(self.judged) / self.tick

    def start(self, courses: int, seconds: float) -> Pace:
        """The pace after so many seconds in which all was well; `events` has shape (courses, rows)."""
        setting = Setting(self.per_second, (), dispersion=self.dispersion)
        nothing = Pace(np.zeros(len(self.usual)))
        if seconds <= 0:
            return Pace(np.zeros((courses, len(self.usual))))
        ticks = max(1, round(seconds / self.tick))
        pace, _ = paced(setting, nothing, self.usual * self.per_second, self.tick, ticks)
        return Pace(np.tile(pace.events, (courses, 1)), pace.seconds)

    def divide(self, pace: Pace, counts: FloatArray, seconds: float) -> tuple[Pace, FloatArray, FloatArray]:
        """The pace after `seconds` with these counts, (courses, counts); what the evidence of that time is
        divided by: of each bet on harm, (courses, bets), and of safety at each cut, (courses, cuts).

        As `dispersion.move` and `factors` have it tick by tick: the harmonic mean over some moments.
        """
        courses, rows = len(counts), len(self.usual)
        setting = Setting(self.per_second, (), dispersion=self.dispersion)
        ticks = max(1, round(seconds / self.tick))
        flat = Pace(pace.events.ravel(), pace.seconds)
        events = (counts @ self.rows / seconds).ravel()
        after, paces = paced(setting, flat, events, seconds / ticks, ticks)
        harm, safe = (
            1 / (1 / self._factors(paces.ravel(), null)).reshape(-1, courses, rows).mean(axis=0)
            for null in (self.tolerance, self.margin)
        )
        # The largest row is that of what is usual, which a fault in the tail hardly moves.
        most = self._factors(np.array([self.largest * self.per_second]), self.tolerance)[0]
        largest = np.maximum(harm.max(axis=1), most)
        by_bet = np.where(self.of_bets == LARGEST, largest[:, None], harm[:, np.maximum(self.of_bets, 0)])
        by_bet[:, self.of_bets == UNDIVIDED] = 1.0
        return Pace(after.events.reshape(courses, rows), after.seconds), by_bet, safe[:, self.of_safe]

    @property
    def typical(self) -> float:
        """What the evidence at the least of the rows is divided by while all is well."""
        return float(self._factors(self.usual[-1:] * self.per_second, self.tolerance)[0])

    def _factors(self, per_second: FloatArray, null: float) -> FloatArray:
        none = np.zeros(len(per_second))
        arms = Arms(self.judged[0], none, self.judged[1], none)
        found: FloatArray = factors(
            self.dispersion, arms, np.array((null,)), self.tick, Pace(per_second, 1.0)
        )[:, 0]
        return found


def dispersion_of(guard: Guard) -> Dispersion | None:
    """What was learned of the guard's noise; None where nothing was, or nothing is there."""
    if guard.dispersion is None:
        return None
    found = Dispersion(**guard.dispersion.model_dump())
    return None if found.is_none else found
