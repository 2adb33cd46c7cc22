"""Gauges: few blocks are treated as few, whatever law they have, and faults are found soon after."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from judge.crowd import assert_survives_restarts, frequency, moments, reading, tolerated, units
from rollway.judge import Dispersion, GuardRule, Moments, Reading, Rules, begin, replay, update
from rollway.judge import wager as wagers
from rollway.judge.difference import Null
from rollway.judge.dispersion import NONE
from rollway.judge.kinds import gauge
from rollway.judge.kinds.gauge import LEAST_BLOCKS
from rollway.judge.logs import FloatArray
from rollway.judge.onset import Interval

Law = Callable[[np.random.Generator, tuple[int, int]], FloatArray]
LAWS: dict[str, Law] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: (rng.lognormal(0, 1, shape) - math.exp(0.5)) / 2.16,
    "far tails": lambda rng, shape: rng.standard_t(3, shape) / math.sqrt(3),
}
RULES = Rules((GuardRule("kpi", "gauge"),), margins={"one": {"kpi": 1.3}}, planned_seconds=36_000)


def course(
    law: Law,
    *,
    blocks: int,
    gap: float,
    null: Null,
    safety: Null | None = None,
    rows: int = 1000,
    seed: int = 3,
) -> tuple[FloatArray, FloatArray, FloatArray, gauge.Gauge]:
    """The most evidence of harm and of safety, blocks until alpha 0.05, and the end; three pods an arm.

    The mean, common to both arms, swings by a multiple of the blocks' deviation of 1.
    """
    rng, known = np.random.default_rng(seed), gauge.start(rows)
    harm, safe, found = np.full(rows, -np.inf), np.full(rows, -np.inf), np.full(rows, np.inf)
    for block in range(blocks):
        level = 10 + 3 * math.sin(block / 8)
        arms = units(level + gap + law(rng, (rows, 3))), units(level + law(rng, (rows, 3)))
        interval = Interval("one", 300.0 * block, 300.0, 300.0 * blocks)
        known = gauge.close(known, arms, interval, harm=null, safety=safety, dispersion=NONE)
        harm = np.maximum(harm, wagers.harm_of(known.wager, 300.0 * blocks))
        safe = np.maximum(safe, wagers.safe_of(known.wager, "one"))
        found = np.where((harm >= math.log(20)) & np.isinf(found), block + 1.0, found)
    return harm, safe, found, known


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("blocks", [25, 60, 200])
def test_a_tolerable_version_is_seldom_stopped(law: str, blocks: int) -> None:
    """On the edge of what is tolerated false alarms stay within alpha, with 25 blocks and with 200."""
    harm, safe, _, _ = course(
        LAWS[law], blocks=blocks, gap=0.5, null=Null(1, 1, 0.5), safety=Null(-1, 1, -0.5)
    )
    assert frequency(harm, 0.05) <= tolerated(0.05, 1000)
    assert frequency(harm, 0.01) <= tolerated(0.01, 1000)
    assert frequency(safe, 0.05) <= tolerated(0.05, 1000)


@pytest.mark.parametrize(("gap", "most"), [(1.0, 32), (2.0, 26), (20.0, 30)])
def test_a_fault_is_found_soon_after_enough_blocks(gap: float, most: int) -> None:
    """One deviation is found a dozen blocks after the first 20, two within six, far more no later."""
    _, _, found, _ = course(LAWS["normal"], blocks=80, gap=gap, null=Null(1, 1, 0), rows=200)
    assert np.isfinite(found).mean() > 0.99
    assert np.median(found) <= most


def test_nothing_counts_before_twenty_blocks() -> None:
    """Not even a hundredfold difference, and there are no bounds yet either."""
    harm, _, _, known = course(LAWS["normal"], blocks=LEAST_BLOCKS, gap=100.0, null=Null(1, 1, 0), rows=20)
    assert (harm == 0).all()
    fewer = replace(known.blocks, count=known.blocks.count - 1)
    assert gauge.bounds(fewer, 0) == (None, None)


def test_the_bounds_hold_at_every_look() -> None:
    """In at least 95% of the courses the true difference lies within the bounds at all looks asked for."""
    held = np.ones(200, dtype=bool)
    for blocks in (22, 30, 60):
        known = course(LAWS["normal"], blocks=blocks, gap=0.3, null=Null(1, 1, 0), rows=200)[3]
        bounds = [gauge.bounds(known.blocks, row) for row in range(200)]
        held &= np.array([low is None or high is None or low <= 0.3 <= high for low, high in bounds])
    assert held.mean() >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 200)
    width = np.mean([high - low for low, high in bounds if low is not None and high is not None])
    assert 0.2 < width < 0.9


def test_both_directions_are_mirror_images() -> None:
    """Where less is worse, a fall of as much bears the same evidence."""
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((40, 2, 4, 3))
    ends = []
    for sign in (1.0, -1.0):
        known = gauge.start(4)
        for block, (candidate, baseline) in enumerate(noise):
            arms = units(10 + sign * (0.8 + candidate)), units(10 + sign * baseline)
            known = gauge.close(
                known,
                arms,
                Interval("one", 300.0 * block, 300.0, 12_000.0),
                harm=Null(sign, 1, 0.1),
                safety=Null(-sign, 1, -0.5),
                dispersion=NONE,
            )
        ends.append(known.wager)
    assert ends[0].harm == pytest.approx(ends[1].harm, abs=1e-9)
    assert ends[0].safe == pytest.approx(ends[1].safe, abs=1e-9)


def pods(number: int, *, seconds: float = 60.0, times: float = 1.0, seed: int = 7) -> list[Reading]:
    """CPU of three pods an arm, whose noise stays for minutes, in readings of this length."""
    rng = np.random.default_rng(seed)
    keep = math.exp(-seconds / 60)
    noise, given = rng.standard_normal(6), []
    for i in range(1, number + 1):
        noise = keep * noise + math.sqrt(1 - keep**2) * rng.standard_normal(6)
        cpu = 0.5 + 0.1 * math.sin(i * seconds / 3000) + 0.02 * noise
        arms: tuple[Moments, Moments] = moments(cpu[:3] * times), moments(cpu[3:])
        given.append(reading(i * seconds, arms, seconds=seconds, share=0.5))
    return given


def test_a_hotter_version_is_stopped_and_told() -> None:
    """CPU that is a third higher is harmful once there are blocks enough; the reason says by how much."""
    said = next(v for v in replay(RULES, pods(200, times=1.33)) if v.kind == "harmful")
    assert said.at <= 300.0 * (LEAST_BLOCKS + 10)
    assert "higher than the old one's" in said.reason


def test_a_healthy_version_passes() -> None:
    """Equal pods are shown to be below 1.3 times; until then it is said that blocks are missing."""
    course = replay(RULES, pods(250))
    assert any("more blocks of 5 minutes" in v.reason for v in course)
    assert course[-1].kind == "healthy"


def test_readings_of_any_length_make_the_same_blocks() -> None:
    """Thirty samples within five minutes are one block, not thirty that agree with each other."""
    states = []
    for seconds in (10.0, 100.0, 300.0):
        state = begin(RULES)
        for each in pods(int(6000 / seconds), seconds=seconds):
            state = update(RULES, state, [each])
        states.append(state.guards[0].evidence)
    assert [state.blocks.count for state in states] == [20, 20, 20]


def test_a_new_stage_begins_a_new_block() -> None:
    """What a block holds of the stage before is dropped, as its users and its load were others."""
    state = begin(RULES)
    for i in range(1, 10):
        stage = "one" if i < 5 else "two"
        arms = Moments(3, 1.5, 0.76), Moments(3, 1.5, 0.76)
        state = update(RULES, state, [reading(60.0 * i, arms, seconds=60.0, stage=stage, share=0.5)])
    evidence = state.guards[0].evidence
    assert evidence.blocks.count == 1
    assert evidence.pending.length == 0


def test_figures_that_never_vary_break_nothing() -> None:
    """A queue that is always empty in both arms is no harm, and one that suddenly is not gives a number."""
    state = begin(RULES)
    for i in range(1, 40):
        length = 0.0 if i < 30 else 5.0
        arms = Moments(3, 3 * length, 3 * length**2), Moments(3, 0.0, 0.0)
        state = update(RULES, state, [reading(300.0 * i, arms, seconds=300.0, share=0.5)])
        log_e = gauge.GaugeKind().harm(RULES.guards[0], RULES, state.guards[0].evidence)
        assert math.isfinite(log_e)


def test_noise_of_the_arms_divides_the_evidence() -> None:
    """With a dispersion learned from history the same course bears less evidence."""
    noisy = Rules((GuardRule("kpi", "gauge", dispersion=Dispersion(floor=3.0, growth=0.01)),))
    log_e = []
    for rules in (Rules((GuardRule("kpi", "gauge"),)), noisy):
        state = begin(rules)
        for each in pods(150, times=1.3):
            state = update(rules, state, [each])
        log_e.append(gauge.GaugeKind().harm(rules.guards[0], rules, state.guards[0].evidence))
    assert log_e[0] > math.log(100)
    assert log_e[1] < log_e[0] / 2


@pytest.mark.parametrize("times", [1.0, 1.5])
def test_a_restart_changes_no_bit(times: float) -> None:
    """Dumped and loaded before every reading, the verdicts are the very same."""
    assert_survives_restarts(RULES, pods(40, seconds=200.0, times=times))
