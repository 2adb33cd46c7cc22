"""Heavy-tailed totals: false alarms under real skew, faults found, and habits of users told apart."""

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
from rollway.judge import GuardRule, Moments, Reading, Rules, begin, replay
from rollway.judge.difference import Asked, Null
from rollway.judge.kinds.total import METHOD, TotalKind
from rollway.judge.logs import FloatArray
from rollway.judge.moments import Units

# Log-normal figures with sigma 1.5, cut off at their p99.9: mean 3.02, deviation 7.07.
CAP = math.exp(1.5 * 3.0902)
MEAN, DEVIATION = 3.02, 7.07
RULE = GuardRule("kpi", "total", cap=CAP, direction="less_is_worse", tolerance=1.05)
RULES = Rules((RULE,), margins={"one": {"kpi": 1.3}}, planned_seconds=600)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    drawn: FloatArray = np.minimum(np.exp(1.5 * rng.standard_normal(shape, dtype=np.float32)), CAP)
    return drawn.astype(float)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("sizes", [(20, 180), (100, 100)])
@pytest.mark.parametrize("tolerance", [1.0, 1.1])
def test_a_tolerable_version_is_seldom_stopped(sign: float, sizes: tuple[int, int], tolerance: float) -> None:
    """With revenue's skew, a level that swings by half and 100 looks false alarms stay within alpha."""
    rng, rows = np.random.default_rng(3), 1000
    ratio = tolerance**sign

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        level = 1 + 0.5 * math.sin(number / 20)
        return units(heavy(rng, (rows, size)) * level * (ratio if is_candidate else 1.0))

    asked = Asked(Null(sign, ratio, 0), Null(-sign, ratio, 0))
    course = follow(draw, METHOD, asked, sizes=sizes, intervals=60, rows=rows)
    assert frequency(course.harm, 0.05) <= tolerated(0.05, rows)
    assert frequency(course.harm, 0.01) <= tolerated(0.01, rows)
    assert frequency(course.safe, 0.05) <= tolerated(0.05, rows)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_change_is_found_within_twice_the_limit(sign: float) -> None:
    """A fifth more, or a sixth less, takes at most twice the units of a test that knows gap and spread."""
    rng, rows, sizes = np.random.default_rng(5), 100, (100, 900)
    times = 1.2**sign

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        return units(heavy(rng, (rows, size)) * (times if is_candidate else 1.0))

    course = follow(draw, METHOD, Asked(Null(sign, 1, 0)), sizes=sizes, intervals=80, rows=rows)
    limit = limit_units(DEVIATION * max(times, 1), abs(times - 1) * MEAN, sizes)
    assert np.isfinite(course.found).mean() > 0.98
    assert np.median(course.found) < 2 * limit


def habits(
    rng: np.random.Generator, rows: int, size: int, times: float, correlation: float
) -> tuple[FloatArray, FloatArray]:
    """Figures of users now and before, both gamma, that share a part of their variance."""
    own = correlation * 1.5
    shared, now, before = (rng.gamma(shape, 2.0, (rows, size)) for shape in (own, 1.5 - own, 1.5 - own))
    return (shared + now) * times, shared + before


def test_habits_known_from_before_at_least_halve_the_time() -> None:
    """With a correlation of 0.9 to the time before, a change is found in less than half the units."""
    rng, rows, sizes = np.random.default_rng(7), 60, (100, 900)
    found = []
    for is_known in (True, False):

        def draw(is_candidate: bool, number: int, size: int, is_known: bool = is_known) -> Units:
            y, x = habits(rng, rows, size, 1.08 if is_candidate else 1.0, 0.9)
            return units(np.minimum(y, 40.0), x if is_known else None)

        course = follow(draw, METHOD, Asked(Null(1, 1, 0)), sizes=sizes, intervals=60, rows=rows)
        found.append(float(np.median(course.found)))
    assert found[0] < found[1] / 2


@pytest.mark.parametrize("ratio", [1.0, 1.2])
def test_habits_do_not_raise_false_alarms(ratio: float) -> None:
    """Adjusted for the time before, versions at what is tolerated are stopped no more often than alpha."""
    rng, rows = np.random.default_rng(11), 500

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        y, x = habits(rng, rows, size, ratio if is_candidate else 1.0, 0.9)
        return units(np.minimum(y, 60.0), x)

    asked = Asked(Null(1, ratio, 0), Null(-1, ratio, 0))
    course = follow(draw, METHOD, asked, sizes=(50, 150), intervals=60, rows=rows)
    assert frequency(course.harm, 0.05) <= tolerated(0.05, rows)
    assert frequency(course.safe, 0.05) <= tolerated(0.05, rows)


def readings(number: int, *, times: float = 1.0) -> list[Reading]:
    rng = np.random.default_rng(13)

    def revenue(size: int, scale: float) -> Moments:
        y = heavy(rng, (size,))
        return moments(np.minimum(y * scale, CAP), np.minimum(y * rng.lognormal(0, 0.5, size), CAP))

    warm = [reading(10.0 * i, (None, revenue(200, 1.0)), share=0.0) for i in range(1, 6)]
    return warm + [reading(10.0 * i, (revenue(50, times), revenue(450, 1.0))) for i in range(6, 6 + number)]


def test_a_drop_is_stopped_and_told() -> None:
    """Revenue that falls by a third is harmful, and the reason gives both means."""
    said = next(v for v in replay(RULES, readings(120, times=0.67)) if v.kind == "harmful")
    assert "lower than the old one's" in said.reason
    assert said.guards[0].difference_high is not None
    assert said.guards[0].difference_high < 0


def test_a_healthy_version_passes() -> None:
    """Equal versions pass; before some hundred users are known it is said what is missing."""
    course = replay(RULES, readings(120))
    assert course[-1].kind == "healthy"
    assert any("more units of the new version must be known" in v.reason for v in course[:10])


def test_revenue_that_vanishes_is_found() -> None:
    """Where no user of the new version pays any more, its own lack of spread does not hide it."""
    said = next(v for v in replay(RULES, readings(60, times=0.0)) if v.kind == "harmful")
    assert said.guards[0].candidate_trials <= 600


def test_sums_above_the_cap_are_never_evidence() -> None:
    """Figures that were not cut off at the cap are implausible."""
    kind, state = TotalKind(), TotalKind().begin()
    for candidate in (Moments(10, 20 * CAP, 50 * CAP**2), Moments(10, 2 * CAP, 11 * CAP**2)):
        assert not kind.is_plausible(RULE, state, reading(10.0, (candidate, None)))


def test_a_total_needs_a_cap() -> None:
    """Without a cap a few users decide everything, so the rule is refused."""
    with pytest.raises(InputError) as error:
        begin(Rules((GuardRule("kpi", "total"),)))
    assert "needs a cap" in error.value.details[0]


@pytest.mark.parametrize("times", [1.0, 0.5])
def test_a_restart_changes_no_bit(times: float) -> None:
    """Dumped and loaded before every reading, the verdicts are the very same."""
    assert_survives_restarts(RULES, readings(25, times=times))
