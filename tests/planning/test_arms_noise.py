"""What evidence is divided by in a plan's promises is what the judge divides it by, tick by tick."""

from __future__ import annotations

import numpy as np
import pytest

from rollway.judge import dispersion as dispersions
from rollway.judge.dispersion import Dispersion
from rollway.judge.processes import Arms
from rollway.planning.arms_noise import ArmsNoise

NOISE = Dispersion(1.2, 0.02, 120.0)
TICK, N_T, N_C = 10.0, 400.0, 600.0
OLD, NEW = 0.02, 0.06


def arms_noise() -> ArmsNoise:
    return ArmsNoise(
        NOISE,
        judged=(N_T, N_C),
        tick=TICK,
        tolerance=1.25,
        margin=2.0,
        rows=np.ones((2, 1)),
        of_bets=np.array([0, 0, -2]),
        of_safe=np.array([0]),
        usual=np.array([OLD]),
        largest=0.0,
    )


def by_ticks(ticks: int, before: int, null: float) -> float:
    """The harmonic mean of the judge's own factors, after so many ticks without the fault."""
    pace, found = dispersions.start(1), []
    for tick in range(before + ticks):
        bad = np.array([N_T * (OLD if tick < before else NEW)])
        arms = Arms(N_T, bad, N_C, np.array([N_C * OLD]))
        pace = dispersions.move(pace, NOISE, arms, TICK)
        if tick >= before:
            found.append(float(dispersions.factor(NOISE, arms, null, TICK, pace)[0]))
    return 1 / float(np.mean(1 / np.array(found)))


@pytest.mark.parametrize(("ticks", "before"), [(1, 60), (6, 60), (40, 60), (6, 0), (6, 3)])
def test_a_step_is_divided_as_its_ticks_would_be(ticks: int, before: int) -> None:
    """A fault's events are counted by and by, whatever came before it; safety has a null of its own."""
    noise, seconds = arms_noise(), ticks * TICK
    counts = np.array([[N_T * NEW * ticks, N_C * OLD * ticks]])
    pace, harm, safe = noise.divide(noise.start(1, before * TICK), counts, seconds)
    assert harm[0, 0] == pytest.approx(by_ticks(ticks, before, 1.25), rel=0.03)
    assert safe[0, 0] == pytest.approx(by_ticks(ticks, before, 2.0), rel=0.03)
    assert harm[0, 2] == 1.0
    assert pace.events.shape == (1, 1)


def test_the_pace_goes_on_from_step_to_step() -> None:
    """Two steps leave the pace that one of both lengths leaves."""
    noise, counts = arms_noise(), np.array([[24.0, 12.0]])
    first, _, _ = noise.divide(noise.start(1, 600.0), counts, TICK)
    second, _, _ = noise.divide(first, counts, TICK)
    both, _, _ = noise.divide(noise.start(1, 600.0), 2 * counts, 2 * TICK)
    assert second.events == pytest.approx(both.events)
    assert second.seconds == pytest.approx(both.seconds)
