"""Comparing two means: valid whatever the mean is, in both directions, and at every look."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.crowd import follow, frequency, moments, reading, tolerated, units
from rollway.judge import GuardRule, Moments, Rules, begin, update, verdict
from rollway.judge import difference as differences
from rollway.judge import wager as wagers
from rollway.judge.difference import (
    EFFECTS,
    Asked,
    Method,
    Null,
    bet,
    harm_null,
    memories_of,
    safety_null,
    view_arms,
)
from rollway.judge.dispersion import Dispersion
from rollway.judge.kinds import mean as means
from rollway.judge.kinds import total as totals
from rollway.judge.logs import FloatArray, floats
from rollway.judge.model import Direction
from rollway.judge.moments import Memory, Units, are_moments, is_within, learn, no_memory
from rollway.judge.onset import Interval

VALUES = floats(0.0, 0.4, 1.0)
LAWS = [np.array(p) for p in product((0.0, 0.25, 0.5, 0.75, 1.0), repeat=3) if sum(p) == 1]
EXACT = Method(means.views, bound=1.0, needs=(0.0, 30.0))
EVEN = Null(1.0, 1.0, 0.0)


def outcomes(n: tuple[int, int]) -> tuple[Units, Units, FloatArray]:
    """Every outcome of one interval as a row: both arms, and which of VALUES each unit has."""
    drawn = np.array(list(product(range(len(VALUES)), repeat=sum(n))))
    return units(VALUES[drawn[:, : n[0]]]), units(VALUES[drawn[:, n[0] :]]), drawn


def chances(drawn: FloatArray, n: tuple[int, int], laws: tuple[FloatArray, FloatArray]) -> FloatArray:
    """The probability of each row of `outcomes`."""
    return laws[0][drawn[:, : n[0]]].prod(1) * laws[1][drawn[:, n[0] :]].prod(1)


def remembered(rows: int, mean: float, variance: float, number: float = 50.0) -> Memory:
    full, zeros = np.ones(rows), np.zeros(rows)
    return Memory(full * number, full * mean, zeros, full * variance, zeros, zeros, zeros)


@pytest.mark.parametrize("n", [(1, 1), (3, 1), (1, 3), (2, 2)])
@pytest.mark.parametrize(
    "null", [EVEN, Null(1, 1.2, 0), Null(1, 1, 0.1), Null(-1, 1 / 1.2, 0), Null(-1, 1, -0.1)]
)
@pytest.mark.parametrize("believed", [((0.4, 0.2), (0.4, 0.2)), ((0.9, 1e-6), (0.02, 0.3))])
def test_no_bet_gains_on_average_under_the_null(n: tuple[int, int], null: Null, believed: tuple) -> None:
    """Whatever both laws are, and whatever was believed of them, expected wealth is at most 1."""
    candidate, baseline, drawn = outcomes(n)
    rows = len(drawn)
    known = replace(
        differences.start(rows),
        candidate=remembered(rows, *believed[0]),
        baseline=remembered(rows, *believed[1]),
    )
    pair = view_arms(memories_of(known), (candidate, baseline), EXACT, null.ratio)
    sizes = np.tile(np.append(EFFECTS, 20.0), (rows, 1)) / np.sqrt(pair[0].variance)[:, None]
    gain, stake = bet(pair, sizes, null.sign, null.ratio, 1.0)
    wealth = np.exp(gain - stake * null.allowance)
    for laws in product(LAWS, repeat=2):
        gap = null.sign * (laws[0] @ VALUES - null.ratio * (laws[1] @ VALUES))
        if gap <= null.allowance + 1e-12:
            assert (chances(drawn, n, laws) @ wealth <= 1 + 1e-12).all()


@pytest.mark.parametrize(
    "asked", [Asked(EVEN, Null(-1, 1, -0.2)), Asked(Null(-1, 1 / 1.1, 0), Null(1, 1.0, 0))]
)
def test_bets_rest_on_earlier_intervals_only(asked: Asked) -> None:
    """Over two intervals whose means drift the mixture stays fair; it would not if bets looked ahead."""
    n = (1, 1)
    first, second = outcomes(n), outcomes(n)
    rows = len(first[2]) * len(second[2])
    early, late = np.repeat(np.arange(9), 9), np.tile(np.arange(9), 9)
    warm = units(np.tile(np.repeat(VALUES, 12), (rows, 1)))
    known = differences.warm(differences.start(rows), warm)
    for number, (outcome, index) in enumerate(((first, early), (second, late))):
        arms = _take(outcome[0], index), _take(outcome[1], index)
        known = differences.compare(known, arms, Interval("one", 10.0 * number, 10.0, 40.0), EXACT, asked)
    harm = np.exp(wagers.harm_of(known.wager, 40.0))
    safe = np.exp(wagers.safe_of(known.wager, "one"))
    for then, now in product(LAWS, repeat=2):
        p = chances(first[2], n, (then, then))[early] * chances(second[2], n, (now, now))[late]
        assert p @ harm <= 1 + 1e-12
        if asked.safety is not None and asked.safety.allowance == 0:
            assert p @ safe <= 1 + 1e-12


def _take(of: Units, index: FloatArray) -> Units:
    return Units(*(each[index] for each in of))


def test_a_drifting_mean_that_both_versions_share_does_not_alarm() -> None:
    """The mean rises threefold and falls again, the share of users too: false alarms stay within alpha."""
    rng, rows = np.random.default_rng(7), 1000

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        level = 0.02 + 0.04 * math.sin(max(number, 0) / 25) ** 2
        return units((rng.random((rows, size)) < level).astype(float))

    for sizes in ((20, 180), (100, 100)):
        course = follow(draw, EXACT, Asked(EVEN), sizes=sizes, intervals=80, rows=rows)
        assert frequency(course.harm, 0.05) <= tolerated(0.05, rows)


def test_both_directions_are_mirror_images() -> None:
    """Figures seen from the other end, with the other direction, bear the same evidence."""
    rng = np.random.default_rng(11)
    figures = [(rng.beta(2, 5, (4, 30)) * 0.9, rng.beta(2, 5, (4, 200))) for _ in range(20)]
    found = []
    for flip, sign in ((False, 1.0), (True, -1.0)):
        known = differences.start(4)
        for number, pair in enumerate(figures):
            arms = tuple(units(1 - y if flip else y) for y in pair)
            interval = Interval("one", 10.0 * number, 10.0, 200.0)
            asked = Asked(Null(sign, 1, 0.01), Null(-sign, 1, -0.05))
            known = differences.compare(known, arms, interval, EXACT, asked)
        found.append((known.wager.harm, known.wager.safe))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-9)
    assert found[0][1] == pytest.approx(found[1][1], abs=1e-9)


def test_the_bounds_hold_at_every_look() -> None:
    """In at least 95% of rollouts the true difference is within the bounds all the way, and they close in."""
    rng, rows = np.random.default_rng(13), 200
    known = differences.start(rows)
    held, widths = np.ones(rows, dtype=bool), []
    for number in range(40):
        arms = (
            units(rng.beta(2, 5, (rows, 50)) * 0.8 + 0.1),
            units(rng.beta(2, 5, (rows, 450)) * 0.8 + 0.05),
        )
        known = differences.compare(
            known, arms, Interval("one", 10.0 * number, 10.0, 400.0), EXACT, Asked(EVEN)
        )
        if number % 4 == 3:
            bounds = [differences.bounds(known.band, row) for row in range(rows)]
            low, high = (np.array([each[i] for each in bounds], dtype=float) for i in (0, 1))
            held &= (low <= 0.05) & (high >= 0.05)
            widths.append(float(np.mean(high - low)))
    assert held.mean() >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / rows)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.04


def test_nothing_counts_before_the_arms_are_known() -> None:
    """Until the method's units of both arms are known there is no evidence, no bound, and no mass spent."""
    rng = np.random.default_rng(17)
    method = Method(totals.views, bound=None, needs=(300.0, 300.0))
    known = differences.start(1)
    for number in range(30):
        arms = units(rng.exponential(3.0, (1, 10))), units(rng.exponential(1.0, (1, 90)))
        known = differences.compare(
            known, arms, Interval("one", 10.0 * number, 10.0, 600.0), method, Asked(EVEN)
        )
        assert wagers.harm_of(known.wager, 600.0)[0] == 0
        assert differences.bounds(known.band, 0) == (None, None)
    known = differences.compare(known, arms, Interval("one", 300.0, 10.0, 600.0), method, Asked(EVEN))
    assert wagers.harm_of(known.wager, 600.0)[0] != 0


