"""The tilt: not evidence against a version that is within tolerance, soon evidence against a slower one."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import tail, tilt
from rollway.judge import wager as wagers
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval

BOUNDS = tuple(0.025 * 1.32**k for k in range(15))
THREE = (0.1, 0.4)
TOLERANCES = (0.8, 1.0, 1.1, 1.6)


@cache
def samples(requests: int) -> tuple[tuple[int, int, int], ...]:
    """All ways in which so many requests can fall into three buckets."""
    every = product(range(requests + 1), repeat=2)
    return tuple((a, b, requests - a - b) for a, b in every if a + b <= requests)


def chance(sample: tuple[int, ...], law: tuple[float, ...]) -> float:
    """The multinomial probability of a sample."""
    ways = math.factorial(sum(sample)) / math.prod(math.factorial(n) for n in sample)
    return ways * math.prod(p**n for p, n in zip(law, sample, strict=True))


def laws(steps: int) -> list[tuple[float, ...]]:
    """All laws of three buckets on a grid, those with empty buckets too."""
    return [tuple(n / steps for n in sample) for sample in samples(steps)]


def slowest(law: tuple[float, ...], tolerance: float) -> tuple[float, ...]:
    """The slowest law that is still within tolerance of `law`."""
    over_all = min(1.0, tolerance * (law[1] + law[2]))
    over = min(over_all, tolerance * law[2])
    return (1 - over_all, over_all - over, over)


def is_tolerated(new: tuple[float, ...], old: tuple[float, ...], tolerance: float) -> bool:
    worst = slowest(old, tolerance)
    return new[2] <= worst[2] + 1e-12 and new[1] + new[2] <= worst[1] + worst[2] + 1e-12


def mean(
    new: tuple[float, ...], old: tuple[float, ...], size: tuple[int, int], *rows: FloatArray
) -> FloatArray:
    """The exact expectation of exp(increment), with rows = (bends, tolerance)."""
    bends, tolerance = rows
    n_t, n_c = size
    pairs = list(product(samples(n_t), samples(n_c)))
    arms = np.array(pairs, dtype=float)
    odds = np.array([chance(h, new) * chance(c, old) for h, c in pairs])
    found: FloatArray = odds @ np.exp(tilt.increment(arms[:, 0], arms[:, 1], bends, float(tolerance)))
    return found


def drawn(tolerance: float) -> FloatArray:
    """Bends from some history, from hardly any, and some that no history gives."""
    seen = [
        tail.bends(np.array(THREE), np.array(c), tolerance) for c in ((700.0, 250.0, 50.0), (1.0, 0.0, 0.0))
    ]
    odd = np.array([[0.2, 0.2, 9.0], [0.9, 1.0, 1.4], [1.0, 30.0, 30.0], [0.01, 3.0, 500.0]])
    return np.concatenate([*seen, odd])


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3), (3, 3), (2, 5)])
def test_within_tolerance_nothing_is_expected_to_be_won(tolerance: float, size: tuple[int, int]) -> None:
    """Enumerated: for all laws of a grid that the null holds for, the expectation is at most 1."""
    bends = drawn(tolerance)
    bends = np.concatenate([bends, tilt.normed(bends, np.array([0.5, 0.3, 0.2]), tolerance)])
    worst = 0.0
    for old in laws(5):
        tolerated = [new for new in laws(5) if is_tolerated(new, old, tolerance)]
        for new in (*tolerated, slowest(old, tolerance)):
            worst = max(worst, mean(new, old, size, bends, np.array(tolerance)).max())
    assert worst <= 1 + 1e-12
    assert worst > 0.9


def test_the_enumeration_can_fail() -> None:
    """The same sum exceeds 1 for a law beyond tolerance, and for a bet that falls with duration."""
    old, one = (0.6, 0.3, 0.1), np.array(1.0)
    assert mean((0.5, 0.3, 0.2), old, (3, 3), np.array([[0.9, 1.0, 1.6]]), one).max() > 1.01
    assert mean((0.9, 0.1, 0.0), old, (3, 3), np.array([[1.6, 1.0, 0.9]]), one).max() > 1.01


@pytest.mark.parametrize("tolerance", [1.0, 1.3])
def test_bends_drawn_anew_keep_the_wealth_fair(tolerance: float) -> None:
    """Over two intervals, bends being drawn from what was seen, wealth is expected to rise from no node."""
    old = (0.6, 0.3, 0.1)
    new = slowest(old, tolerance)

    def step(before: tilt.Tilt, h: tuple[int, ...], c: tuple[int, ...], at: float) -> tilt.Tilt:
        found = tilt.draw(before, THREE, f"stage {at}", tolerance)
        arms = np.array(h, dtype=float), np.array(c, dtype=float)
        found = tilt.add(found, *arms, Interval(f"stage {at}", at, 10.0, 100.0), tolerance=tolerance)
        return tilt.learn(found, arms[1], 10.0)

    def wealth(found: tilt.Tilt) -> float:
        return math.exp(tilt.harm_of(found, 100.0))

    pairs = [(h, c, chance(h, new) * chance(c, old)) for h, c in product(samples(2), samples(2))]
    first = [
        (step(tilt.learn(tilt.start(3), np.array([3.0, 2.0, 1.0]), 10.0), h, c, 0.0), p) for h, c, p in pairs
    ]
    assert sum(p * wealth(node) for node, p in first) <= 1 + 1e-12
    for node, _ in first[::5]:
        after = [(step(node, h, c, 10.0), p) for h, c, p in pairs]
        assert len({found.rises.table.tobytes() for found, _ in after}) == 1
        assert not np.array_equal(after[0][0].rises.table, node.rises.table)
        assert sum(p * wealth(found) for found, p in after) <= wealth(node) * (1 + 1e-12)


def lognormal(times: float = 1.0) -> FloatArray:
    """The shares of the buckets of log-normal durations: median 0.1 s, sigma 0.6, p99 404 ms."""
    z = [math.log(bound / (0.1 * times)) / 0.6 for bound in BOUNDS]
    above = [1.0, *(0.5 * math.erfc(each / 2**0.5) for each in z), 0.0]
    return -np.diff(above)


def course(times: float, runs: int, tolerance: float = 1.0, looks: int = 60) -> tuple[FloatArray, FloatArray]:
    """The highest evidence of each run, and how many candidate requests had been served by log 20."""
    rng = np.random.default_rng(2026)
    known = rng.multinomial(20_000, lognormal()).astype(float)
    bends = tilt.normed(tail.bends(np.array(BOUNDS), known, tolerance), tail.shares(known), tolerance)
    wager = wagers.start(runs, tilt.ODDS)
    highest, served = np.zeros(runs), np.zeros(runs)
    for look in range(looks):
        share = (0.01, 0.1, 0.5)[look * 3 // looks]
        n_t = rng.binomial(6000, share, runs) + 1
        served += np.where(highest < math.log(20), n_t, 0)
        arms = rng.multinomial(n_t, lognormal(times)), rng.multinomial(6001 - n_t, lognormal())
        against = tilt.increment(arms[0].astype(float), arms[1].astype(float), bends, tolerance)
        interval = Interval(str(share), 60.0 * look, 60.0, 3600.0)
        wager = wagers.add(wager, tilt.ODDS, interval, against, None)
        highest = np.maximum(highest, wagers.harm_of(wager, 3600.0))
    return highest, served


def test_equal_versions_are_seldom_stopped() -> None:
    """Of 2,000 rollouts of an equal version at most 5% ever reach 20, over 60 looks and three stages."""
    highest, _ = course(1.0, 2000)
    assert 0.002 < (highest >= math.log(20)).mean() < 0.05


def test_a_version_at_the_end_of_its_tolerance_is_seldom_stopped() -> None:
    """1.02 times as long is within 1.1 times as many slow requests, and is let be."""
    highest, _ = course(1.02, 500, tolerance=1.1)
    assert (highest >= math.log(20)).mean() < 0.05


def test_all_requests_slower_by_a_tenth_are_found_near_the_limit() -> None:
    """Whoever knew both laws would need 238 requests; the tilt takes at most 2.5 times as many."""
    highest, served = course(1.1, 500)
    assert (highest >= math.log(20)).all()
    assert served.mean() < 2.5 * 238


counts = st.lists(st.integers(0, 2**53), min_size=16, max_size=16).map(lambda n: np.array(n, dtype=float))
modest = st.lists(st.integers(0, 500), min_size=16, max_size=16).map(lambda n: np.array(n, dtype=float))


@given(counts, counts, counts, st.sampled_from(TOLERANCES))
@settings(max_examples=60)
def test_whatever_is_counted_the_wealth_is_a_number(
    known: FloatArray, candidate: FloatArray, baseline: FloatArray, tolerance: float
) -> None:
    """Empty buckets, and counts as large as can be counted, give finite evidence."""
    found = tilt.draw(tilt.learn(tilt.start(16), known, 60.0), BOUNDS, "one", tolerance)
    interval = Interval("one", 0.0, 60.0, 3600.0)
    found = tilt.add(found, candidate, baseline, interval, tolerance=tolerance)
    assert math.isfinite(tilt.harm_of(found, 3600.0))
    assert np.isfinite(found.rises.table).all()


@given(modest, modest, st.sampled_from((1.0, 1.1, 1.6)))
@settings(max_examples=60)
def test_equal_arms_are_no_evidence(known: FloatArray, arm: FloatArray, tolerance: float) -> None:
    """Where both versions have the same durations nothing is won by any bet."""
    if arm.any():
        bends = tail.bends(np.array(BOUNDS), known, tolerance)
        assert (tilt.increment(arm, arm, bends, tolerance) <= 1e-9).all()


@given(modest, modest, st.integers(0, 14), st.sampled_from(TOLERANCES))
@settings(max_examples=60)
def test_a_slower_request_never_speaks_for_the_new_version(
    candidate: FloatArray, baseline: FloatArray, bucket: int, tolerance: float
) -> None:
    """In a slower bucket one of the new version never lowers wealth, one of the old never raises it."""
    bends = tail.bends(np.array(BOUNDS), lognormal() * 5000, tolerance)
    moved, here = np.eye(16)[bucket + 1], np.eye(16)[bucket]
    before = tilt.increment(candidate + here, baseline + here, bends, tolerance)
    assert (tilt.increment(candidate + moved, baseline + here, bends, tolerance) >= before - 1e-9).all()
    assert (tilt.increment(candidate + here, baseline + moved, bends, tolerance) <= before + 1e-9).all()


def test_without_requests_of_both_versions_nothing_changes() -> None:
    """Silence is no evidence, and spends nothing."""
    known = tilt.draw(tilt.learn(tilt.start(16), lognormal() * 5000, 60.0), BOUNDS, "one", 1.1)
    interval = Interval("one", 0.0, 60.0, 3600.0)
    none, some = np.zeros(16), lognormal() * 100
    assert tilt.add(known, none, some, interval, tolerance=1.1) is known
    assert tilt.add(known, some, none, interval, tolerance=1.1) is known


def test_bends_are_drawn_in_new_stages_and_as_knowledge_doubles() -> None:
    """Between them they stay; what is old is forgotten by halves."""
    found = tilt.draw(tilt.learn(tilt.start(16), lognormal() * 1000, 60.0), BOUNDS, "one", 1.0)
    assert tilt.draw(found, BOUNDS, "one", 1.0) is found
    more = tilt.learn(found, lognormal(2.0) * 500, 60.0)
    assert tilt.draw(more, BOUNDS, "one", 1.0) is more
    assert not np.array_equal(tilt.draw(more, BOUNDS, "two", 1.0).rises.table, found.rises.table)
    again = tilt.learn(more, lognormal(2.0) * 600, 60.0)
    assert not np.array_equal(tilt.draw(again, BOUNDS, "one", 1.0).rises.table, found.rises.table)
    later = tilt.learn(found, np.zeros(16), tilt.HALF_LIFE_SECONDS)
    assert later.recent.sum() == pytest.approx(found.recent.sum() / 2)


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize("size", [(3, 5), (120, 900), (2_000_000, 1_000_000_000)])
def test_a_course_adds_what_the_proof_is_of(tolerance: float, size: tuple[int, int]) -> None:
    """What an interval adds to a course's wealth is `increment` of the bends as they are normed."""
    rng = np.random.default_rng(5)
    known = rng.multinomial(20_000, lognormal()).astype(float)
    found = tilt.draw(tilt.learn(tilt.start(len(known)), known, 10.0), BOUNDS, "ten", tolerance)
    bends = tilt.normed(
        tail.bends(np.array(BOUNDS), found.recent, tolerance), tail.shares(found.recent), tolerance
    )
    new, old = (rng.multinomial(n, lognormal(1.2)).astype(float) for n in size)
    against = tilt.increment(new, old, bends, tolerance)
    interval = Interval("ten", 0.0, 10.0, 100.0)
    expected = wagers.add(found.wager, tilt.ODDS, interval, against[np.newaxis], None)
    added = tilt.add(found, new, old, interval, tolerance=tolerance)
    np.testing.assert_allclose(added.wager.harm, expected.harm, rtol=1e-9, atol=1e-9)
    assert np.abs(against).max() > 0
