"""The ratio that people look at."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rollway.judge import ratio as ratios
from rollway.judge.processes import Arms, ratio_increment


def arms(*counts: float) -> Arms:
    return Arms(*(np.array([float(count)]) for count in counts))


def test_the_estimate_is_not_fooled_by_a_drifting_baseline() -> None:
    """Totals over a ramp would say 1.7 times; compared interval by interval both versions are alike."""
    low, high = arms(100, 1, 9900, 99), arms(5000, 150, 5000, 150)
    ratio = ratios.add(ratios.add(ratios.start(1), low), high)
    assert ratios.estimate(ratio, 0) == pytest.approx(1.0)
    assert (151 / 5100) / (249 / 14900) > 1.7


def test_nothing_bad_gives_no_ratio() -> None:
    """Without a bad trial of the old version there is no ratio and no bound, rather than infinity."""
    ratio = ratios.add(ratios.start(1), arms(100, 0, 900, 0))
    assert ratios.estimate(ratio, 0) is None
    assert ratios.bounds(ratio, 0) == (None, None)


def test_bounds_close_in_on_the_truth() -> None:
    """Ten times the data gives a narrower interval around the same ratio."""
    few, many = arms(1000, 40, 9000, 180), arms(10_000, 400, 90_000, 1800)
    wide, narrow = (ratios.bounds(ratios.add(ratios.start(1), each), 0) for each in (few, many))
    assert wide[0] is not None
    assert wide[1] is not None
    assert narrow[0] is not None
    assert narrow[1] is not None
    assert wide[0] < narrow[0] < 2.0 < narrow[1] < wide[1]


def test_bounds_invert_the_test_of_every_ratio() -> None:
    """At the lower bound the evidence that the ratio is higher is just 40, computed the long way."""
    seen = arms(1000, 60, 9000, 180)
    low, high = ratios.bounds(ratios.add(ratios.start(1), seen), 0)
    for bound, sign in ((low, 1), (high, -1)):
        assert bound is not None
        logs = []
        for bet in ratios.BETS:
            m = math.exp(sign * bet * ratios.STEP)
            price = math.log((1000 * bound * m + 9000) / (1000 * bound + 9000))
            logs.append(math.exp(60 * math.log(m) - 240 * price))
        assert sum(logs) / len(logs) == pytest.approx(40, rel=0.02)


def test_the_true_ratio_stays_inside_at_every_look() -> None:
    """Looked at after each of 100 intervals, the interval excludes the truth in less than 5% of runs."""
    rng, runs, truth = np.random.default_rng(5), 400, 1.5
    ratio, wrong = ratios.start(runs), np.zeros(runs, dtype=bool)
    for tick in range(100):
        new, old = rng.poisson(20, runs), rng.poisson(180, runs)
        base = 0.02 * (1 + tick / 50)
        bad = rng.binomial(new, base * truth), rng.binomial(old, base)
        ratio = ratios.add(ratio, Arms(*(n.astype(float) for n in (new, bad[0], old, bad[1]))))
        if tick % 10 == 9:
            bounds = [ratios.bounds(ratio, row) for row in range(runs)]
            wrong |= [(low or 0) > truth or (high or math.inf) < truth for low, high in bounds]
    assert wrong.mean() <= 0.05


@pytest.mark.parametrize("times", [0.2, 1.0, 7.0])
def test_few_points_say_all_of_the_evidence_for_every_ratio(times: float) -> None:
    """At every ratio of the grid, reckoned from the points, it is what the intervals add up to directly."""
    rng, found = np.random.default_rng(4), ratios.start(1)
    grid = np.exp(ratios.STEP * np.arange(-80, 81))
    direct, events = np.zeros(len(grid)), 0.0
    for share in (0.001, 0.1, 0.5, 0.97):
        n_t, n_c = 1e5 * share, 1e5 * (1 - share)
        seen = arms(n_t, rng.binomial(round(n_t), 0.02 * times), n_c, rng.binomial(round(n_c), 0.02))
        found = ratios.add(found, seen)
        direct += ratio_increment(seen, 1.0, grid)[0]
        events += float(seen.candidate_bad[0] + seen.baseline_bad[0])
    assert ratios.on_grid(found, 0) == pytest.approx(direct, abs=1e-12 * events)
