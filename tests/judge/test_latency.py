"""Latency: where it is compared, and what it finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rollway.judge import GuardRule, Histogram, Reading, Rules, begin, replay, update, verdict
from rollway.judge.kinds.latency import ENOUGH_TO_CHOOSE, choose_cuts, safe_rows

RULES = Rules(
    guards=(GuardRule("latency", "latency"),),
    margins={"ten": {"latency": 2.0}},
    alpha=0.01,
    planned_seconds=1200,
)
BOUNDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def law(*above: float) -> Any:
    """Counts per bucket of 1000 requests, of which this many are above each bound."""
    edges = np.array([1000, *above, 0])
    return edges[:-1] - edges[1:]


def test_cuts_lie_where_the_old_version_is_slow() -> None:
    """The bounds nearest to the median, the quartile and the tails are chosen, each once."""
    assert choose_cuts(law(500, 240, 110, 40, 9, 4).astype(float)) == (0, 1, 2, 3, 4, 5)
    assert choose_cuts(law(990, 950, 480, 100, 0, 0).astype(float)) == (2, 3, 4)


def test_safety_is_shown_in_the_middle_and_in_the_tail() -> None:
    """One test sits near the slowest tenth, one near the slowest hundredth if enough requests are there."""
    rich = law(500, 240, 110, 40, 9, 4).astype(float)
    assert [choose_cuts(rich)[row] for row in safe_rows(rich, choose_cuts(rich))] == [2, 4]
    poor = law(500, 110, 1, 0, 0, 0).astype(float)
    assert [choose_cuts(poor)[row] for row in safe_rows(poor, choose_cuts(poor))] == [1]


def test_cuts_are_chosen_before_the_interval_they_judge() -> None:
    """Readings before the old version has served enough are no evidence; the choice then stays."""
    state = begin(RULES)
    sample = Histogram(BOUNDS, (60, 20, 10, 5, 3, 1, 1))
    for number in range(1, 10):
        before = state.guards[0].evidence
        reading = Reading("latency", 10.0 * number, 10.0 * number + 10, "ten", 0.5, sample, sample)
        state = update(RULES, state, [reading])
        after = state.guards[0].evidence
        assert bool(after.evidence.cuts) == (before.seen.sum() >= ENOUGH_TO_CHOOSE)
    assert verdict(RULES, begin(RULES), now=0, stage="ten", share=0.5).guards[0].cut_seconds is None


def test_a_slow_start_of_the_old_version_is_soon_outweighed() -> None:
    """Where safety is shown follows what the old version is known to be, before each interval it judges."""
    state = begin(RULES)
    slow, usual = (
        Histogram(BOUNDS, (300, 100, 50, 25, 15, 15, 15)),
        Histogram(BOUNDS, (300, 130, 50, 15, 5, 0, 0)),
    )
    rows = []
    for number, sample in enumerate([slow] + 40 * [usual]):
        seen = state.guards[0].evidence.seen
        reading = Reading("latency", 10.0 * number, 10.0 * number + 10, "ten", 0.5, sample, sample)
        state = update(RULES, state, [reading])
        latency = state.guards[0].evidence
        assert latency.known.sum() == seen.sum()
        if latency.evidence.cuts:
            rows.append(safe_rows(latency.known, latency.evidence.cuts))
    assert rows[-1][-1] < rows[0][-1]


def test_a_slower_tail_is_found(service: Any) -> None:
    """When the slowest tenth takes twice as long, the rollout is stopped at 1% within minutes."""
    for readings in service.ticks(10, "zero", 0.0):
        keep(service, readings)
    service.slow_tenth = 2.0
    for readings in service.ticks(60, "one", 0.01):
        keep(service, readings)
    said = next(v for v in replay(RULES, service.kept) if v.kind == "harmful")
    assert said.guards[0].candidate_trials < 250
    assert said.guards[0].cut_seconds is not None
    assert "share of requests slower than" in said.reason


def test_equal_durations_are_shown_to_be_safe(service: Any) -> None:
    """A version that is just as fast passes its margin, and is shown with the share of slow requests."""
    for share, stage, number in ((0.0, "zero", 10), (0.1, "ten", 60)):
        for readings in service.ticks(number, stage, share):
            keep(service, readings)
    said = replay(RULES, service.kept)[-1]
    assert said.kind == "healthy"
    guard = said.guards[0]
    assert guard.cut_seconds in (0.15, 0.25)
    assert guard.ratio == pytest.approx(1.0, abs=0.15)
    assert guard.ratio_low is not None
    assert guard.ratio_high is not None
    assert guard.ratio_low < 1 < guard.ratio_high < 2


def test_equal_durations_are_not_stopped(service: Any) -> None:
    """Of 10 rollouts of an equal version none is stopped over 40 looks."""
    for _ in range(10):
        service.kept = []
        for readings in service.ticks(10, "zero", 0.0):
            keep(service, readings)
        for readings in service.ticks(40, "ten", 0.1):
            keep(service, readings)
        assert update(RULES, begin(RULES), service.kept).finding is None


def test_before_there_are_cuts_the_verdict_says_how_many_requests_are_missing() -> None:
    """A gate that cannot be judged yet tells what it waits for."""
    few = Histogram(BOUNDS, (60, 20, 10, 5, 3, 1, 1))
    state = update(RULES, begin(RULES), [Reading("latency", 0, 10, "ten", 0.5, few, few)])
    said = verdict(RULES, state, now=10, stage="ten", share=0.5)
    assert "400 more requests of the old version" in said.missing[0]
    assert said.guards[0].cut_seconds == 0.4


def keep(service: Any, readings: list[Reading]) -> None:
    """Collect the latency readings of a service."""
    service.kept = [*getattr(service, "kept", []), *(r for r in readings if r.kpi == "latency")]
