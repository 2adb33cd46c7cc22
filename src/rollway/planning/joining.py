"""Who joins when: the groups and the users for whom a stage is the beginning, and when stages are entered."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.facts.model import Group, Release
from rollway.planning.methods.phased import waves_of
from rollway.planning.model import Stage
from rollway.planning.stages import MORE, crowd_of, pilot_groups

ORGANISATIONAL = frozenset({"pilot", "phased", "parallel", "big_bang"})
"""Methods whose users must know beforehand; with the others the switch is meant to go unnoticed."""


def reaches_users(stage: Stage) -> bool:
    """Whether people work with the new version in this stage: it serves some of them, or both are run."""
    return stage.exposure.live > 0 or stage.exposure.mode == "dual"


def joining_groups(release: Release, stages: Sequence[Stage]) -> dict[str, tuple[Group, ...]]:
    """For each stage id the groups that meet the new version there for the first time; each group once.

    A random share may hit anybody, so with it every group joins at the first share.
    """
    left = list(release.stakeholders.groups)
    joining: dict[str, tuple[Group, ...]] = {}
    for stage in stages:
        reached = _reached(release, stage) if reaches_users(stage) else ()
        joining[stage.id] = tuple(group for group in left if group in reached)
        left = [group for group in left if group not in reached]
    return joining


def joining_users(release: Release, stages: Sequence[Stage]) -> dict[str, int | None]:
    """For each stage id how many users join there; None where the number of users is not known."""
    total = users_in_all(release)
    joining: dict[str, int | None] = {}
    reached = 0.0
    for stage in stages:
        share = max(reached, stage.exposure.live)
        if stage.exposure.mode == "dual":
            share = max(reached, crowd_of(release).share_of(_reached(release, stage)) or 1.0)
        joining[stage.id] = None if total is None else round(total * share) - round(total * reached)
        reached = share
    return joining


def users_in_all(release: Release) -> int | None:
    """All users: as stated, else the sum of the groups where each has a number; None where not known."""
    counted = [group.users for group in release.stakeholders.groups]
    known = sum(users for users in counted if users is not None)
    whole = known if counted and None not in counted else None
    stated = release.stakeholders.users.value
    return max(stated, known) if stated is not None else whole


def entered_at(stages: Sequence[Stage]) -> dict[str, float]:
    """When each stage is entered at the earliest, in seconds from the first: the bakes before it."""
    at: dict[str, float] = {}
    passed = 0.0
    for stage in stages:
        at[stage.id] = passed
        passed += stage.bake_seconds
    return at


def _reached(release: Release, stage: Stage) -> tuple[Group, ...]:
    groups = release.stakeholders.groups
    if stage.method == "pilot" and stage.exposure.share < 1:
        return pilot_groups(release)[0]
    if stage.method == "phased" and stage.exposure.share < 1:
        return tuple(
            group
            for wave in waves_of(release)
            if wave.reach <= stage.exposure.share + MORE
            for group in wave.reached
        )
    return groups