def test_one_version_alone_is_no_evidence() -> None:
    """Without units in one of the arms nothing changes but what is known of the other."""
    rng = np.random.default_rng(19)
    some, none = units(rng.random((1, 40))), units(np.zeros((1, 0)))
    known = differences.warm(differences.start(1), some)
    interval = Interval("one", 0.0, 10.0, 600.0)
    for arms in ((some, none), (none, some)):
        after = differences.compare(known, arms, interval, EXACT, Asked(EVEN))
        assert after.wager is known.wager
        assert after.band is known.band


def test_a_ratio_to_nothing_is_no_evidence() -> None:
    """Where the old version's mean is not above 0 a tolerated ratio means nothing, and nothing is bet."""
    rng = np.random.default_rng(23)
    method = Method(totals.views, bound=None, needs=(0.0, 30.0))
    known = differences.start(1)
    for _ in range(8):
        known = differences.warm(known, units(rng.normal(-3, 1, (1, 400))))
    arms = units(rng.normal(3, 1, (1, 400))), units(rng.normal(-3, 1, (1, 400)))
    interval = Interval("one", 0.0, 10.0, 600.0)
    assert differences.compare(known, arms, interval, method, Asked(Null(1, 1.1, 0))).wager is known.wager
    told = differences.compare(known, arms, interval, method, Asked(Null(1, 1, 0.5)))
    assert wagers.harm_of(told.wager, 600.0)[0] > math.log(100)


