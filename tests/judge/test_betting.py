"""Bets on sums over units are worth at most what they may be."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge.betting import bounded_gain, heavy_gain, student_gain, student_log_e
from rollway.judge.logs import FloatArray, floats
from rollway.judge.moments import Seen

SHARES = [p for p in product(np.linspace(0, 1, 6), repeat=3) if abs(sum(p) - 1) < 1e-9]


def single(figures: FloatArray, centre: float, variance: float) -> Seen:
    """Each figure as an interval of its own."""
    off = figures - centre
    full = np.ones_like(figures)
    return Seen(full, off, off**2, full * variance, full * centre)


@pytest.mark.parametrize("centre", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("variance", [1e-9, 0.01, 0.25])
@pytest.mark.parametrize("part", [-0.9, -0.3, -0.01, 0.01, 0.3, 0.9])
def test_a_bounded_bet_is_worth_no_more_than_its_mean(centre: float, variance: float, part: float) -> None:
    """E[exp(gain)] <= exp(l (m - c)) for every law on three values, with any centre and believed variance."""
    stake = part / max(centre if part > 0 else 1 - centre, 0.1)
    values = floats(0.0, 0.3, 1.0)
    wealth = np.exp(bounded_gain(single(values, centre, variance), np.full((3, 1), stake), 1.0)[:, 0])
    for chances in SHARES:
        mean = float(np.dot(chances, values))
        assert np.dot(chances, wealth) <= math.exp(stake * (mean - centre)) * (1 + 1e-12)


@given(
    figure=st.floats(0, 1),
    centre=st.floats(0, 1),
    deviation=st.floats(0, 0.5),
    part=st.floats(-0.95, 0.95),
)
def test_sums_never_promise_more_than_the_bet_itself(
    figure: float, centre: float, deviation: float, part: float
) -> None:
    """The parabola lies below log(1 + l f) wherever the figure, its centre and its spread are."""
    stake = part / max(centre if part > 0 else 1 - centre, 1e-3)
    gain = bounded_gain(single(floats(figure), centre, deviation**2), floats(stake)[None], 1.0)
    assert gain[0, 0] <= math.log1p(stake * (figure - centre)) + 1e-9


@pytest.mark.parametrize("stake", [-0.9, -0.2, 0.5, 3.0, 15.0])
def test_figures_of_zero_and_one_lose_nothing(stake: float) -> None:
    """With the variance of a share the sums give the exact bet's wealth."""
    centre = 0.05
    figures = floats(0.0, 1.0)
    gain = bounded_gain(single(figures, centre, centre * (1 - centre)), np.full((2, 1), stake), 1.0)
    assert gain[:, 0] == pytest.approx(np.log1p(stake * (figures - centre)), abs=1e-12)


def test_what_is_added_up_is_worth_what_its_parts_are() -> None:
    """One interval of three units has the gains of three intervals of one."""
    figures, stakes = floats(0.1, 0.7, 0.2), np.array([[0.4, -0.6, 1.5]])
    apart = single(figures, 0.3, 0.04)
    together = Seen(
        floats(3.0), floats(apart.total.sum()), floats(apart.squares.sum()), floats(0.04), floats(0.3)
    )
    for gain in (heavy_gain, lambda seen, stake: bounded_gain(seen, stake, 1.0)):
        parts = sum(gain(_row(apart, i), stakes) for i in range(3))
        assert gain(together, stakes) == pytest.approx(parts, abs=1e-12)


def _row(seen: Seen, i: int) -> Seen:
    return Seen(*(each[i : i + 1] for each in seen))


@pytest.mark.parametrize("stake", [-3.0, -0.5, 0.01, 0.5, 3.0])
def test_a_bet_on_heavy_tails_is_worth_at_most_one(stake: float) -> None:
    """With mean 0 and the true variance no law on three far-flung values gains on average."""
    for low, high, chances in product((-30.0, -1.0), (0.5, 100.0), SHARES):
        values = floats(low, 0.0, high)
        values = values - np.dot(chances, values)
        variance = float(np.dot(chances, values**2))
        wealth = np.exp(heavy_gain(single(values, 0.0, variance), np.full((3, 1), stake))[:, 0])
        assert np.dot(chances, wealth) <= 1 + 1e-12


@pytest.mark.parametrize("freedom", [8, 19, 60, 1000])
def test_a_block_is_worth_at_most_one(freedom: int) -> None:
    """Integrated over Student's law with as many degrees of freedom or more, and 1 exactly with as many."""
    t = np.linspace(-400, 400, 800_001)
    height = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    law = np.exp(height - (freedom + 1) / 2 * np.log1p(t**2 / freedom)) * (t[1] - t[0])
    for shift in (0.15, 0.6, 2.4, 6.0):
        worth = float(law @ np.exp(student_gain(t, floats(shift))[:, 0]))
        assert worth <= 1 + 1e-9
        if freedom == 8:
            assert worth == pytest.approx(1, abs=1e-6)


def test_no_block_decides_alone() -> None:
    """However far out a block is, its evidence is bounded, and a million deviations tell next to nothing."""
    gain = student_gain(floats(1.0, 5.0, 1e6), floats(0.3, 2.4))
    assert gain.max() < 4
    assert gain[2] == pytest.approx([0, 0], abs=1e-4)


@pytest.mark.parametrize("blocks", [5, 20, 300])
def test_the_integral_over_spreads_is_right(blocks: int) -> None:
    """The sum over 33 nodes agrees with a fine integral over the chi law."""
    slope, effects = math.sqrt(blocks) * floats(-0.9, 0.0, 0.4, 1.0), floats(0.15, 1.2, 2.4)
    log_t = np.linspace(-8, math.log(10 * math.sqrt(blocks) + 40), 100_001)
    law = blocks * log_t - np.exp(2 * log_t) / 2 - (blocks / 2 - 1) * math.log(2) - math.lgamma(blocks / 2)
    inside = law + (slope[:, None] * effects)[..., None] * np.exp(log_t) + math.log(log_t[1] - log_t[0])
    expected = np.logaddexp.reduce(inside, axis=-1) - effects**2 * blocks / 2
    found = student_log_e(float(blocks), slope, np.full(4, float(blocks)), effects)
    assert found == pytest.approx(expected, abs=1e-4)


def test_normal_blocks_of_unknown_spread_are_worth_one() -> None:
    """Over 20,000 series of 12 normal blocks the likelihood ratio averages to 1, whatever the spread."""
    blocks = 3.7 * np.random.default_rng(5).standard_normal((20_000, 12))
    slope = blocks.sum(1) / np.sqrt((blocks**2).sum(1))
    worth = np.exp(student_log_e(12.0, slope, np.full(len(slope), 12.0), floats(0.3, 0.6)))
    error = 4 * worth.std(0) / math.sqrt(len(worth))
    assert (np.abs(worth.mean(0) - 1) <= error).all()
