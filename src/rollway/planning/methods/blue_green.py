"""Blue-green: a second environment is warmed and tested, then takes everyone; the old one stays warm."""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.planning.model import Exposure, Stage
from rollway.planning.stages import (
    DAY,
    HOUR,
    NOTHING_TO_UNDO,
    bake_seconds,
    can_go_back,
    distinct,
    patience_seconds,
    person_patience,
    undo_words,
)
from rollway.planning.words import length

WARM_UP_SECONDS = HOUR / 4
SWITCH_SECONDS = HOUR / 2
KEEP_WARM_SECONDS = DAY


def build(release: Release) -> tuple[Stage, ...]:
    """warm-up, the switch, the old one kept warm (for as long as the bake that was wished)."""
    warm = bake_seconds(release, KEEP_WARM_SECONDS, is_last=True)
    watched = min(SWITCH_SECONDS, warm)
    return distinct((_warm_up(release), _switch(release, watched), _keep_warm(release, warm)))


def _warm_up(release: Release) -> Stage:
    return Stage(
        id="warm-up",
        title="Warm up the new environment",
        purpose="Bring it to full size, fill its caches, run the smoke tests; no user is on it yet.",
        method="blue_green",
        exposure=Exposure(share=0.0),
        advance="person",
        bake_seconds=WARM_UP_SECONDS,
        patience_seconds=person_patience(release, "blue_green", WARM_UP_SECONDS),
        in_window=False,
        entry=("The new environment has the old one's full capacity.",),
        undo=NOTHING_TO_UNDO,
    )


def _switch(release: Release, watched: float) -> Stage:
    return Stage(
        id="switch",
        title="Switch everyone",
        purpose="Send all users to the new environment and let the old one drain.",
        method="blue_green",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=watched,
        patience_seconds=patience_seconds(release, "blue_green", watched),
        entry=(
            "The smoke tests of the new environment passed.",
            "Sessions, jobs and queues can drain from the old environment.",
            "Data written by the new version can be read by the old one.",
        ),
        undo=undo_words(release, reversible=can_go_back(release)),
        reversible=can_go_back(release),
    )


def _keep_warm(release: Release, warm: float) -> Stage:
    return Stage(
        id="keep-warm",
        title="Old environment kept warm",
        purpose=f"For {length(warm)} the old environment can take everyone back at once.",
        method="blue_green",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=warm,
        patience_seconds=patience_seconds(release, "blue_green", warm),
        in_window=False,
        undo=undo_words(release, reversible=can_go_back(release)),
        reversible=can_go_back(release),
    )
