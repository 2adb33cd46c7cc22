"""What a plan is promised to see is what drawn rollouts see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.judge_power import Case, cases, setting_at
from rollway.judge import Dispersion
from rollway.judge.arithmetic import requests_to_detect
from rollway.judge.courses import found_at
from rollway.judge.power import (
    Means,
    Setting,
    Shares,
    Step,
    foresee,
    rate_fault,
    slower,
    smallest_ratio,
)

RUNS = 500
PROMISED = 0.03
CASES = [case for case in cases() if case.part == 1.0]
WHOLE = [case for case in cases() if case.part < 1.0]


def differences(case: Case, runs: int) -> list[float]:
    """By how much promised chances miss drawn ones, beyond 2.5 standard errors of the drawing."""
    promised = foresee(case.setting, case.fault).caught_by
    found = case.simulate(runs=runs, seed=11)
    runs, ends = len(found), np.cumsum([stage.seconds for stage in case.setting.stages])
    drawn = [float(np.mean(found <= end)) for end in ends]
    return [
        abs(p - d) - 2.5 * math.sqrt(max(p * (1 - p), 1 / runs) / runs)
        for p, d in zip(promised, drawn, strict=True)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_promised_chances_come_true(case: Case) -> None:
    """Within 3 points by the end of each stage, beside courses that are drawn and judged tick by tick."""
    assert max(differences(case, RUNS)) < PROMISED


@pytest.mark.slow
@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.name)
def test_the_promised_chances_come_true_for_whole_kinds(case: Case) -> None:
    """The same for means that learn their spread and for latencies as the judge runs them."""
    assert max(differences(case, 800)) < PROMISED


def test_the_same_question_has_the_same_answer() -> None:
    """Nothing is drawn without its seed."""
    question = setting_at(100.0), rate_fault(0.01, 2.0)
    assert foresee(*question) == foresee(*question)


def test_times_and_requests_are_those_of_the_courses() -> None:
    """The median time is within a tenth of drawn ones, and requests are what was served by then."""
    setting, fault = setting_at(100.0), rate_fault(0.01, 2.0, onset_seconds=1800.0)
    found = Case("", setting, fault).simulate(runs=1000, seed=3)
    power = foresee(setting, fault)
    assert power.seconds[1] == pytest.approx(np.median(found - 1800), rel=0.1)
    assert power.requests[1] == pytest.approx(power.seconds[1] * 10, rel=1e-9)
    assert power.met == pytest.approx(np.mean(10 * (found - 1800)), rel=0.15)
    assert power.exposed == pytest.approx(0.1, rel=0.1)


def test_a_healthy_version_is_hardly_ever_caught() -> None:
    """Without a fault, or with one that is tolerated, no more than alpha of the courses are harmful."""
    setting = setting_at(1000.0, tolerance=1.1)
    for ratio in (1.0, 1.1):
        found = found_at(setting, rate_fault(0.01, ratio), paths=4000, seed=5)
        assert np.mean(np.isfinite(found)) <= setting.alpha


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_smallest_fault_is_caught_just_so(stage: int) -> None:
    """A stage catches its smallest fault in nine of ten courses, and one a fifth smaller more seldom."""
    setting, start = setting_at(100.0, tolerance=1.1), 1200.0 * stage
    smallest = smallest_ratio(setting, 0.01, stage)
    caught = [
        foresee(setting, rate_fault(0.01, 1 + (smallest - 1) * part, onset_seconds=start)).caught_by[stage]
        for part in (1.0, 0.8)
    ]
    assert caught[0] == pytest.approx(0.9, abs=0.05)
    assert caught[1] < 0.85


def test_what_no_stage_can_catch_is_infinite() -> None:
    """Hardly any traffic, everybody on one version, or a rate that has no room to rise."""
    setting = Setting(0.001, (Step("one", 0.01, 60.0), Step("all", 1.0, 60.0)))
    assert smallest_ratio(setting, 0.01, 0) == math.inf
    assert smallest_ratio(setting, 0.01, 1) == math.inf
    assert smallest_ratio(setting_at(1000.0, tolerance=2.0), 0.6, 2) == math.inf
    power = foresee(setting, rate_fault(0.01, 2.0))
    assert power.caught_by == (0.0, 0.0)
    assert power.seconds == (math.inf,) * 3
    assert power.met == pytest.approx(0.0006 + 0.06)


def test_it_agrees_with_the_short_formula() -> None:
    """One long stage: the mean number of requests is that of `requests_to_detect`, within a fifth."""
    setting = Setting(100.0, (Step("ten", 0.1, 36_000.0),), tolerance=1.0)
    needed = requests_to_detect(base_rate=0.01, ratio=2.0, share=0.1, alpha=0.01)
    assert foresee(setting, rate_fault(0.01, 2.0)).met == pytest.approx(needed, rel=0.2)


def test_noise_of_the_arms_makes_it_slower() -> None:
    """The noisier the arms, the later a fault is found."""
    quiet, noisy = (
        foresee(setting_at(100.0, dispersion=each), rate_fault(0.01, 2.0)).seconds[1]
        for each in (Dispersion(), Dispersion(1.5, 0.1))
    )
    assert noisy > 1.2 * quiet


rates = st.floats(1e-4, 0.3)
shares = st.floats(1e-3, 0.999)


@settings(max_examples=25, deadline=None)
@given(
    per_second=st.floats(1e-6, 1e6),
    first=shares,
    then=st.floats(0.0, 1.0),
    seconds=st.floats(0.01, 1e6),
    tick=st.floats(0.1, 1e5),
    base=rates,
    ratio=st.floats(0.1, 1e3),
    onset=st.floats(0, 1e7),
    alpha=st.floats(1e-9, 0.5),
)
def test_no_question_is_too_strange(
    per_second: float,
    first: float,
    then: float,
    seconds: float,
    tick: float,
    base: float,
    ratio: float,
    onset: float,
    alpha: float,
) -> None:
    """Whatever is asked, chances rise from stage to stage within 0..1, and nothing is NaN."""
    setting = Setting(per_second, (Step("a", first, seconds), Step("b", then, 2 * seconds)), tick, alpha, 1.1)
    for truth in (
        rate_fault(base, ratio, onset_seconds=onset),
        Means(min(ratio, 5.0), onset_seconds=onset),
        slower(median=0.1, p99=0.5, times=1 + ratio / 100, onset_seconds=onset),
        Shares((0.2, 0.1), (min(1.0, 0.2 * ratio), min(1.0, 0.1 * ratio)), onset),
    ):
        power = foresee(setting, truth, paths=20)
        assert 0 <= power.caught_by[0] <= power.caught_by[1] <= 1
        assert not any(math.isnan(each) for each in (*power.seconds, *power.requests, power.met))
        assert power.seconds[0] <= power.seconds[1] <= power.seconds[2]
