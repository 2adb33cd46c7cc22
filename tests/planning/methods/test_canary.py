"""The canary's stages: shares, margins, hold-back, and what the traffic does to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.model import Release
from rollway.planning.methods.canary import build
from rollway.planning.stages import HOUR

MakeRelease = Callable[..., Release]


def test_the_worked_example_is_ten_fifty_everyone_with_a_hold_back(release_of: MakeRelease) -> None:
    """10 percent, 50 percent, then 5 percent held back before everyone, after a look at the old version."""
    stages = build(release_of(rollout={"shares": [0.10, 0.50, 1.00]}))
    assert [stage.id for stage in stages] == [
        "baseline",
        "10-percent",
        "50-percent",
        "hold-back",
        "100-percent",
    ]
    assert [stage.exposure.share for stage in stages] == [0.0, 0.10, 0.50, 0.95, 1.0]
    assert [stage.advance for stage in stages] == ["ready", "evidence", "evidence", "evidence", "time"]


def test_without_wishes_the_default_ladder_is_taken(release_of: MakeRelease) -> None:
    """1, 10 and 50 percent, the hold-back, everyone."""
    shares = [stage.exposure.share for stage in build(release_of())]
    assert shares == [0.0, 0.01, 0.10, 0.50, 0.95, 1.0]


def test_the_margin_is_loose_before_small_shares_and_tight_before_large_ones(release_of: MakeRelease) -> None:
    """Each margin is set by how far the next step reaches; the hold-back asks for no new proof."""
    margins = {stage.id: stage.margins.get("errors") for stage in build(release_of())}
    assert margins == {
        "baseline": None,
        "1-percent": 3.0,
        "10-percent": 2.0,
        "50-percent": 1.5,
        "hold-back": None,
        "100-percent": None,
    }


def test_a_hold_back_that_comes_first_asks_for_proof(release_of: MakeRelease) -> None:
    """Where people want everyone at once, the only comparison there is must show something."""
    stages = build(release_of(rollout={"shares": [1.0]}))
    assert [(stage.id, stage.margins.get("errors")) for stage in stages if stage.advance == "evidence"] == [
        ("hold-back", 1.5)
    ]


def test_a_hold_back_of_half_or_more_asks_for_the_tight_margin(release_of: MakeRelease) -> None:
    """Most users are still to come, and nothing before it was tight enough for them."""
    for hold_back in (0.5, 0.8):
        stages = build(release_of(rollout={"shares": [0.1], "hold_back": hold_back}))
        assert (stages[-2].id, stages[-2].margins["errors"]) == ("hold-back", 1.5)


def test_the_hold_back_bakes_longer_than_the_other_stages(release_of: MakeRelease) -> None:
    """An hour by default, three times the bake that was wished otherwise; faults that need time need it."""
    bakes = {stage.id: stage.bake_seconds for stage in build(release_of())}
    assert bakes["hold-back"] == HOUR
    assert bakes["1-percent"] == bakes["100-percent"] == HOUR / 3
    wished = {stage.id: stage.bake_seconds for stage in build(release_of(rollout={"bake": "2m"}))}
    assert (wished["hold-back"], wished["1-percent"]) == (360, 120)


def test_thin_traffic_begins_with_a_larger_share(release_of: MakeRelease) -> None:
    """The first share is the smallest whose gates are expected to clear within the hour."""
    shares = [
        build(release_of(architecture={"requests_per_second": rps}))[1].exposure.share for rps in (200, 8, 1)
    ]
    assert shares == sorted(shares)
    assert shares[0] == 0.01
    assert shares[-1] == 0.10
    assert 0.01 < shares[1] < 0.10


def test_patience_covers_the_time_that_evidence_is_expected_to_take(release_of: MakeRelease) -> None:
    """Slow evidence is waited for three times as long as expected, not four bakes only."""
    quick, slow = (build(release_of(architecture={"requests_per_second": rps})) for rps in (1000, 2))
    assert quick[-3].patience_seconds == 4 * quick[-3].bake_seconds
    assert slow[-3].patience_seconds > 4 * slow[-3].bake_seconds
    assert slow[-2].patience_seconds == 4 * slow[-2].bake_seconds  # the hold-back waits for no proof
    wished = build(release_of(rollout={"patience": "2h"}))
    assert all(stage.patience_seconds == 2 * HOUR for stage in wished if stage.advance == "evidence")


def test_without_gates_people_decide(release_of: MakeRelease) -> None:
    """No gate, no evidence: each share waits for a person, and there is no baseline to look at."""
    stages = build(release_of(kpis=[]))
    assert stages[0].id == "1-percent"
    assert {stage.advance for stage in stages[:-1]} == {"person"}


@pytest.mark.parametrize("hold_back", [0, 1])
def test_people_may_do_without_a_hold_back(release_of: MakeRelease, hold_back: float) -> None:
    """Holding nobody back, or everybody, means that there is no such stage."""
    stages = build(release_of(rollout={"shares": [0.1, 1], "hold_back": hold_back}))
    assert [stage.id for stage in stages] == ["baseline", "10-percent", "100-percent"]


def test_a_wished_share_above_the_hold_back_takes_its_place(release_of: MakeRelease) -> None:
    """Somebody who wants 99 percent gets the long bake there, not a step back to 95."""
    stages = build(release_of(rollout={"shares": [0.5, 0.99]}))
    assert [stage.exposure.share for stage in stages] == [0.0, 0.5, 0.99, 1.0]
    assert stages[2].id == "hold-back"


def test_shares_that_no_target_can_tell_apart_are_one(release_of: MakeRelease) -> None:
    """Wishes are rounded to what targets serve, and are never nothing and never nearly everyone."""
    stages = build(release_of(rollout={"shares": [1e-9, 0.1, 0.1000001, 0.9999999]}))
    assert [stage.exposure.share for stage in stages] == [0.0, 0.00001, 0.1, 0.95, 1.0]


def test_a_wide_tolerance_widens_the_margin(release_of: MakeRelease) -> None:
    """A version that uses all it is allowed can still clear the gate."""
    kpi = {"name": "errors", "kind": "rate", "tolerance": 2, "signal": {"type": "scrape"}}
    stages = build(release_of(kpis=[kpi]))
    assert [stage.margins["errors"] for stage in stages[1:-2]] == [3.0, 2.5, 2.5]


def test_only_what_changes_the_exposure_waits_for_a_window(release_of: MakeRelease) -> None:
    """Looking at the old version needs no change window; every share does."""
    assert [stage.in_window for stage in build(release_of())] == [False, *[True] * 5]
