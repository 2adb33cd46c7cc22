"""The pilot: who goes first, for how long, and who decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollway.facts.model import Release
from rollway.planning.methods.pilot import build
from rollway.planning.stages import DAY

MakeRelease = Callable[..., Release]
SHOPS: dict[str, Any] = {
    "users": 1000,
    "groups": [
        {"name": "Head office", "users": 100},
        {"name": "Riverside", "users": 30, "representative": True},
        {"name": "Hill Street", "users": 20, "representative": True},
    ],
}


def test_the_representative_groups_go_first_with_their_share_of_all_users(release_of: MakeRelease) -> None:
    """50 of 1000 users are five percent, and the stage names them."""
    pilot = build(release_of(stakeholders=SHOPS))[1]
    assert pilot.exposure.share == 0.05
    assert pilot.exposure.audience == "all users: Riverside and Hill Street"
    assert "Riverside" in pilot.title


def test_a_pilot_lasts_a_business_cycle_and_a_person_ends_it(release_of: MakeRelease) -> None:
    """Seven days unless people wish otherwise; when they are over, somebody is asked."""
    pilot = build(release_of(stakeholders=SHOPS))[1]
    assert (pilot.advance, pilot.bake_seconds, pilot.patience_seconds) == ("person", 7 * DAY, 7 * DAY)
    wished = build(release_of(stakeholders=SHOPS, rollout={"bake": "4w"}))[1]
    assert wished.bake_seconds == 28 * DAY


def test_the_figures_still_speak(release_of: MakeRelease) -> None:
    """Where gates exist they are looked at before, and their margins stand in the pilot."""
    stages = build(release_of(stakeholders=SHOPS))
    assert [stage.id for stage in stages] == ["baseline", "pilot", "everyone"]
    assert stages[1].margins == {"errors": 1.5, "latency": 1.5}


def test_a_pilot_with_everyone_is_no_pilot(release_of: MakeRelease) -> None:
    """If every group is representative only the first goes; if that is everybody, a tenth."""
    groups = [{"name": name, "users": 50, "representative": True} for name in ("A", "B")]
    assert build(release_of(stakeholders={"groups": groups}))[1].exposure.share == 0.5
    alone = build(release_of(stakeholders={"groups": groups[:1]}))[1]
    assert alone.exposure.share == 0.10


def test_a_group_that_nobody_counted_gets_its_part_of_the_rest(release_of: MakeRelease) -> None:
    """900 users are left over for three uncounted groups: 300 each."""
    groups = [
        {"name": "A", "users": 100},
        *({"name": name} for name in "BC"),
        {"name": "D", "representative": True},
    ]
    stages = build(release_of(stakeholders={"users": 1000, "groups": groups}))
    assert stages[1].exposure.share == 0.3
