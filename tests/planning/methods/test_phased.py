"""Phased: the waves, how far each reaches, and what each waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollway.facts.model import Release
from rollway.planning.methods.phased import build

MakeRelease = Callable[..., Release]
SITES: list[dict[str, Any]] = [
    {"name": "Köln", "users": 400, "training_done": 0.8},
    {"name": "Oslo", "users": 100, "representative": True},
    {"name": "Köln", "users": 500},
]


def test_each_group_is_a_wave_and_shares_add_up(release_of: MakeRelease) -> None:
    """The representative group first, then in the order of the file; two of one name stay two."""
    stages = build(release_of(stakeholders={"groups": SITES}))[1:]
    assert [(stage.id, stage.exposure.share) for stage in stages] == [
        ("oslo", 0.1),
        ("koln", 0.5),
        ("koln-2", 1.0),
    ]


def test_users_in_no_group_come_last(release_of: MakeRelease) -> None:
    """1000 of 2000 users are in groups; a last wave reaches the others."""
    last = build(release_of(stakeholders={"users": 2000, "groups": SITES}))[-1]
    assert (last.title, last.exposure.share) == ("Everyone else", 1.0)


def test_a_wave_waits_for_training_messages_support_and_the_wave_before(release_of: MakeRelease) -> None:
    """The entry criteria name them, with what was known of training when it was planned."""
    _, first, second, *_ = build(release_of(stakeholders={"groups": SITES}))
    assert any("Training is done: Köln (80%" in line for line in second.entry)
    assert any("Informed: Köln." in line for line in second.entry)
    assert any("Support has room" in line for line in second.entry)
    assert any("The stage before held" in line for line in second.entry)
    assert not any("The stage before" in line for line in first.entry)


def test_training_that_is_not_needed_is_not_asked_for(release_of: MakeRelease) -> None:
    """Only a known no takes the criterion away; unknown keeps it."""
    stages = build(release_of(stakeholders={"groups": SITES, "training_needed": False}))
    assert not any("raining" in line for stage in stages for line in stage.entry)


def test_people_open_each_wave_and_time_ends_the_last(release_of: MakeRelease) -> None:
    """With nobody left to compare with, the last wave asks for no evidence."""
    stages = build(release_of(stakeholders={"groups": SITES}))
    assert [stage.advance for stage in stages] == ["ready", "person", "person", "time"]
    assert stages[-1].margins == {}


def test_a_group_without_users_joins_the_next_wave(release_of: MakeRelease) -> None:
    """An empty site is no wave of its own."""
    groups = [{"name": "Empty", "users": 0}, *SITES]
    stages = build(release_of(stakeholders={"groups": groups}))[1:]
    assert [stage.title for stage in stages] == ["Oslo", "Empty and Köln", "Köln"]


def test_without_groups_the_waves_are_shares(release_of: MakeRelease) -> None:
    """Fewer than two groups are no phases: shares as wished, or a tenth, a third, two thirds."""
    assert [s.exposure.share for s in build(release_of())[1:]] == [0.10, 0.30, 0.60, 1.0]
    wished = build(release_of(rollout={"shares": [0.5]}))[1:]
    assert [s.exposure.share for s in wished] == [0.5, 1.0]


def test_a_waves_audience_is_everybody_who_has_it_then(release_of: MakeRelease) -> None:
    """The share and the names beside it say the same: those before stay."""
    stages = build(release_of(stakeholders={"users": 2000, "groups": SITES}))[1:]
    assert [stage.exposure.audience for stage in stages] == [
        "all users: Oslo",
        "all users: Oslo and Köln",
        "all users: Oslo, Köln and Köln",
        "everyone",
    ]
