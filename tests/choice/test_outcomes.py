"""What each method may bring: simulated, with a seed, and never part of the ranking."""

from __future__ import annotations

from dataclasses import astuple
from math import isfinite
from typing import Any

from hypothesis import given, settings

from rollway.choice.chart import text_chart
from rollway.choice.outcomes import Outcomes, simulate
from rollway.choice.picture import svg_chart
from rollway.choice.scoring import NAMES
from rollway.facts.model import Release
from support.releases import release_with, releases

FACTS: dict[str, Any] = {
    "stakeholders.users": 5000,
    "architecture.automation": "high",
    "architecture.telemetry": "high",
    "architecture.per_version_telemetry": True,
    "architecture.traffic_split": True,
    "architecture.requests_per_second": 50,
    "done.tests.rollback_duration": "1m",
}


def _figures(outcomes: Outcomes) -> list[tuple[float, float, float, float]]:
    return [
        astuple(spread)
        for row in outcomes.rows
        for spread in (row.harmed, row.harmed_if_faulty, row.days, row.double, row.tickets)
    ]


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    """Two people who look at one release see one set of figures."""
    release = release_with(FACTS)
    assert simulate(release) == simulate(release)
    assert simulate(release, seed=1) != simulate(release)


def test_a_canary_harms_fewer_and_a_big_bang_serves_everyone_sooner_than_a_parallel_run() -> None:
    """What everyone knows of the methods comes out of the figures."""
    outcomes = simulate(release_with(FACTS))
    canary, big_bang, parallel = (outcomes.of(name) for name in ("canary", "big_bang", "parallel"))  # type: ignore[arg-type]
    assert canary.harmed_if_faulty.mean < big_bang.harmed_if_faulty.mean / 5
    assert big_bang.days.middle < parallel.days.middle
    assert big_bang.double.mean == 0 < parallel.double.mean


def test_a_faster_way_back_harms_no_more() -> None:
    """The same draws, a day instead of a minute to go back: harm grows for the big bang."""
    slow = simulate(release_with({**FACTS, "done.tests.rollback_duration": "1d"})).of("big_bang")
    quick = simulate(release_with(FACTS)).of("big_bang")
    assert quick.harmed_if_faulty.mean < slow.harmed_if_faulty.mean


@settings(max_examples=15, deadline=None)
@given(releases())
def test_any_release_has_figures_in_order(release: Release) -> None:
    """No figure is negative or no number, and the spread runs from low to high."""
    outcomes = simulate(release, draws=100)
    assert tuple(row.method for row in outcomes.rows) == NAMES
    assert 0 <= outcomes.fault <= 1
    for mean, low, middle, high in _figures(outcomes):
        assert isfinite(mean)
        assert 0 <= low <= middle <= high


def test_both_charts_name_every_method() -> None:
    """The chart of the terminal and the one for pages show all six."""
    outcomes = simulate(release_with(FACTS), draws=100)
    for title in ("Pilot", "Phased", "Canary", "Blue-green", "Parallel", "Big-bang"):
        assert title in text_chart(outcomes)
        assert title in svg_chart(outcomes)
