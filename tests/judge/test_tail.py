"""Laws to bet on: drawn from whatever was seen, slower than tolerated, and never nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import tail
from rollway.judge.logs import FloatArray

BOUNDS = np.array([0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
SEEN = np.array([2.0, 93, 1120, 2865, 1480, 1105, 310, 25, 0, 0, 0, 0])


def test_the_prior_is_spent_once() -> None:
    """Every bet has its part of the stake, and the parts add up to 1."""
    assert tail.PRIOR.shape == (tail.BETS,)
    assert tail.PRIOR.sum() == pytest.approx(1.0)
    assert tail.bends(BOUNDS, SEEN, 1.1).shape == (tail.BETS, 12)


@given(
    st.lists(st.floats(-1.0, 1e6), min_size=1, max_size=11, unique=True).map(sorted),
    st.lists(st.integers(0, 2**53), min_size=12, max_size=12),
    st.floats(0.2, 50.0),
)
@settings(max_examples=150)
def test_bends_rise_whatever_was_seen(bounds: list[float], seen: list[int], tolerance: float) -> None:
    """Any bounds, one alone or ones below zero, and any counts give positive bends that never fall."""
    counts = np.array(seen[: len(bounds) + 1], dtype=float)
    bends = tail.bends(np.array(bounds), counts, tolerance)
    assert np.isfinite(bends).all()
    assert (bends > 0).all()
    assert (np.diff(bends, axis=-1) >= 0).all()


def growth(bends: FloatArray, new: FloatArray, tolerance: float, seen: FloatArray = SEEN) -> FloatArray:
    """How fast each bet grows per request of the new version, the old law being known."""
    old = tail.shares(seen)
    scaled = bends / (bends[:, :1] + tolerance * ((bends - bends[:, :1]) @ old)[:, np.newaxis])
    found: FloatArray = np.log(scaled) @ new
    return found


def test_a_bet_on_a_factor_of_time_wins_where_it_is_true() -> None:
    """On durations 1.18 times as long the bet for them grows fastest, and bets on less and more grow too."""
    odds = np.log(1 / np.cumsum(tail.shares(SEEN))[:-1] - 1)
    slower = 1 / (1 + np.exp(-np.interp(np.log(BOUNDS / 1.18), np.log(BOUNDS), odds)))
    grown = growth(tail.bends(BOUNDS, SEEN, 1.0), -np.diff(slower, prepend=1.0, append=0.0), 1.0)
    assert int(np.argmax(grown)) == tail.SCALES.index(1.18)
    assert (grown[:3] > 0).all()


@pytest.mark.parametrize("tolerance", [1.0, 1.1, 1.5])
def test_every_bet_begins_where_tolerance_ends(tolerance: float) -> None:
    """At any tolerance most bets are on something, and none wins on a law that just uses it up."""
    old = tail.shares(SEEN)
    survival = np.cumsum(old[::-1])[::-1][1:]
    bends = tail.bends(BOUNDS, SEEN, tolerance)
    assert (bends[:, -1] > bends[:, 0] + 1e-6).sum() >= tail.BETS - 2
    at_the_end = -np.diff(np.minimum(1.0, tolerance * survival), prepend=1.0, append=0.0)
    assert (growth(bends, at_the_end, tolerance) <= 1e-9).all()


def test_what_was_hardly_seen_carries_no_boundless_bet() -> None:
    """A bucket without any request is bet on, but by no more than 64 times."""
    bends = tail.bends(BOUNDS, SEEN, 1.0)
    assert bends.max() <= tail.LARGEST_BEND


def pooled(new: FloatArray, old: FloatArray) -> list[float]:
    """Isotonic regression by pooling adjacent violators, bucket by bucket."""
    blocks: list[tuple[float, float, int]] = []
    for top, bottom in zip(new.tolist(), old.tolist(), strict=True):
        block = (top, bottom, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] >= block[0] / block[1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    return [top / bottom for top, bottom, size in blocks for _ in range(size)]


def test_the_closed_form_of_the_rising_ratio_is_right() -> None:
    """It agrees with pooling adjacent violators, on laws drawn with a seed."""
    rng = np.random.default_rng(5)
    for size in (2, 3, 12, 40):
        new, old = rng.dirichlet(np.ones(size), 5), rng.dirichlet(np.ones(size))
        assert tail._rising(new, old) == pytest.approx(np.array([pooled(each, old) for each in new]))


def test_a_law_with_humps_is_bet_on_too() -> None:
    """Where slower shares rise and fall along the law, pooling leaves bets that win (cut-offs would not)."""
    seen = np.array([2400.0, 800, 160, 160, 160, 160, 160])
    new = np.array([0.4, 0.35, 0.05, 0.05, 0.05, 0.05, 0.05])
    bounds = np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
    grown = growth(tail.bends(bounds, seen, 1.1), new, 1.1, seen)
    assert grown.max() > 0.02
    assert (grown > 0).sum() >= len(tail.SCALES)


def test_a_floor_of_durations_is_not_taken_for_a_steep_law() -> None:
    """Pareto durations, none below 50 ms: the bet on 1.08 times as long wins where they take 1.1 times."""
    bounds = 0.05 * 1.5 ** np.arange(12)

    def survival(times: float) -> FloatArray:
        return np.minimum(1.0, (bounds / (0.05 * times)) ** -1.5)

    seen, new = (-np.diff(survival(by), prepend=1.0, append=0.0) for by in (1.0, 1.1))
    grown = growth(tail.bends(bounds, seen * 20_000, 1.0), new, 1.0, seen * 20_000)
    best = float((new[1:] * np.log(new[1:] / seen[1:])).sum())
    assert grown[:3].max() > 0.8 * best
