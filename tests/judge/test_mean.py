"""Means of bounded figures, from readings to verdicts, and what exactness costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judge.crowd import (
    assert_survives_restarts,
    follow,
    frequency,
    limit_units,
    moments,
    reading,
    tolerated,
    units,
)
from rollway.errors import InputError
from rollway.judge import Counts, Dispersion, GuardRule, Moments, Reading, Rules, begin, replay, update
from rollway.judge.arithmetic import information
from rollway.judge.difference import Asked, Method, Null
from rollway.judge.kinds.mean import MeanKind, views
from rollway.judge.moments import Units

RULE = GuardRule("kpi", "mean", bound=10.0, tolerance=1.05)
RULES = Rules((RULE,), margins={"one": {"kpi": 1.2}}, planned_seconds=600)
EXACT = Method(views, bound=1.0, needs=(0.0, 30.0))


def readings(number: int, *, times: float = 1.0, seed: int = 3, per_tick: int = 300) -> list[Reading]:
    """Scores of users between 0 and 10 with mean 2 and deviation 1.3, a tenth of them of the new version."""
    rng = np.random.default_rng(seed)

    def scores(size: int, scale: float) -> Moments:
        return moments(np.minimum(rng.gamma(2.4, 2 / 2.4 * scale, size), 10.0))

    warm = [reading(10.0 * i, (None, scores(per_tick, 1.0)), share=0.0) for i in range(1, 6)]
    return warm + [
        reading(10.0 * i, (scores(per_tick // 10, times), scores(per_tick, 1.0)))
        for i in range(6, 6 + number)
    ]


def test_a_version_with_a_higher_mean_is_stopped_and_told() -> None:
    """A mean that is 25% higher is harmful within some hundred users; the reason says by how much."""
    said = next(v for v in replay(RULES, readings(100, times=1.25)) if v.kind == "harmful")
    assert said.guards[0].candidate_trials < 1500
    assert "the new version's mean is" in said.reason
    assert "higher than the old one's" in said.reason
    low, high = said.guards[0].difference_low, said.guards[0].difference_high
    assert low is not None
    assert high is not None
    assert 0 < low < 0.5 < high
    assert said.guards[0].candidate_mean == pytest.approx(2.5, rel=0.1)


def test_a_healthy_version_passes_its_margin() -> None:
    """Equal versions are shown to be below 1.2 times the mean, and what is still needed shrinks to that."""
    course = replay(RULES, readings(80))
    healthy = next(v for v in course if v.kind == "healthy")
    assert healthy.guards[0].candidate_trials < 600
    early = MeanKind().safety(RULE, RULES, _after(readings(1)), "one")
    assert early.needed is not None
    assert 30 < early.needed < 300


def _after(given: list[Reading]) -> object:
    return update(RULES, begin(RULES), given).guards[0].evidence


def test_less_can_be_worse() -> None:
    """Where less is worse a drop is harmful and a rise is not."""
    rule = GuardRule("kpi", "mean", bound=10.0, tolerance=1.05, direction="less_is_worse")
    rules = Rules((rule,), planned_seconds=600)
    drop = next(v for v in replay(rules, readings(100, times=0.75)) if v.kind == "harmful")
    assert "lower than the old one's" in drop.reason
    assert all(v.kind != "harmful" for v in replay(rules, readings(60, times=1.25)))


def test_a_tolerated_difference_is_tolerated() -> None:
    """A mean 0.5 higher is no harm where 0.6 is tolerated, and safe where a margin of 0.9 is asked for."""
    rule = GuardRule("kpi", "mean", bound=10.0, tolerance_difference=0.6)
    rules = Rules((rule,), margins={"one": {"kpi": 0.9}}, planned_seconds=600)
    course = replay(rules, readings(150, times=1.25))
    assert all(v.kind != "harmful" for v in course)
    assert course[-1].kind == "healthy"


def test_a_rate_can_be_judged_by_a_difference() -> None:
    """Counts are figures of 0 and 1: two points of a percentage more are found where half a point is fine."""
    rule = GuardRule("kpi", "mean", bound=1.0, tolerance_difference=0.005)
    rng = np.random.default_rng(5)
    given = [
        Reading(
            "kpi",
            10.0 * i,
            10.0 * i + 10,
            "one",
            0.1,
            Counts(100, int(rng.binomial(100, 0.04))),
            Counts(900, int(rng.binomial(900, 0.02))),
        )
        for i in range(150)
    ]
    assert replay(Rules((rule,), planned_seconds=1500), given)[-1].kind == "harmful"


def test_a_share_costs_little_more_than_the_limit() -> None:
    """A rate of 5% that doubles takes less than twice the units of a test that knows all."""
    rng, rows, sizes = np.random.default_rng(7), 200, (20, 180)

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        return units((rng.random((rows, size)) < (0.1 if is_candidate else 0.05)).astype(float))

    course = follow(draw, EXACT, Asked(Null(1, 1, 0)), sizes=sizes, intervals=120, rows=rows)
    told = information(base_rate=0.05, truth=2.0, null=1.0, share=0.1)
    assert np.mean(course.found) < 2 * math.log(20) / told


def test_exactness_costs_little() -> None:
    """Skewed figures: a fifth more is found within twice the units of a test that knows gap and spread."""
    rng, rows, sizes = np.random.default_rng(11), 150, (20, 180)

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        return units(np.minimum(rng.gamma(1.0, 0.06 if is_candidate else 0.05, (rows, size)), 1.0))

    course = follow(draw, EXACT, Asked(Null(1, 1, 0)), sizes=sizes, intervals=100, rows=rows)
    assert np.isfinite(course.found).all()
    assert np.median(course.found) < 2 * limit_units(0.06, 0.01, sizes)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_decisions_are_those_of_a_plain_test_given_the_same_users(sign: float) -> None:
    """Where a z-test at the end is far beyond doubt the evidence is too, where it is not there is none."""
    rng, rows, sizes = np.random.default_rng(13), 300, (50, 50)
    gaps = sign * np.where(np.arange(rows) % 2 == 0, 0.0, 0.05)[:, None]
    sums = np.zeros((2, 2, rows))

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        y = rng.beta(4, 4, (rows, size)) * 0.8 + 0.1 + (gaps if is_candidate else 0.0)
        if number >= 0:
            sums[int(is_candidate)] += y.sum(1), (y * y).sum(1)
        return units(y)

    course = follow(draw, EXACT, Asked(Null(sign, 1, 0)), sizes=sizes, intervals=20, rows=rows)
    mean = sums[:, 0] / 1000
    variance = sums[:, 1] / 1000 - mean**2
    z = sign * (mean[1] - mean[0]) / np.sqrt(variance.sum(0) / 1000)
    is_found = course.harm >= math.log(20)
    assert is_found[z > 5].all()
    assert not is_found[(z < 1.5)].any()


def test_a_version_at_its_margin_is_seldom_passed() -> None:
    """Exactly as bad as the margin, in either direction, a version passes in at most 5% of rollouts."""
    rng, rows = np.random.default_rng(17), 1000
    for sign in (1.0, -1.0):
        ratio = 1.2**sign

        def draw(is_candidate: bool, number: int, size: int, ratio: float = ratio) -> Units:
            return units(np.minimum(rng.gamma(2, 0.05, (rows, size)), 0.8) * (ratio if is_candidate else 1.0))

        asked = Asked(Null(sign, 1.5**sign, 0), Null(-sign, ratio, 0))
        course = follow(draw, EXACT, asked, sizes=(20, 180), intervals=50, rows=rows)
        assert frequency(course.safe, 0.05) <= tolerated(0.05, rows)


def test_figures_beyond_the_bound_are_never_evidence() -> None:
    """A reading whose sums need a figure above the bound is implausible: neither evidence nor seen."""
    broken = reading(1000.0, (Moments(10, 150.0, 2300.0), Moments(100, 200.0, 600.0)))
    before = update(RULES, begin(RULES), readings(20))
    guard = update(RULES, before, [broken]).guards[0]
    assert guard.sight.problem == "implausible"
    assert guard.sight.candidate.total == before.guards[0].sight.candidate.total
    assert guard.evidence is before.guards[0].evidence


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (GuardRule("kpi", "mean"), "needs a bound"),
        (GuardRule("kpi", "mean", bound=math.inf), "needs a bound"),
        (GuardRule("kpi", "mean", bound=1.0, tolerance_difference=-0.1), "tolerance_difference"),
        (GuardRule("kpi", "mean", bound=1.0, limit=0.5), "no limit"),
        (GuardRule("kpi", "mean", bound=1.0, dispersion=Dispersion(growth=-1)), "growth"),
    ],
)
def test_rules_that_cannot_be_judged_by_are_told(rule: GuardRule, text: str) -> None:
    """What a mean lacks is said before anything runs."""
    with pytest.raises(InputError) as error:
        begin(Rules((rule,)))
    assert any(text in detail for detail in error.value.details)


@pytest.mark.parametrize("times", [1.0, 1.5])
def test_a_restart_changes_no_bit(times: float) -> None:
    """Dumped and loaded before every reading, the verdicts are the very same."""
    assert_survives_restarts(RULES, readings(25, times=times))
