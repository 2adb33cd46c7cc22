"""A control group: a sample of users who keep the old version, as many as have the new one, to compare with.

Where a plan has none, the users of the new version are compared with everyone else.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from rollway.facts.model import Release
from rollway.planning.model import LONGEST_SECONDS, Exposure, Stage
from rollway.planning.words import percent


def is_sampled(release: Release) -> bool:
    """Whether people want a control group."""
    return release.rollout.control_group == "equal"


def control_share(release: Release, share: float) -> float:
    """The control group beside this share of users: as many, or all who are left; 0 where none is wanted."""
    return min(share, 1 - share) if is_sampled(release) else 0.0


def part_of(release: Release, share: float) -> float:
    """The new version's part of the users who are compared at this share, 0..1."""
    return Exposure(share=share, control=control_share(release, share)).part


def with_control_group(release: Release, stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages with a control group beside every share of users, and in the first look at the old version,
    whose figures are those of the control group."""
    if not is_sampled(release):
        return tuple(stages)
    first = next((share for share in map(_share, stages) if share), 0.0)
    alone = sum(1 for _ in takewhile(lambda stage: not _share(stage), stages))
    return tuple(
        _sampled(release, stage, _share(stage) or (first if index < alone else 0.0))
        for index, stage in enumerate(stages)
    )


def _share(stage: Stage) -> float:
    """The share of users with the new version in a stage that has users of both; 0 in others."""
    return stage.exposure.live if stage.exposure.live < 1 else 0.0


def _sampled(release: Release, stage: Stage, share: float) -> Stage:
    control = round(control_share(release, share), 5)
    if not control or stage.exposure.mode != "live":
        return stage
    exposure = stage.exposure.model_copy(update={"control": control})
    changes: dict[str, object] = {"exposure": exposure}
    if stage.advance == "ready":
        changes["patience_seconds"] = min(stage.patience_seconds / control, LONGEST_SECONDS)
    return stage.model_copy(update=changes)


def control_words(exposure: Exposure) -> str:
    """`compared with a control group of 1%`; empty without one."""
    if not exposure.control:
        return ""
    group = f"a control group of {percent(exposure.control)}"
    return f"compared with {group}" if exposure.share else f"{group} is drawn"
