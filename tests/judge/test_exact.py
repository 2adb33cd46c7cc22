"""Every outcome of a small experiment, weighed by its probability: no test gains while its null holds.

Expectations are sums over all outcomes, not simulations, so a wrong formula cannot hide behind luck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.judge import Counts, Dispersion, GuardRule, Reading, Rules, begin, dump, update
from rollway.judge import comparison as comparisons
from rollway.judge import limit as limits
from rollway.judge.comparison import Comparison
from rollway.judge.exceedance import limit_of
from rollway.judge.kinds import KINDS
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval
from rollway.judge.processes import Arms

LARGEST = 6
ROUNDING = 1e-12
PLANNED = 60.0
RATES = (0.0, 0.003, 0.05, 0.2, 0.5, 0.9, 1.0)
PAIRS = ((1, 1), (4, 1), (1, 4), (3, 3))
FIRST = Interval("one", 0.0, 10.0, PLANNED)
SECOND = Interval("ten", 10.0, 30.0, PLANNED)
NOISE = Dispersion(floor=1.3, growth=0.5, block_seconds=120.0)
DIRECTIONS: tuple[Any, ...] = ("more_is_worse", "less_is_worse")
counts = st.integers(0, 2**53)
few = st.integers(0, 40)


@dataclass(frozen=True)
class World:
    """The trials of candidate and baseline in an interval, and the true rates of both."""

    trials: tuple[int, int]
    rates: tuple[float, float]


def binomial(trials: int, rate: float) -> FloatArray:
    return np.array([comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(trials + 1)])


def outcomes(trials: tuple[int, int]) -> FloatArray:
    """All counts of events of candidate and baseline, shape (outcomes, 2)."""
    return np.array(list(product(range(trials[0] + 1), range(trials[1] + 1))), dtype=np.float64)


def chances(world: World) -> FloatArray:
    """The probability of each row of `outcomes`."""
    new, old = (binomial(n, p) for n, p in zip(world.trials, world.rates, strict=True))
    return np.outer(new, old).ravel()


def arms(trials: tuple[int, int], events: FloatArray) -> Arms:
    rows = np.ones(len(events))
    return Arms(rows * trials[0], events[:, 0], rows * trials[1], events[:, 1])


def compared(trials: list[tuple[int, int]], **how: Any) -> Comparison:
    """The comparison for every course of one or two intervals, a row each."""
    how = {"tolerance": 1.0, "margin": None, **how}
    first = outcomes(trials[0])
    if len(trials) == 1:
        return comparisons.compare(comparisons.start(len(first)), arms(trials[0], first), FIRST, **how)
    second = outcomes(trials[1])
    before, after = np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1))
    found = comparisons.compare(comparisons.start(len(before)), arms(trials[0], before), FIRST, **how)
    return comparisons.compare(found, arms(trials[1], after), SECOND, **how)


def expected(log_e: FloatArray, worlds: list[World]) -> float:
    chance = chances(worlds[0])
    for world in worlds[1:]:
        chance = np.outer(chance, chances(world)).ravel()
    return float(chance @ np.exp(log_e))


def rates_at(base: float, ratio: float, direction: str) -> tuple[float, float]:
    """(candidate, baseline) at candidate/baseline = ratio; the reverse where less is worse."""
    return (base * ratio, base) if direction == "more_is_worse" else (base, base * ratio)


def null_rates(bound: float, direction: str, *, is_harm: bool) -> list[tuple[float, float]]:
    """Rates within a tolerance, or at and beyond a margin; only such as are rates."""
    parts = (0.0, 0.6, 1.0) if is_harm else (1.0, 1.4, 8.0)
    pairs = [rates_at(base, bound * part, direction) for base, part in product(RATES, parts)]
    return [pair for pair in pairs if max(pair) <= 1]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("bound", [1.0, 1.1, 2.0])
def test_one_interval_never_gains_on_average(bound: float, direction: Any) -> None:
    """Harm and safety, both directions, all sizes up to 6 on 6, all rates in the null."""
    for trials in product(range(LARGEST + 1), repeat=2):
        found = compared([trials], tolerance=bound, margin=bound, direction=direction)
        for is_harm in (True, False):
            log_e = comparisons.harm_of(found, PLANNED) if is_harm else comparisons.safe_of(found, "one")
            for rates in null_rates(bound, direction, is_harm=is_harm):
                assert expected(log_e, [World(trials, rates)]) <= 1 + ROUNDING, (trials, rates)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("bound", [1.0, 1.3])
def test_two_intervals_never_gain_on_average(bound: float, direction: Any) -> None:
    """The base rate, the share and the stage change in between; harm keeps its wealth through it all."""
    for trials in product(PAIRS, repeat=2):
        found = compared(list(trials), tolerance=bound, direction=direction)
        log_e = comparisons.harm_of(found, PLANNED)
        for one, two in product(null_rates(bound, direction, is_harm=True)[::3], repeat=2):
            assert expected(log_e, [World(trials[0], one), World(trials[1], two)]) <= 1 + ROUNDING


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_safety_in_a_new_stage_never_gains_on_average(direction: Any) -> None:
    """Safety starts anew in the second stage, and there too a version at its margin earns nothing."""
    for trials in product(PAIRS, repeat=2):
        found = compared(list(trials), margin=1.5, direction=direction)
        log_e = comparisons.safe_of(found, "ten")
        for one, two in product(null_rates(1.5, direction, is_harm=False), repeat=2):
            assert expected(log_e, [World(trials[0], one), World(trials[1], two)]) <= 1 + ROUNDING


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_divided_evidence_never_gains_where_both_are_alike(direction: Any) -> None:
    """The factor depends on the interval's own events; at ratio 1 that costs no validity at any rate."""
    for trials in product(PAIRS, repeat=2):
        found = compared(list(trials), margin=1.0, dispersion=NOISE, direction=direction)
        harm, safe = comparisons.harm_of(found, PLANNED), comparisons.safe_of(found, "ten")
        for one, two in product(RATES, repeat=2):
            worlds = [World(trials[0], (one, one)), World(trials[1], (two, two))]
            assert expected(harm, worlds) <= 1 + ROUNDING
            assert expected(safe, worlds) <= 1 + ROUNDING


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_divided_evidence_never_gains_within_a_common_tolerance(direction: Any) -> None:
    """At tolerances up to 1.5 and rates up to one half the mixture of divided bets does not gain."""
    for trials, bound in product(product(range(LARGEST + 1), repeat=2), (1.1, 1.5)):
        found = compared([trials], tolerance=bound, dispersion=NOISE, direction=direction)
        log_e = comparisons.harm_of(found, PLANNED)
        for rates in null_rates(bound, direction, is_harm=True):
            if max(rates) <= 0.5 * bound:
                assert expected(log_e, [World(trials, rates)]) <= 1 + ROUNDING, (trials, rates)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("limit", [0.02, 0.3, 0.8])
