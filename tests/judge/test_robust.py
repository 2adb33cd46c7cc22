"""What a source may send by mistake: it is told as implausible, is never evidence and never an exception."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from rollway.errors import InputError
from rollway.judge import (
    Counts,
    Depths,
    Dispersion,
    GuardRule,
    Histogram,
    Moments,
    Past,
    Reading,
    Rules,
    begin,
    dump,
    load,
    update,
    verdict,
)
from rollway.judge import comparison as comparisons
from rollway.judge.codec import encode
from rollway.judge.kinds import KINDS
from rollway.judge.kinds.latency import _divisor
from rollway.judge.model import Assigned, Sample

BOUNDS = (0.1, 0.5, 1.0)
RATE = GuardRule("kpi", "rate")
HUGE = 10**400


def rules_of(*guards: GuardRule, **more: Any) -> Rules:
    margins = {"one": {guard.kpi: 1.5 for guard in guards if guard.kind not in ("check", "assignment")}}
    return Rules(guards, margins=margins, planned_seconds=600.0, **more)


def rates(start: float, end: float, bad: int = 5, **more: Any) -> Reading:
    return Reading("kpi", start, end, more.pop("stage", "one"), 0.1, Counts(100, bad), Counts(900, 9), **more)


# --- times ----------------------------------------------------------------------------------------


def test_what_was_counted_once_is_not_counted_again() -> None:
    """A source that tells totals since the beginning is implausible: its evidence does not pile up."""
    rules = rules_of(RATE)
    growing = [
        Reading("kpi", 0.0, 10.0 * n, "one", 0.1, Counts(100 * n, n + 5), Counts(900 * n, 9 * n))
        for n in range(1, 100)
    ]
    state = update(rules, begin(rules), growing)
    assert state.guards[0].sight.problem == "implausible"
    assert state.guards[0].sight.candidate.total < 1.1 * 9900
    assert state.finding is None


def test_an_interval_may_stand_for_a_gap_but_not_for_two_stages() -> None:
    """After a source was down one long interval is as good; one that reaches into another stage is not."""
    rules = rules_of(RATE)
    down = rates(10.0, 20.0, problem="source_down")
    for stage, problem in (("one", None), ("two", "implausible")):
        state = update(rules, begin(rules), [rates(0.0, 10.0), down, rates(10.0, 30.0, stage=stage)])
        assert state.guards[0].sight.problem == problem


def test_sources_may_keep_time_loosely() -> None:
    """An interval that overlaps by a twentieth of its length counts."""
    rules = rules_of(RATE)
    state = update(rules, begin(rules), [rates(0.0, 10.0), rates(9.6, 20.0)])
    assert state.guards[0].sight.candidate.total == 200


def test_a_reading_from_the_future_blinds() -> None:
    """Milliseconds taken for seconds: all later readings are late, and the judge says it sees nothing."""
    rules = rules_of(RATE, replace(RATE, kpi="other"))
    state = update(rules, begin(rules), [rates(1000.0, 1010.0), rates(1010.0, 1_020_000.0)])
    state = update(rules, state, [rates(1020.0 + 10 * n, 1030.0 + 10 * n) for n in range(20)])
    said = verdict(rules, state, now=1230.0, stage="one", share=0.1)
    assert said.guards[0].blind_reason == "implausible"


def test_a_reading_from_the_future_hides_no_other_blindness() -> None:
    """One KPI's wrong clock does not keep a gate that nobody feeds any more from being called blind."""
    rules = rules_of(RATE, GuardRule("other", "rate", say="watch"))
    state = update(rules, begin(rules), [rates(1000.0, 1010.0)])
    state = update(rules, state, [replace(rates(1010.0, 1_020_000.0, stage="two"), kpi="other")])
    for stage in ("one", "two"):
        said = verdict(rules, state, now=1200.0, stage=stage, share=0.1)
        assert said.kind == "blind"
        assert said.guards[0].blind_reason == "stale"


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": HUGE},
        {"start": -HUGE},
        {"start": -1.7e308, "end": 1.7e308},
        {"share": HUGE},
        {"candidate_until": HUGE},
        {"baseline_until": HUGE, "is_complete": False},
    ],
)
def test_times_that_no_float_can_hold_are_survived(wrong: dict[str, Any]) -> None:
    """Whole numbers of hundreds of digits, and lengths beyond all measure, are implausible or ignored."""
    rules = rules_of(RATE)
    state = update(rules, begin(rules), [replace(rates(0.0, 10.0), **wrong)])
    assert state.guards[0].sight.problem in (None, "implausible")
    assert state.guards[0].sight.candidate.total == 0
    json.dumps(dump(state), allow_nan=False)


