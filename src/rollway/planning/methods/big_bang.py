"""Big bang: rehearsed against a clock, decided by name, everyone at once, then hypercare."""

from __future__ import annotations

from rollway.facts.duration import format_duration
from rollway.facts.model import Release
from rollway.planning.model import Exposure, Stage
from rollway.planning.stages import (
    DAY,
    HOUR,
    NOTHING_TO_UNDO,
    bake_seconds,
    can_go_back,
    distinct,
    person_patience,
    undo_words,
)
from rollway.planning.words import length, stated

SWITCH_SECONDS = HOUR
HYPERCARE_SECONDS = 7 * DAY
WINDOW_RESERVE = 1.5
"""A change window should hold the rehearsed duration this many times."""


def build(release: Release) -> tuple[Stage, ...]:
    """go or no-go, the switch, hypercare."""
    return distinct((_decision(release), _switch(release), _hypercare(release)))


def _decision(release: Release) -> Stage:
    return Stage(
        id="go-no-go",
        title="Go or no-go",
        purpose="Decide by name, on evidence, before anything is switched.",
        method="big_bang",
        exposure=Exposure(share=0.0),
        advance="person",
        bake_seconds=0.0,
        patience_seconds=person_patience(release, "big_bang", DAY),
        in_window=False,
        entry=_evidence(release),
        undo=NOTHING_TO_UNDO,
    )


def _evidence(release: Release) -> tuple[str, ...]:
    tests, duration = release.done.tests, release.migration.duration
    rehearsed = "" if duration.value is None else f" ({format_duration(duration.value)})"
    return (
        f"The runbook was rehearsed against a clock{rehearsed}, with the people and the data of the day.",
        f"The change window holds {WINDOW_RESERVE:g} times the rehearsed duration.",
        f"The rollback was tested from end to end: {stated(tests.rollback_tested)}.",
        f"The recovery of data was tested: {stated(tests.recovery_tested)}.",
        "The point of no return is marked in the runbook, and who decides at it is named.",
    )


def _switch(release: Release) -> Stage:
    reversible = can_go_back(release)
    marked = "" if reversible else " This is the point of no return."
    return Stage(
        id="switch",
        title="Switch everyone",
        purpose=f"Everyone moves at once; a person confirms the checks before the window closes.{marked}",
        method="big_bang",
        exposure=Exposure(share=1.0),
        advance="person",
        bake_seconds=SWITCH_SECONDS,
        patience_seconds=person_patience(release, "big_bang", SWITCH_SECONDS),
        entry=("A named person said go.", "Everyone in the runbook is at hand."),
        undo=undo_words(release, reversible=reversible),
        reversible=reversible,
    )


def _hypercare(release: Release) -> Stage:
    bake = bake_seconds(release, HYPERCARE_SECONDS, is_last=True)
    reversible = can_go_back(release)
    return Stage(
        id="hypercare",
        title="Hypercare",
        purpose=(
            f"Watch and help closely for {length(bake)}, and until no critical fault is open, requests for "
            "help are at their usual level, and those who run it have taken over."
        ),
        method="big_bang",
        exposure=Exposure(share=1.0),
        advance="person",
        bake_seconds=bake,
        patience_seconds=person_patience(release, "big_bang", bake),
        in_window=False,
        undo=undo_words(release, reversible=reversible),
        reversible=reversible,
    )