def test_a_limit_that_is_kept_never_gains_on_average(limit: float, direction: Any) -> None:
    """Above it where more is worse, below it where less is worse: over two intervals, up to 6 trials."""
    rule = GuardRule("kpi", "rate", limit=limit, direction=direction)
    kept = [limit, limit / 2, 0.0] if direction == "more_is_worse" else [limit, (1 + limit) / 2, 1.0]
    on_bad = limit_of(rule)
    assert on_bad is not None
    for first, second in product((1, 3, LARGEST), repeat=2):
        log_e = np.empty((first + 1, second + 1))
        for one, two in product(range(first + 1), range(second + 1)):
            bad = (one, two) if direction == "more_is_worse" else (first - one, second - two)
            test = limits.add(limits.start(), first, bad[0], FIRST, limit=on_bad)
            test = limits.add(test, second, bad[1], SECOND, limit=on_bad)
            log_e[one, two] = limits.log_e(test, PLANNED)
        for one_rate, two_rate in product(kept, repeat=2):
            worlds = np.outer(binomial(first, one_rate), binomial(second, two_rate))
            assert float((worlds * np.exp(log_e)).sum()) <= 1 + ROUNDING


def test_the_enumeration_can_fail() -> None:
    """Just outside the null the same sums exceed 1: the tests above are not true of everything."""
    found = compared([(6, 6)], tolerance=1.0)
    log_e = comparisons.harm_of(found, PLANNED)
    assert expected(log_e, [World((6, 6), (0.2, 0.05))]) > 1.05


