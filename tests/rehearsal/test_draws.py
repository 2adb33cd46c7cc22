"""What is drawn is what the world says, and may be split as chance would have split it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rollway.judge import Assigned, Counts, Histogram, Moments
from rollway.planning.durations import USUAL_BOUNDS, usual_law
from rollway.rehearsal import Fault, Noise, Recorded, Steady, World
from rollway.rehearsal.draws import Place, draw, outcomes, reading, split
from rollway.rehearsal.world import Measure

MEASURES = (
    Measure("errors", "rate", rate=0.1),
    Measure("orders", "rate", rate=0.2, is_good=True, per_request=0.5),
    Measure("latency", "latency", bounds=USUAL_BOUNDS, law=usual_law(USUAL_BOUNDS)),
    Measure("users", "assignment"),
    Measure("score", "mean", rate=0.25, bound=4.0),
)
WORLD = World(Steady(1000.0), MEASURES)


def test_arms_get_their_share_and_their_rate() -> None:
    """Within four standard errors of what the world says."""
    place = Place(0.0, 100.0, 0.1, Fault(2.0, "s", ("errors", "orders", "score")))
    errors, orders, latency, users, score = draw(np.random.default_rng(1), WORLD, place)

    def near(found: float, expected: float) -> bool:
        return bool(abs(found - expected) < 4 * expected**0.5)

    assert near(errors.candidate.sum(), 10_000)
    assert near(errors.candidate[1], 2_000)
    assert near(errors.baseline.sum(), 90_000)
    assert near(errors.baseline[1], 9_000)
    assert near(orders.candidate.sum(), 5_000)
    assert near(orders.candidate[1], 500)
    assert near(users.candidate.sum(), 10_000)
    assert near(score.candidate[1], 5_000)
    slow = USUAL_BOUNDS.index(0.5) + 1
    assert near(latency.baseline[slow:].sum(), 90_000 * sum(usual_law(USUAL_BOUNDS)[slow:]))


def test_a_split_keeps_every_event() -> None:
    """The parts add up, each in proportion to its length."""
    rng = np.random.default_rng(2)
    drawn = draw(rng, WORLD, Place(0.0, 100.0, 0.3))
    pieces = split(rng, drawn, (1, 3))
    for n, whole in enumerate(drawn):
        assert np.array_equal(sum(piece[n].candidate for piece in pieces), whole.candidate)
        assert np.array_equal(sum(piece[n].baseline for piece in pieces), whole.baseline)
    assert pieces[0][0].baseline.sum() / drawn[0].baseline.sum() == pytest.approx(0.25, abs=0.01)


def test_readings_have_the_shape_of_their_kind() -> None:
    """As the signals would hand them to the judge."""
    drawn = draw(np.random.default_rng(3), WORLD, Place(0.0, 10.0, 0.5))
    samples = [reading(each, 0.0, 10.0, "s", 0.5).candidate for each in drawn]
    assert [type(sample) for sample in samples] == [Counts, Counts, Histogram, Assigned, Moments]
    score = samples[4]
    assert isinstance(score, Moments)
    assert score.total / score.units == pytest.approx(1.0, abs=0.1)


def test_a_check_that_never_fails_fails_with_a_fault() -> None:
    """A ratio of nothing would be nothing."""
    assert outcomes(Measure("alive", "check"), None, 10.0) == pytest.approx((0.9, 0.1))


def test_clusters_make_events_vary_more() -> None:
    """Their variance is so many times their mean."""
    noisy = World(Steady(1000.0), MEASURES[:1], Noise(cluster=5.0))
    rng = np.random.default_rng(4)
    bad = [int(draw(rng, noisy, Place(0.0, 1.0, 1.0))[0].candidate[1]) for _ in range(400)]
    assert np.var(bad) / np.mean(bad) == pytest.approx(5.0, rel=0.3)


def test_traffic_follows_the_hours_of_a_zone() -> None:
    """From Monday on, on its clocks: Berlin is an hour ahead in winter."""
    hours = tuple(float(hour) for hour in range(168))
    traffic = Steady(1.0, hours, ZoneInfo("Europe/Berlin"))
    monday = 1_767_571_200.0  # 2026-01-05T00:00Z
    assert traffic.expected(monday, monday + 3600) == pytest.approx(3600 * 1)
    assert traffic.expected(monday + 1800, monday + 5400) == pytest.approx(1800 * 1 + 1800 * 2)


def test_a_record_begins_anew_where_it_ends() -> None:
    """And holds each figure until the next."""
    record = Recorded((0.0, 60.0), 120.0, (1.0, 3.0), {"errors": (0.1, 0.2)})
    assert record.expected(30.0, 90.0) == pytest.approx(30 + 90)
    assert record.expected(0.0, 1200.0) == pytest.approx(10 * 240)
    assert (record.rate("errors", 110.0, 120.0), record.rate("errors", 120.0, 130.0)) == (0.2, 0.1)
    assert record.rate("latency", 0.0, 1.0) is None
