"""The runbook: what is done before, during and after, by which role, and how one sees that it worked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from rollway.facts.model import Release
from rollway.planning import roles
from rollway.planning.describe import rule_words
from rollway.planning.model import Stage, Task
from rollway.planning.windows import describe_window
from rollway.planning.words import length, listing, percent, slug, stated, times


def make_runbook(release: Release, stages: Sequence[Stage]) -> tuple[Task, ...]:
    """All tasks in the order in which they are done; ids differ."""
    tasks: list[Task] = []
    taken: set[str] = set()
    first, last = stages[0].id, stages[-1].id
    for task in (*_before(release, first), *_during(release, stages), *_after(release, last)):
        name, count = task.id, 1
        while name in taken:
            count += 1
            name = f"{task.id}-{count}"
        taken.add(name)
        tasks.append(task if name == task.id else task.model_copy(update={"id": name}))
    return tuple(tasks)


def task_ids(runbook: Sequence[Task], stage: Stage) -> tuple[str, ...]:
    """The ids of the tasks that belong to carrying out a stage."""
    return tuple(task.id for task in runbook if task.phase == "during" and task.stage == stage.id)


Maker = Callable[[str, str, str, str, str], Task]


def _maker(phase: Literal["before", "during", "after"], prefix: str, stage: str) -> Maker:
    """What makes a task of one phase and stage from name, owner, title, instruction and verification."""

    def make(name: str, owner: str, title: str, instruction: str, verification: str) -> Task:
        return Task(
            id=f"{prefix}-{name}",
            phase=phase,
            stage=stage,
            title=title,
            owner=owner,
            instruction=instruction,
            verification=verification,
        )

    return make


# --- before -----------------------------------------------------------------------------------------


def _before(release: Release, stage: str) -> Iterator[Task]:
    task = _maker("before", "before", stage)
    yield task(
        "criteria",
        roles.PRODUCT_OWNER,
        "Fix what success and failure mean",
        "Read the KPIs, tolerances and limits of this plan with those who own them. After the approval "
        "nothing of it changes; a change is a new plan.",
        "Every KPI has an owner who agreed.",
    )
    if release.kpis:
        names = listing(kpi.title or kpi.name for kpi in release.kpis)
        yield task(
            "telemetry",
            roles.SCRUM_TEAM,
            "See that the numbers arrive, for each version apart",
            f"Look at {names}; cause one harmless fault in a test environment and find it again.",
            "Every KPI shows numbers of the old version, and the fault was seen.",
        )
    yield from _technical(release, task)
    yield from _people(release, task)
    yield from _agreed(release, task)


def _technical(release: Release, task: Maker) -> Iterator[Task]:
    yield _rollback_task(release, task)
    if not release.migration.needed.is_false:
        yield task(
            "backup",
            roles.OPERATIONS,
            "Take a backup and restore it",
            "Back up what the new version may write to, and restore it to another place.",
            "The restored copy was read, and the time it took is written down.",
        )


def _agreed(release: Release, task: Maker) -> Iterator[Task]:
    for party in release.architecture.third_parties:
        yield task(
            f"party-{slug(party.name)}",
            roles.RELEASE_MANAGER,
            f"Have {party.name} confirm",
            f"Ask for readiness and for somebody on standby ({party.kind}).",
            "The confirmation is on file, with a name and a telephone number.",
        )
    if release.agreements.windows:
        words = listing(describe_window(window) for window in release.agreements.windows)
        yield task(
            "window",
            roles.CHANGE_AUTHORITY,
            "Book the change windows",
            f"Windows: {words}.",
            "Nothing else is booked that shares a service, a database or people.",
        )
    yield task(
        "approval",
        roles.RELEASE_MANAGER,
        "Get this plan approved",
        f"Approvals needed: {release.agreements.approvals_required}, not by the one who prepared it.",
        "The approvals name the hash of this plan.",
    )


def _rollback_task(release: Release, task: Maker) -> Task:
    if release.done.tests.rollback_tested.is_true:
        return task(
            "rollback",
            roles.SCRUM_TEAM,
            "Confirm the rollback test",
            "See that the test was made with this version and this target.",
            f"The evidence is at hand ({stated(release.done.tests.rollback_tested)}).",
        )
    return task(
        "rollback",
        roles.SCRUM_TEAM,
        "Test the rollback",
        "Expose the new version in a test environment and take it back by the steps of the rollback plan.",
        "The time it took is written down, and the old version served everyone afterwards.",
    )


def _people(release: Release, task: Maker) -> Iterator[Task]:
    if not release.stakeholders.training_needed.is_false:
        yield task(
            "training",
            roles.TRAINING_LEAD,
            "Train those who join first",
            "Train shortly before they need it, with the unusual cases too.",
            "The list of those who were trained is complete.",
        )
    contact = release.stakeholders.support_contact
    reported = f" to {contact}" if contact else ""
    yield task(
        "support",
        roles.SUPPORT_LEAD,
        "Brief support",
        f"Walk through what changes, the likely questions, and how to report{reported}.",
        "Support can show the rollback message and knows who may say it.",
    )


# --- during -----------------------------------------------------------------------------------------


def _during(release: Release, stages: Sequence[Stage]) -> Iterator[Task]:
    reached = -1.0
    for stage in stages:
        yield from _of_stage(
            stage, changes=stage.exposure.share != max(reached, 0.0) or stage.exposure.mode != "live"
        )
        reached = stage.exposure.share


def _of_stage(stage: Stage, *, changes: bool) -> Iterator[Task]:
    task = _maker("during", stage.id, stage.id)
    if stage.entry:
        yield task(
            "entry",
            roles.RELEASE_MANAGER,
            f"{stage.title}: check the entry criteria",
            " ".join(f"({number}) {criterion}" for number, criterion in enumerate(stage.entry, 1)),
            "Each has a name and a date beside it.",
        )
    if changes:
        yield _expose_task(stage, task)
    yield _decide_task(stage, task)


def _expose_task(stage: Stage, task: Maker) -> Task:
    if stage.exposure.mode != "live":
        return task(
            "compare",
            roles.SCRUM_TEAM,
            f"{stage.title}: compare the results of both versions",
            "Feed both the same work, list every difference with its cause.",
            "The list of differences is kept for the decision.",
        )
    return task(
        "expose",
        roles.OPERATIONS,
        f"{stage.title}: see that {percent(stage.exposure.share)} are served",
        f"Rollway tells the target. Audience: {stage.exposure.audience}.",
        "The target was read back with this share.",
    )


def _decide_task(stage: Stage, task: Maker) -> Task:
    bake = f"at least {length(stage.bake_seconds)}" if stage.bake_seconds else "no fixed time"
    match stage.advance:
        case "ready":
            title, instruction = (
                "wait for the old version's numbers",
                "Rollway goes on when every gate has them.",
            )
        case "evidence":
            ratios = listing(f"{kpi} below {times(margin)}" for kpi, margin in stage.margins.items())
            rule = f"it is shown: {ratios} of the old version" if ratios else rule_words(stage)
            title, instruction = "watch the verdict", f"Rollway goes on after {bake}, when {rule}."
        case "time":
            harm = "takes the release back" if stage.reversible else "holds the rollout for people"
            title, instruction = "watch the limits", f"It lasts {bake}; a broken limit {harm}."
        case "person":
            title = "decide: go on, wait or go back"
            instruction = (
                f"After {bake}, a named person decides on the figures, the feedback and the entry criteria "
                "of what follows."
            )
    owner = roles.BUSINESS_OWNER if stage.advance == "person" else roles.OPERATIONS
    return task(
        "decide",
        owner,
        f"{stage.title}: {title}",
        instruction,
        "The record shows the decision and its numbers.",
    )


# --- after ------------------------------------------------------------------------------------------


def _after(release: Release, stage: str) -> Iterator[Task]:
    task = _maker("after", "after", stage)
    yield task(
        "hypercare",
        roles.SUPPORT_LEAD,
        "End the closer watch",
        "End it when no critical fault is open, requests for help are at their usual level, "
        "and those who run it have taken over.",
        "The handover is signed.",
    )
    yield task(
        "clean",
        roles.SCRUM_TEAM,
        "Remove what the rollout needed",
        "Remove the switch, the old version and temporary interfaces, once going back is no longer wanted.",
        "Nothing in the code asks any more which version it is.",
    )
    yield task(
        "agreement",
        roles.BUSINESS_OWNER,
        "Sign the Working Deliverables Agreement",
        "Confirm that the increment works for its users as agreed.",
        "The signed agreement is on file.",
    )
    yield task(
        "learn",
        roles.PRODUCT_OWNER,
        "Look back",
        "Compare the promises of this plan with what happened; bring the risk register up to date.",
        "What is to be done otherwise next time has an owner.",
    )