@given(candidate=st.tuples(counts, counts), baseline=st.tuples(counts, counts), noise=st.booleans())
def test_swapping_arms_and_direction_gives_the_same_evidence(
    candidate: tuple[int, int], baseline: tuple[int, int], noise: bool
) -> None:
    """A drop of the candidate against the baseline is a rise of the baseline against the candidate."""
    new = (float(max(candidate)), float(min(candidate)))
    old = (float(max(baseline)), float(min(baseline)))
    how: dict[str, Any] = {"tolerance": 1.1, "margin": 1.3, "dispersion": NOISE if noise else Dispersion()}
    rise, drop = (
        comparisons.compare(
            comparisons.start(1),
            Arms(*(np.array([each]) for each in (*first, *second))),
            FIRST,
            direction=direction,
            **how,
        )
        for first, second, direction in ((new, old, "more_is_worse"), (old, new, "less_is_worse"))
    )
    assert comparisons.harm_of(rise, PLANNED) == comparisons.harm_of(drop, PLANNED)
    assert comparisons.safe_of(rise, "one") == comparisons.safe_of(drop, "one")


@settings(max_examples=30)
@given(data=st.data())
def test_readings_of_different_kpis_merge_in_any_order(data: Any) -> None:
    """What one service's KPI says does not depend on when the other's readings came to the judge."""
    rules = Rules(
        (GuardRule("errors", "rate"), GuardRule("logins", "rate", direction="less_is_worse")),
        planned_seconds=PLANNED,
    )
    readings = [
        Reading(
            kpi, 10.0 * i, 10.0 * i + 10, "one", 0.5, Counts(40, data.draw(few)), Counts(60, data.draw(few))
        )
        for i, kpi in product(range(3), ("errors", "logins"))
    ]
    together = update(rules, begin(rules), readings)
    shuffled = update(rules, begin(rules), data.draw(st.permutations(readings)))
    apart = begin(rules)
    for end in (10.0, 20.0, 30.0):
        moment = data.draw(st.permutations([reading for reading in readings if reading.end == end]))
        for reading in moment:
            apart = update(rules, apart, [reading])
    assert dump(together)["guards"] == dump(shuffled)["guards"] == dump(apart)["guards"]


@given(trials=counts, events=counts, noise=st.booleans())
def test_zero_traffic_changes_nothing(trials: int, events: int, noise: bool) -> None:
    """An interval without trials of one arm, or of both, leaves evidence and safety as they were."""
    seen = Arms(*(np.array([each]) for each in (50.0, 4.0, 950.0, 20.0)))
    how: dict[str, Any] = {"tolerance": 1.1, "margin": 1.3, "dispersion": NOISE if noise else Dispersion()}
    before = comparisons.compare(comparisons.start(1), seen, FIRST, **how)
    many, none = np.array([float(trials)]), np.zeros(1)
    some = np.array([float(min(trials, events))])
    for silent in (Arms(many, some, none, none), Arms(none, none, many, some)):
        assert comparisons.compare(before, silent, SECOND, **how) is before


@given(
    candidate=st.tuples(counts, counts),
    baseline=st.tuples(counts, counts),
    direction=st.sampled_from(DIRECTIONS),
    limit=st.one_of(st.none(), st.floats(0, 1)),
    noise=st.booleans(),
)
def test_no_count_is_too_large(
    candidate: tuple[int, int], baseline: tuple[int, int], direction: Any, limit: float | None, noise: bool
) -> None:
    """Up to 2^53 trials in one interval, either direction, any limit: finite evidence, and words for it."""
    rule = GuardRule(
        "kpi", "rate", direction=direction, limit=limit, dispersion=NOISE if noise else Dispersion()
    )
    rules = Rules((rule,), margins={"one": {"kpi": 1.5}}, planned_seconds=PLANNED)
    kind = KINDS["rate"]
    new, old = (Counts(max(pair), min(pair)) for pair in (candidate, baseline))
    state = kind.absorb(rule, rules, kind.begin(), Reading("kpi", 0.0, 10.0, "one", 0.5, new, old))
    assert math.isfinite(kind.harm(rule, rules, state))
    assert math.isfinite(kind.safety(rule, rules, state, "one").log_e)
    assert "kpi" in kind.accuse(rule, rules, state, 10.0)
    kind.shown(rule, rules, state)
