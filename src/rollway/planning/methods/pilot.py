"""Pilot: representative groups use it for at least one business cycle; a person judges; then everyone."""

from __future__ import annotations

from collections.abc import Sequence

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
    pilot_groups,
    undo_words,
)
from rollway.planning.words import length, listing

BUSINESS_CYCLE_SECONDS = 7 * DAY
SETTLE_SECONDS = DAY


def build(release: Release) -> tuple[Stage, ...]:
    """baseline, the pilot, everyone."""
    return distinct((*baseline_stage(release, "pilot"), _pilot(release), _everyone(release)))


def _pilot(release: Release) -> Stage:
    groups, share = pilot_groups(release)
    bake = bake_seconds(release, BUSINESS_CYCLE_SECONDS, is_last=True)
    return Stage(
        id="pilot",
        title=f"Pilot: {listing((group.name for group in groups), 3)}" if groups else "Pilot",
        purpose=f"Learn from real work for {length(bake)} before everybody else depends on it.",
        method="pilot",
        exposure=Exposure(audience=audience_words(groups), share=share, groups=_names(release, groups)),
        advance="person",
        bake_seconds=bake,
        patience_seconds=person_patience(release, "pilot", bake),
        margins=margins_before(release, 1.0),
        entry=(
            "The pilot groups take part and nobody else; the target's own rule says who they are.",
            *(f"Trained, informed and with a named contact: {group.name}." for group in groups),
            "How the pilot is judged (figures, feedback, by whom) is written down.",
        ),
        undo=undo_words(release),
    )


def _names(release: Release, groups: Sequence[Group]) -> tuple[str, ...]:
    """The groups by name; none where they are everybody, because a pilot with everyone is no pilot."""
    return tuple(group.name for group in groups) if 0 < crowd_of(release).share_of(groups) < 1 else ()


def _everyone(release: Release) -> Stage:
    return Stage(
        id="everyone",
        title="Everyone",
        purpose="Extend what the pilot proved to all users.",
        method="pilot",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=SETTLE_SECONDS,
        patience_seconds=patience_seconds(release, "pilot", SETTLE_SECONDS),
        entry=(
            "The pilot's verdict is written and signed: go, adapt or stop.",
            "Faults that the pilot found are mended or accepted by name.",
            "Everybody is trained and informed; support has room.",
        ),
        undo=undo_words(release),
    )
