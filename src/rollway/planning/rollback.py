"""How the release is taken back: the steps in order, who may say so, and what cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.facts.model import Release
from rollway.planning.model import RollbackPlan, Stage
from rollway.planning.stages import undo_words


def make_rollback(release: Release, stages: Sequence[Stage]) -> RollbackPlan:
    """The rollback plan. `tested` and `expected_seconds` say only what the facts say."""
    tests = release.done.tests
    duration = tests.rollback_duration.value
    return RollbackPlan(
        steps=tuple(_steps(release, stages)),
        authority=release.agreements.operators,
        tested=tests.rollback_tested.is_true,
        expected_seconds=None if duration is None else duration.total_seconds(),
        cannot_undo=tuple(_cannot_undo(release, stages)),
    )


def _steps(release: Release, stages: Sequence[Stage]) -> list[str]:
    steps = [
        "A harmful verdict, a broken limit or the word of an operator starts it, change windows or not.",
        "See that the old version is running and has the capacity for everyone.",
        undo_words(release),
        "Read back from the target that nobody is served by the new version.",
    ]
    if any(stage.exposure.mode == "dual" for stage in stages):
        steps.append("Stop the new version's half of the parallel run; the old one's results count.")
    steps += _data_steps(release)
    if release.kpis:
        steps.append("Watch the KPIs of the old version until they are back at their usual figures.")
    steps.append("Tell support, stakeholders and the groups concerned, with the message that is prepared.")
    steps.append("Keep the record, find the cause, and plan anew; a rolled-back plan is not resumed.")
    return steps


def _data_steps(release: Release) -> list[str]:
    migration = release.migration
    if migration.needed.is_false:
        return []
    if migration.reversible.is_false:
        return ["Data stays as migrated: check that the old version can read it before it serves anyone."]
    if migration.needed.is_true or migration.reversible.is_stated:
        return ["Carry data written by the new version back, or mark it for repair, by the migration plan."]
    return ["Decide whether data written by the new version is kept, carried back or dropped."]


def _cannot_undo(release: Release, stages: Sequence[Stage]) -> list[str]:
    things: list[str] = []
    if release.migration.reversible.is_false:
        things.append("The data migration.")
    elif release.migration.needed.is_true and not release.migration.reversible.is_true:
        things.append("The data migration, as long as nobody has shown that it can be reversed.")
    if release.risks.reversible.is_false:
        things.append("The change itself: the facts say that it is not reversible.")
    things += [f"Everything from the stage '{stage.title}' on." for stage in stages if not stage.reversible][
        :1
    ]
    things.append("What users have seen, sent or decided with the new version.")
    return things