# --- samples --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guard", "candidate", "baseline"),
    [
        (GuardRule("kpi", "depths"), Depths(10, (1, 0, 0)), Depths(10, (1, 0, 0))),
        (GuardRule("kpi", "depths"), Depths(10, (1,)), Depths(10, (1,))),
        (GuardRule("kpi", "depths"), Depths(10, None), None),  # type: ignore[arg-type]
        (GuardRule("kpi", "mean", bound=1.0), Moments(10, 20.0, 40.0), Moments(10, 5.0, 5.0)),
        (GuardRule("kpi", "mean", bound=1.0), Moments(10, 5.0, 5.0), Moments(10, -5.0, 5.0)),
        (GuardRule("kpi", "mean", bound=1.0), Moments(10, HUGE, 5.0), None),
        (GuardRule("kpi", "total", cap=1.0), Moments(10, 5.0, 11.0), Moments(10, 5.0, 5.0)),
        (GuardRule("kpi", "past"), Counts(100, 5), Past((-0.1, -0.2, -0.3))),
        (GuardRule("kpi", "past"), Counts(100, 5), Past((0.1, 0.2, 5.0))),
        (GuardRule("kpi", "past"), Counts(100, 5), Past(None)),  # type: ignore[arg-type]
        (GuardRule("kpi", "past"), Moments(10, 5.0, 5.0), Past((1e308, 1e308, 1e308))),
        (GuardRule("kpi", "past"), Moments(10, 50.0, 5.0), Past((1.0, 1.0, 1.0))),
        (GuardRule("kpi", "latency"), Histogram(None, (1,)), None),  # type: ignore[arg-type]
        (
            GuardRule("kpi", "latency"),
            Histogram(tuple(n / 100 for n in range(1, 2000)), (1,) * 2000),
            None,
        ),
    ],
)
def test_samples_that_do_not_fit_the_rule_are_told(
    guard: GuardRule, candidate: Sample, baseline: Sample | None
) -> None:
    """They are implausible, so nothing counts as seen and the gate goes blind instead of waiting for ever."""
    rules = rules_of(guard)
    readings = [Reading("kpi", 10.0 * n, 10.0 * (n + 1), "one", 0.1, candidate, baseline) for n in range(10)]
    state = update(rules, begin(rules), readings)
    assert state.guards[0].sight.candidate.total == 0
    said = verdict(rules, state, now=100.0, stage="one", share=0.1)
    assert said.kind == "blind"
    assert said.guards[0].blind_reason == "implausible"


def test_counts_beyond_all_measure_leave_finite_numbers() -> None:
    """Where a float no longer counts by ones the ratio's bounds are still numbers."""
    rules = rules_of(RATE)
    reading = Reading("kpi", 0.0, 10.0, "one", 0.1, Counts(2**53, 2**53), Counts(1, 1))
    shown = verdict(rules, update(rules, begin(rules), [reading]), now=10.0, stage="one", share=0.1).guards[0]
    assert all(value is None or math.isfinite(value) for value in (shown.ratio_low, shown.ratio_high))


def test_a_margin_far_beyond_the_bound_is_no_ruin() -> None:
    """A bet on a difference that no figures can have still has a log that is a number."""
    guard = GuardRule("kpi", "mean", bound=1e-50, tolerance_difference=1e-9)
    rules = rules_of(guard)
    readings = [
        Reading("kpi", 10.0 * n, 10.0 * n + 10, "one", 0.1, Counts(3 if n else 0, 0), Counts(100, 0))
        for n in range(5)
    ]
    state = update(rules, begin(rules), readings)
    said = verdict(rules, state, now=50.0, stage="one", share=0.1).guards[0]
    assert math.isfinite(said.safe_log_e)


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guard", "more", "told"),
    [
        (GuardRule("kpi", "latency", dispersion=Dispersion(floor=math.nan)), {}, "floor of at least 1"),
        (GuardRule("kpi", "latency", dispersion=Dispersion(block_seconds=0.0)), {}, "block_seconds"),
        (RATE, {"planned_seconds": math.nan}, "planned_seconds"),
        (RATE, {"planned_seconds": 0.0}, "planned_seconds"),
        (RATE, {"blind_seconds": math.nan}, "blind_seconds"),
    ],
)
def test_rules_that_would_make_evidence_nan_are_refused(
    guard: GuardRule, more: dict[str, Any], told: str
) -> None:
    """Noise and times that are no numbers are named when the rollout begins."""
    with pytest.raises(InputError) as error:
        begin(replace(rules_of(guard), **more))
    assert told in " ".join(error.value.details)


# --- validity -------------------------------------------------------------------------------------


