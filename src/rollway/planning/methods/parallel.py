"""Parallel: both versions do the same work and the results are compared; then the new one counts alone."""

from __future__ import annotations

from rollway.facts.model import Release
from rollway.planning.model import Exposure, Stage
from rollway.planning.stages import (
    DAY,
    bake_seconds,
    can_go_back,
    distinct,
    patience_seconds,
    person_patience,
    undo_words,
)
from rollway.planning.words import length, sentence

BUSINESS_CYCLE_SECONDS = 7 * DAY
CUTOVER_SECONDS = DAY
OLD_KEPT_SECONDS = 14 * DAY


def build(release: Release) -> tuple[Stage, ...]:
    """the parallel run, the cutover, the old version kept at hand."""
    return distinct((_both(release), _cutover(release), _old_kept(release)))


def _rule(release: Release) -> str:
    rule = release.migration.parallel_exit_rule.value
    return f": {rule}" if rule else ", by time or by workload, in writing"


def _both(release: Release) -> Stage:
    bake = bake_seconds(release, BUSINESS_CYCLE_SECONDS, is_last=True)
    doubled = not release.migration.dual_run_feasible.is_false
    return Stage(
        id="parallel-run",
        title="Both versions run" if doubled else "The new version runs on copies",
        purpose=f"Compare the results of both for at least {length(bake)}; only the old one's count.",
        method="parallel",
        exposure=Exposure(share=0.0, mode="dual") if doubled else Exposure(share=1.0, mode="shadow"),
        advance="person",
        bake_seconds=bake,
        patience_seconds=person_patience(release, "parallel", bake),
        entry=(
            "Rules and tolerances of the comparison are fixed.",
            "The new version's side effects (payments, shipments, messages) are suppressed.",
            sentence(f"The exit rule is fixed{_rule(release)}"),
            "People have time for the double work.",
        ),
        undo="Stop the new version; the old one's results were the ones that counted all the time.",
    )


def _cutover(release: Release) -> Stage:
    return Stage(
        id="cutover",
        title="Cutover",
        purpose="The new version's results count from here on.",
        method="parallel",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=CUTOVER_SECONDS,
        patience_seconds=patience_seconds(release, "parallel", CUTOVER_SECONDS),
        entry=(
            "The exit rule is met.",
            "Every difference is explained, mended or accepted by name.",
            "The business owner signed the comparison.",
        ),
        undo=undo_words(release, reversible=can_go_back(release)),
        reversible=can_go_back(release),
    )


def _old_kept(release: Release) -> Stage:
    return Stage(
        id="old-kept",
        title="Old version kept",
        purpose=f"Keep the old version at hand for {length(OLD_KEPT_SECONDS)}, then retire it.",
        method="parallel",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=OLD_KEPT_SECONDS,
        patience_seconds=patience_seconds(release, "parallel", OLD_KEPT_SECONDS),
        in_window=False,
        undo=undo_words(release, reversible=can_go_back(release)),
        reversible=can_go_back(release),
    )
