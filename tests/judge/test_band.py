"""The bounds of a difference lie where the evidence reaches its threshold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge.band import CONFIDENCE, EFFECTS, LOG_EFFECT_PRIOR, Band, bounds, start
from rollway.judge.logs import FloatArray


def _log_e(gain: FloatArray, stake: FloatArray, at: float) -> float:
    return float(np.logaddexp.reduce(LOG_EFFECT_PRIOR + gain - stake * at))


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.floats(0.0, 1e4))
def test_at_the_bounds_the_evidence_is_the_threshold(seed: int, unit: float, much: float) -> None:
    """Upwards and downwards, in any unit, with little and with much evidence."""
    rng = np.random.default_rng(seed)
    up, down = rng.normal(size=(2, len(EFFECTS))) * (1 + much)
    stakes = EFFECTS * rng.uniform(0.5, 2.0, len(EFFECTS)) / unit
    low, high = bounds(Band(np.array([[*up, *down]]), np.array([[*stakes, *stakes]])), 0)
    assert low is not None
    assert high is not None
    threshold = math.log(2 / (1 - CONFIDENCE))
    assert _log_e(up, stakes, low) == pytest.approx(threshold, abs=1e-6)
    assert _log_e(down, stakes, -high) == pytest.approx(threshold, abs=1e-6)


def test_without_a_stake_there_are_no_bounds() -> None:
    """Before anything was bet every difference is left open."""
    assert bounds(start(1), 0) == (None, None)