def test_noise_of_the_arms_divides_the_evidence() -> None:
    """A floor of 4 leaves a quarter; growth takes more the larger an arm's block is."""
    rng = np.random.default_rng(29)
    warm = differences.warm(differences.start(1), units(rng.beta(2, 5, (1, 500))))
    arms = units(rng.beta(3, 5, (1, 500))), units(rng.beta(2, 5, (1, 500)))
    interval = Interval("one", 0.0, 300.0, 600.0)

    def evidence(dispersion: Dispersion) -> FloatArray:
        asked = Asked(EVEN, Null(-1, 1, -0.1), dispersion)
        return differences.compare(warm, arms, interval, EXACT, asked).wager.harm - np.log(0.56)

    plain, floor, growth = (
        evidence(each) for each in (Dispersion(), Dispersion(floor=4.0), Dispersion(growth=0.01))
    )
    prior = plain[0] - (plain[0] - floor[0]) * 4 / 3
    assert floor[0] - prior == pytest.approx((plain[0] - prior) / 4)
    assert (growth[0] - prior).max() < (plain[0] - prior).max() / 2


def test_a_rule_speaks_in_ratios_or_in_differences() -> None:
    """With a tolerated difference its margins are differences too; else both are ratios, mirrored below."""
    ratio = GuardRule("kpi", "mean", tolerance=1.25, bound=1.0)
    less = replace(ratio, direction="less_is_worse")
    gap = replace(ratio, tolerance_difference=0.5)
    assert harm_null(ratio) == Null(1, 1.25, 0)
    assert safety_null(ratio, 2.0) == Null(-1, 2.0, 0)
    assert harm_null(less) == Null(-1, 0.8, 0)
    assert safety_null(less, 2.0) == Null(1, 0.5, 0)
    assert harm_null(gap) == Null(1, 1, 0.5)
    assert safety_null(replace(gap, direction="less_is_worse"), 0.7) == Null(1, 1, -0.7)


@pytest.mark.parametrize(
    "sample",
    [
        Moments(-1, 0, 0),
        Moments(0, 1.0, 1.0),
        Moments(2, 2.0, 1.9),
        Moments(2, math.nan, 1.0),
        Moments(2, 1.0, math.inf),
        Moments(2, 1.0, 1e200),
        Moments(2, 1.0, -1.0),
        Moments(2, 2.0, 4.0, 2.0, 4.0, 4.1),
        Moments(2, 2.0, 4.0, 2.0, 1.9, 2.0),
    ],
)
def test_sums_that_no_figures_have_are_told(sample: Moments) -> None:
    """Not finite, negative where nothing can be, or against the inequality of Cauchy and Schwarz."""
    assert not are_moments(sample)


