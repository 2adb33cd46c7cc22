"""Phased: group by group; each wave waits for training, messages, support and the wave before."""

from __future__ import annotations

from dataclasses import dataclass

from rollway.facts.model import Group, Release
from rollway.planning.evidence import margins_before
from rollway.planning.model import Exposure, Stage
from rollway.planning.stages import (
    DAY,
    audience_words,
    bake_seconds,
    baseline_stage,
    crowd_of,
    distinct,
    patience_seconds,
    person_patience,
    undo_words,
    wished_shares,
)
from rollway.planning.words import length, listing, percent, slug

WAVE_SECONDS = 3 * DAY
DEFAULT_REACH = (0.10, 0.30, 0.60, 1.0)
"""How far the waves reach where no groups are named."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Who joins, who has it then, and the share of all users that is reached with them."""

    name: str
    joining: tuple[Group, ...]
    reached: tuple[Group, ...]
    reach: float


def build(release: Release) -> tuple[Stage, ...]:
    """baseline, one stage per wave; the last one reaches everyone."""
    waves = waves_of(release)
    before = (None, *waves[:-1])
    stages = tuple(
        _stage(release, wave, earlier, following.reach if following else 1.0)
        for wave, earlier, following in zip(waves, before, (*waves[1:], None), strict=True)
    )
    return distinct((*baseline_stage(release, "phased"), *stages))


def waves_of(release: Release) -> tuple[Wave, ...]:
    """One wave per group, representative ones first, and the rest of the users at the end.

    A group without users joins the next wave. Fewer than two waves are no phases: then the waves are
    shares of all users, as wished or by default.
    """
    crowd = crowd_of(release)
    waves: list[Wave] = []
    taken: list[Group] = []
    joining: list[Group] = []
    for group, _ in crowd.members:
        taken.append(group)
        joining.append(group)
        reach = crowd.share_of(taken)
        if reach > (waves[-1].reach if waves else 0.0):
            name = listing((member.name for member in joining), 3)
            waves.append(Wave(name, tuple(joining), tuple(taken), reach))
            joining = []
    if waves and waves[-1].reach < 1:
        waves.append(Wave("Everyone else", tuple(joining), tuple(taken), 1.0))
    return tuple(waves) if len(waves) > 1 else _waves_by_share(release)


def _waves_by_share(release: Release) -> tuple[Wave, ...]:
    reaches = (*wished_shares(release), 1.0) if release.rollout.shares else DEFAULT_REACH
    return tuple(Wave(f"Wave {number}", (), (), reach) for number, reach in enumerate(reaches, 1))


def _stage(release: Release, wave: Wave, earlier: Wave | None, following: float) -> Stage:
    bake = bake_seconds(release, WAVE_SECONDS, is_last=True)
    is_last = wave.reach >= 1
    return Stage(
        id=slug(wave.name),
        title=wave.name,
        purpose=f"Reach {percent(wave.reach)} of all users and let them settle for {length(bake)}.",
        method="phased",
        exposure=_exposure(wave),
        advance="time" if is_last else "person",
        bake_seconds=bake,
        patience_seconds=(patience_seconds if is_last else person_patience)(release, "phased", bake),
        margins={} if is_last else margins_before(release, following),
        entry=_entry(release, wave, is_first=earlier is None),
        undo=f"{undo_words(release)} This takes back every wave; to keep the earlier ones, pause instead.",
    )


def _exposure(wave: Wave) -> Exposure:
    if wave.reach >= 1:
        return Exposure(share=wave.reach)
    names = tuple(group.name for group in wave.reached)
    return Exposure(audience=audience_words(wave.reached), share=wave.reach, groups=names)


def _entry(release: Release, wave: Wave, *, is_first: bool) -> tuple[str, ...]:
    criteria: list[str] = []
    if not is_first:
        criteria.append("The stage before held for its time, and the decision to go on is signed.")
    if not release.stakeholders.training_needed.is_false:
        criteria += [f"Training is done: {_trained(group)}." for group in wave.joining] or [
            "Training is done."
        ]
    criteria += [f"Informed: {group.name}." for group in wave.joining] or ["Those who join are informed."]
    criteria.append("Support has room for the questions of those who join.")
    return tuple(criteria)


def _trained(group: Group) -> str:
    known = "" if group.training_done is None else f" ({percent(group.training_done)} when this was planned)"
    return f"{group.name}{known}"
