"""Quotients of totals: events that come in clusters of users are no trap, and faults are found."""

from __future__ import annotations

import numpy as np
import pytest

from judge.crowd import assert_survives_restarts, follow, frequency, moments, reading, tolerated, units
from rollway.judge import Counts, GuardRule, Moments, Reading, Rules, begin, replay, update, verdict
from rollway.judge.difference import Asked, Method, Null
from rollway.judge.kinds.mean import views as mean_views
from rollway.judge.kinds.quotient import METHOD, QuotientKind
from rollway.judge.logs import FloatArray
from rollway.judge.moments import Units

RULES = Rules((GuardRule("kpi", "quotient"),), margins={"one": {"kpi": 1.5}}, planned_seconds=600)


def sessions(
    rng: np.random.Generator, shape: tuple[int, ...], times: float, visits: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Errors and sessions of users: few users have most sessions, and few have most errors per session."""
    x = 1.0 + rng.poisson(rng.gamma(0.5, 8 * visits, shape))
    y = rng.poisson(x * rng.gamma(0.5, 0.1 * times, shape))
    return y.astype(float), x


@pytest.mark.parametrize(("sign", "ratio"), [(1.0, 1.0), (1.0, 1.2), (-1.0, 1 / 1.2)])
@pytest.mark.parametrize("visits", [1.0, 1.3])
def test_a_tolerable_version_is_seldom_stopped(sign: float, ratio: float, visits: float) -> None:
    """Clustered errors, a drifting quotient, even more sessions per user: false alarms stay within alpha."""
    rng, rows = np.random.default_rng(3), 300

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        drift = 1 + 0.3 * np.sin(number / 10)
        times, more = (ratio * drift, visits) if is_candidate else (drift, 1.0)
        return units(*sessions(rng, (rows, size), times, more))

    asked = Asked(Null(sign, ratio, 0), Null(-sign, ratio, 0))
    course = follow(draw, METHOD, asked, sizes=(30, 170), intervals=40, rows=rows)
    assert frequency(course.harm, 0.05) <= tolerated(0.05, rows)
    assert frequency(course.safe, 0.05) <= tolerated(0.05, rows)


def test_counting_events_instead_of_users_would_alarm() -> None:
    """Seen as single sessions that fail or not, the same healthy users raise many a false alarm."""
    rng, rows = np.random.default_rng(5), 200

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        y, x = sessions(rng, (rows, size), 1.0)
        total, trials = np.minimum(y, x).sum(1), x.sum(1)
        return Units(trials, total, total, *(np.zeros(rows) for _ in range(3)))

    naive = Method(mean_views, bound=None, needs=(300.0, 300.0))
    course = follow(draw, naive, Asked(Null(1, 1, 0)), sizes=(100, 100), intervals=40, rows=rows)
    assert frequency(course.harm, 0.05) > 0.15


@pytest.mark.parametrize(("sign", "ratio"), [(1.0, 1.5), (-1.0, 1 / 1.5)])
def test_rare_events_are_no_trap(sign: float, ratio: float) -> None:
    """With one error in a hundred users their spread is unknown for long; until then nothing is bet on it."""
    rng, rows = np.random.default_rng(11), 500

    def draw(is_candidate: bool, number: int, size: int) -> Units:
        x = 1.0 + rng.poisson(4, (rows, size))
        return units(rng.poisson(x * 0.002 * (ratio if is_candidate else 1.0)).astype(float), x)

    asked = Asked(Null(sign, ratio, 0), Null(-sign, ratio, 0))
    course = follow(draw, METHOD, asked, sizes=(20, 180), intervals=60, rows=rows)
    assert frequency(course.harm, 0.05) <= tolerated(0.05, rows)
    assert frequency(course.safe, 0.05) <= tolerated(0.05, rows)


def readings(number: int, times: float) -> list[Reading]:
    rng = np.random.default_rng(7)

    def users(size: int, factor: float) -> Moments:
        return moments(*sessions(rng, (size,), factor))

    warm = [reading(10.0 * i, (None, users(200, 1.0)), share=0.0) for i in range(1, 6)]
    return warm + [reading(10.0 * i, (users(60, times), users(540, 1.0))) for i in range(6, 6 + number)]


def test_more_errors_per_session_are_stopped_and_told() -> None:
    """Twice as many are harmful; what is shown are errors per session, not per user."""
    said = next(v for v in replay(RULES, readings(100, 2.0)) if v.kind == "harmful")
    assert "the new version's quotient is" in said.reason
    assert said.guards[0].baseline_mean == pytest.approx(0.05, rel=0.2)
    assert said.guards[0].candidate_trials < 3000


def test_a_healthy_version_passes() -> None:
    """Equal versions pass a margin of 1.5."""
    assert replay(RULES, readings(60, 1.0))[-1].kind == "healthy"


@pytest.mark.parametrize(
    "sample", [Counts(10, 1), Moments(10, 5.0, 5.0), Moments(10, 5.0, 5.0, -3.0, 9.0, -4.0)]
)
def test_what_has_no_denominator_is_implausible(sample: Counts | Moments) -> None:
    """A quotient needs second figures that are not negative."""
    assert not QuotientKind().is_plausible(
        RULES.guards[0], QuotientKind().begin(), reading(10.0, (sample, None))
    )  # type: ignore[arg-type]


def test_no_denominator_at_all_is_no_evidence() -> None:
    """Users without a single session teach nothing, and nothing breaks."""
    state = begin(RULES)
    for i in range(1, 30):
        state = update(RULES, state, [reading(10.0 * i, (Moments(50, 0.0, 0.0), Moments(500, 0.0, 0.0)))])
    said = verdict(RULES, state, now=290.0, stage="one", share=0.1)
    assert said.kind == "undecided"
    assert said.guards[0].harm_log_e == 0


@pytest.mark.parametrize("times", [1.0, 3.0])
def test_a_restart_changes_no_bit(times: float) -> None:
    """Dumped and loaded before every reading, the verdicts are the very same."""
    assert_survives_restarts(RULES, readings(25, times))