def test_the_root_of_a_tilts_evidence_is_not_chosen_by_what_it_shows() -> None:
    """The first interval's divisor depends on how many requests there were, not on how slow they were."""
    rule = GuardRule("kpi", "latency", dispersion=Dispersion(1.2, 0.1, 60.0))
    seen = np.array([900.0, 90.0, 10.0])
    reading = Reading("kpi", 0.0, 10.0, "one", 0.1)
    found = {
        _divisor(comparisons.start(2), seen, (0, 1), np.array((candidate, baseline)), rule, reading)
        for candidate, baseline in (
            (np.array([100.0, 0.0, 0.0]), np.array([900.0, 0.0, 0.0])),
            (np.array([0.0, 0.0, 100.0]), np.array([0.0, 0.0, 900.0])),
        )
    }
    assert len(found) == 1
    assert found.pop() > 1.2


# --- states ---------------------------------------------------------------------------------------


def test_a_state_of_other_bets_is_refused_when_it_is_read() -> None:
    """Where a newer version lays more bets the old state is refused at once, not at the next reading."""
    rules = rules_of(RATE)
    raw = dump(update(rules, begin(rules), [rates(0.0, 10.0)]))
    wager = raw["guards"][0]["evidence"]["comparison"]["wager"]
    wager["harm"] = encode(np.zeros((1, 7)))
    with pytest.raises(InputError, match="other bets"):
        load(rules, raw)


# --- anything at all ------------------------------------------------------------------------------

NUMBERS = [0, 1, 0.5, 1e-300, 1e120, 1e300, 2**53, -1, -1e308, math.nan, math.inf, -math.inf, HUGE, None]
GUARDS = {
    "mean": {"bound": 10.0},
    "total": {"cap": 10.0},
    "rate": {"limit": 0.3, "objective": 0.99},
    "latency": {"limit": 0.3, "limit_seconds": 0.5, "dispersion": Dispersion(1.5, 0.04)},
    "past": {"limit": 0.3},
    "gauge": {"dispersion": Dispersion(block_seconds=10.0)},
}


def anything(rng: random.Random, kind: str) -> Any:
    """A sample of the kind, sometimes of another, with numbers that are sometimes wrong."""

    def number(low: int, high: int) -> Any:
        return rng.choice(NUMBERS) if rng.random() < 0.02 else rng.randint(low, high)

    figures = [rng.uniform(0, 9) for _ in range(rng.choice((0, 1, 40)))]
    squares = sum(each * each for each in figures)
    samples: dict[str, Any] = {
        "rate": Counts(number(50, 500), number(0, 50)),
        "latency": Histogram(
            rng.choice((BOUNDS, BOUNDS, BOUNDS[:2])),
            tuple(number(0, 200) for _ in range(rng.choice((4, 4, 3)))),
        ),
        "depths": Depths(number(50, 500), (number(0, 20), number(0, 9))),
        "assignment": Assigned(number(0, 500)),
        "past": rng.choice((Counts(number(50, 500), number(0, 50)), Past((0.1, 0.2, 0.05)))),
        "moments": Moments(len(figures), sum(figures), squares, sum(figures), squares, squares),
    }
    names = {
        "check": "rate",
        "mean": "moments",
        "total": "moments",
        "quotient": "moments",
        "gauge": "moments",
    }
    own = names.get(kind, kind)
    return rng.choice([*samples.values(), None]) if rng.random() < 0.05 else samples[own]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_survives_anything_and_every_restart(kind: str) -> None:
    """No exception, no NaN, nothing that JSON cannot hold, and every state is read back bit for bit."""
    guard = GuardRule("kpi", kind, **GUARDS.get(kind, {}))  # type: ignore[arg-type]
    rules = rules_of(guard)
    rng = random.Random(kind)
    counted = 0
    for _ in range(4):
        state, at = begin(rules), 1000.0
        for _ in range(60):
            start, at = at, at + rng.choice((0.0, 10.0, 10.0, 10.0))
            past = Past((0.1, 0.2, 0.05)) if kind == "past" and rng.random() < 0.9 else anything(rng, kind)
            place = (rng.choice(("one", "one", "one", "two")), rng.choice((0.0, 0.1, 0.1, 0.1, 1.0, 5e-324)))
            end = at if rng.random() < 0.98 else rng.choice(NUMBERS)
            reading = Reading("kpi", start, end, *place, anything(rng, kind), past)  # type: ignore[arg-type]
            state = update(rules, state, [reading])
            counted += state.guards[0].sight.problem is None
            said = verdict(rules, state, now=at, stage=place[0], share=place[1])
            numbers = [value for value in asdict(said.guards[0]).values() if isinstance(value, float)]
            assert not any(math.isnan(value) or value == math.inf for value in numbers)
            raw = json.dumps(dump(state), allow_nan=False)
            state = load(rules, json.loads(raw))
            assert json.dumps(dump(state), allow_nan=False) == raw
    assert counted > 40
