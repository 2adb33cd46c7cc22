"""What a count adds to a bet is what the judge's own tests make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rollway.facts.model import SignalSpec
from rollway.judge import tilt
from rollway.judge.processes import EFFECTS, Arms, ratio_increment
from rollway.planning import Guard
from rollway.planning.bets import Question
from rollway.planning.durations import USUAL_BOUNDS, slower, usual_law
from rollway.planning.latency_sensor import latency, law_of

FINE = tuple(0.05 * 1.1**n for n in range(40))
REQUESTS = 1e6


def question(bounds: tuple[float, ...] = USUAL_BOUNDS, ratio: float = 3.0, **more: Any) -> Question:
    guard = Guard(
        kpi="latency",
        title="",
        kind="latency",
        say="gate",
        tolerance=1.25,
        weight=1.0,
        buckets=bounds,
        signal=SignalSpec(type="scrape"),
        **more,
    )
    return Question(guard, rate=0.01, ratio=ratio, share=0.1, margin=2.0, alpha=0.01, pace=REQUESTS, tick=1.0)


@pytest.mark.parametrize("bounds", [USUAL_BOUNDS, FINE, (0.1, 0.3, 1.2)])
def test_expected_counts_add_to_each_bet_what_the_judge_would_add(bounds: tuple[float, ...]) -> None:
    """At every cut that matters and for every bet on the whole law, however buckets are grouped."""
    asked = question(bounds)
    sensor, law = latency(asked), law_of(bounds, 1.25)
    assert sensor.choices is not None
    told = sensor.rates @ sensor.gains + sensor.drift
    old = np.array(usual_law(bounds))
    new, n_t, n_c = np.array(slower(usual_law(bounds), 3.0)), 0.1 * REQUESTS, 0.9 * REQUESTS
    above = [
        np.array([float(n * each[cut + 1 :].sum()) for cut in sensor.choices.cuts])
        for n, each in ((n_t, new), (n_c, old))
    ]
    cuts = ratio_increment(Arms(n_t, above[0], n_c, above[1]), 1.25, EFFECTS)
    whole = tilt.increment(n_t * new, n_c * old, law.bends, 1.25)
    expected = np.concatenate((cuts.ravel(), whole)) / REQUESTS
    assert told == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert sensor.start.shape == (1, len(told))


def test_a_fault_that_exceeds_the_limit_is_bet_on_too() -> None:
    """Ten times as many slow requests: a tenth, where a twentieth is allowed; twice as many do not."""
    limit: dict[str, Any] = {"limit": 0.05, "limit_seconds": 0.4}
    beyond, within = latency(question(ratio=30.0, **limit)), latency(question(ratio=2.0, **limit))
    assert beyond.gains.shape[1] == within.gains.shape[1] + len(EFFECTS)
    gained = (beyond.rates @ beyond.gains + beyond.drift)[-len(EFFECTS) :]
    assert gained.max() > 0


def test_the_more_is_known_of_durations_the_more_a_bet_wins() -> None:
    """With few requests seen the bets are worse on average, and never better than with all known."""
    sensor = latency(question(FINE))
    assert sensor.learn is not None

    def best(known: float) -> float:
        laws = sensor.learn(known) if sensor.learn else ()
        return float(np.mean([(sensor.rates @ gains + drift).max() for gains, drift in laws]))

    whole = (sensor.rates @ sensor.gains + sensor.drift)[sensor.learns_from :]

    assert best(300.0) < 0.97 * best(5000.0) < best(1e9)
    assert best(1e9) == pytest.approx(whole.max())


def test_a_wide_bucket_hides_a_small_fault() -> None:
    """Where bounds are far apart around the slow tail, a fault takes many times as many requests."""
    wide, narrow = latency(question(USUAL_BOUNDS, 2.0)), latency(question(FINE, 2.0))
    assert wide.scale > 2 * narrow.scale
    assert latency(replace(question(), ratio=1.0)).nats == 0.0
