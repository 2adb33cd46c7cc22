"""How the release is taken back: the steps in order, what becomes of the data, and what cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.facts.model import Release
from rollway.planning import roles
from rollway.planning.model import RollbackPlan, Stage
from rollway.planning.runbooks.model import DataPart, DataRule, UndoStep
from rollway.planning.stage_tasks import WAY_BACK
from rollway.planning.stages import undo_words

RULE_WORDS = {"keep": "kept", "replay": "carried back into the old version", "discard": "dropped"}
UNKNOWN_DATA = (
    "Nobody has said what becomes of data written with the new version: state migration.backward_compatible "
    "and migration.reversible, or decide it in the runbook (data: keep, replay or discard)."
)


def make_rollback(release: Release, stages: Sequence[Stage]) -> RollbackPlan:
    """The rollback plan. `tested` and `expected_seconds` say only what the facts say."""
    tests = release.done.tests
    duration = tests.rollback_duration.value
    seconds = None if duration is None else duration.total_seconds()
    final = next((stage for stage in stages if not stage.reversible), None)
    data = make_data(release, stages)
    return RollbackPlan(
        steps=rollback_steps(release, stages, data),
        authority=release.agreements.operators,
        tested=tests.rollback_tested.is_true,
        expected_seconds=seconds,
        cannot_undo=tuple(_cannot_undo(release, stages)),
        undo=(_way_back(release, seconds),),
        data=data,
        data_unknown="" if data else UNKNOWN_DATA,
        no_return="" if final is None else final.id,
    )


def make_data(release: Release, stages: Sequence[Stage]) -> tuple[DataPart, ...]:
    """What becomes of data written since the start, as far as the migration's facts say; else none."""
    migration = release.migration
    written = "Data written with the new version"

    def part(rule: DataRule, how: str) -> tuple[DataPart, ...]:
        return (DataPart("written", written, rule, roles.BUSINESS_OWNER, how),)

    if migration.needed.is_false and not migration.backward_compatible.is_false:
        return part("keep", "No data is migrated; both versions work on the same data.")
    if migration.backward_compatible.is_true:
        return part("keep", "The old version can work with the new data, as the facts say.")
    if migration.dual_run_feasible.is_true and any(stage.exposure.mode == "dual" for stage in stages):
        return part(
            "discard", "The old version did the same work all along; its data is the one that counts."
        )
    if migration.reversible.is_true:
        return part("replay", "The migration is reversed, by the migration plan.")
    if release.risks.data_loss_tolerated.is_true and migration.reversible.is_false:
        return part("discard", "The facts say that it may be lost; what users entered must be entered again.")
    return ()


def _way_back(release: Release, seconds: float | None) -> UndoStep:
    tests = release.done.tests
    return UndoStep(
        id=WAY_BACK,
        title="Go back by the steps of the rollback plan",
        owner=roles.OPERATIONS,
        duration=seconds or 0.0,
        tested=(tests.rollback_tested.note or "stated in the facts") if tests.rollback_tested.is_true else "",
    )


def rollback_steps(
    release: Release, stages: Sequence[Stage], data: Sequence[DataPart], undo: Sequence[UndoStep] = ()
) -> tuple[str, ...]:
    """The steps in words; `undo` are the team's own, which come once the target was told."""
    steps = [
        "A harmful verdict, a broken limit or anybody's word starts it, change windows or not.",
        "See that the old version is running and has the capacity for everyone.",
        undo_words(release),
        "Read back from the target that nobody is served by the new version.",
    ]
    if any(stage.exposure.mode == "dual" for stage in stages):
        steps.append("Stop the new version's half of the parallel run; the old one's results count.")
    if undo:
        count = "the step" if len(undo) == 1 else f"the {len(undo)} steps"
        steps.append(f"Then {count} of the runbook, from '{undo[0].title}' to '{undo[-1].title}'.")
        steps += [f"{part.title}: {RULE_WORDS[part.rule]}." for part in data]
    else:
        steps += _data_steps(release, data)
    if release.kpis:
        steps.append("Watch the KPIs of the old version until they are back at their usual figures.")
    steps.append("Tell support, stakeholders and the groups concerned, with the message that is prepared.")
    steps.append("Keep the record, find the cause, and plan anew; a rolled-back plan is not resumed.")
    return tuple(steps)


def _data_steps(release: Release, data: Sequence[DataPart]) -> list[str]:
    migration = release.migration
    if migration.needed.is_false:
        return []
    if migration.reversible.is_false:
        return ["Data stays as migrated: check that the old version can read it before it serves anyone."]
    if data and data[0].rule != "replay":
        return [f"{data[0].title} is {RULE_WORDS[data[0].rule]}. {data[0].how}"]
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