def test_sums_of_figures_are_right_to_the_last_digit() -> None:
    """Rounding never makes real sums implausible: a million equal figures, tiny ones, huge ones."""
    for figure, size in ((0.1, 1_000_000), (1e-150, 1000), (1e55, 1000)):
        sample = moments(np.full(size, figure), np.full(size, 3 * figure))
        assert are_moments(sample)
    assert are_moments(Moments(0, 0.0, 0.0))
    assert are_moments(None)


def test_figures_beyond_their_range_are_told() -> None:
    """By their sum, or by their squares where the sum alone could be right."""
    assert is_within(Moments(4, 4.0, 4.0), 0.0, 1.0)
    assert is_within(Moments(10**6, 1e5, 1e5), 0.0, 1.0)
    assert not is_within(Moments(4, 4.5, 6.0), 0.0, 1.0)
    assert not is_within(Moments(4, 2.0, 3.0), 0.0, 1.0)
    assert not is_within(Moments(4, -0.5, 0.5), 0.0, 1.0)
    assert is_within(Moments(4, -4.0, 4.0), -1.0, 1.0)
    assert not is_within(Moments(4, 0.0, 5.0), -1.0, 1.0)


def test_what_is_learned_follows_the_figures() -> None:
    """Mean, spread and covariance come near the truth, and the mean follows when it moves."""
    rng = np.random.default_rng(31)
    memory = no_memory(1)
    for number in range(60):
        x = rng.normal(5, 2, (1, 200))
        y = x + rng.normal(10 if number < 30 else 20, 1, (1, 200))
        memory = learn(memory, units(y, x))
        if number == 29:
            found = [float(each[0]) for each in (memory.mean, memory.variance, memory.covariance)]
            assert found == pytest.approx([15, 5, 4], rel=0.1)
    assert memory.mean[0] == pytest.approx(25, rel=0.03)
    assert memory.units[0] == 60 * 200


@settings(max_examples=20, deadline=None)
@given(
    figures=st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=4, max_size=9),
    power=st.integers(-140, 50),
    kind=st.sampled_from(["mean", "total", "quotient", "gauge"]),
    direction=st.sampled_from(["more_is_worse", "less_is_worse"]),
)
def test_no_figures_break_the_evidence(
    figures: list[list[float]], power: int, kind: str, direction: Direction
) -> None:
    """Tiny, huge, equal or all zero: every evidence is a number, and every verdict can be given."""
    scale, largest = 10.0**power, 10.0 ** max(power, 0)
    rule = GuardRule("kpi", kind, bound=largest, cap=largest, direction=direction)
    rules = Rules((rule,), margins={"one": {"kpi": 1.2}})
    state = begin(rules)
    for number, row in enumerate(figures * 8):
        # Many copies, so that burn-ins pass.
        y = scale * np.tile(np.array(row), 40)
        arms = moments(y[::-1][: len(y) // 2], y[: len(y) // 2] + scale), moments(y, y + scale)
        state = update(rules, state, [reading(300.0 * (number + 1), arms, seconds=300.0)])
        assert state.guards[0].sight.problem is None
    said = verdict(rules, state, now=300.0 * len(figures) * 8, stage="one", share=0.1)
    assert math.isfinite(said.guards[0].harm_log_e)
    assert math.isfinite(said.guards[0].safe_log_e)


def test_a_figure_that_is_known_from_before_to_the_last_digit_breaks_nothing() -> None:
    """Where the second figure foretells the first entirely, rounding is not taken for evidence."""
    rng = np.random.default_rng(37)
    known = differences.start(50)
    for number in range(30):
        y = rng.exponential(1.0, (2, 50, 100))
        arms = units(y[0], y[0] / 3), units(y[1], y[1] / 3)
        interval = Interval("one", 10.0 * number, 10.0, 300.0)
        known = differences.compare(known, arms, interval, totals.METHOD, Asked(EVEN))
    assert (wagers.harm_of(known.wager, 300.0) < math.log(3)).all()
