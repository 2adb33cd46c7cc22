"""The runbook: what is done before, during and after, by which role, and how one sees that it worked.

T of a task is the moment at which the turn of its own stage comes: from then on its work is done, and once
its gates are met it is entered. Times come from the facts where they are known; a task of which nobody knows
how long it takes is a mark of no length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollway.facts.model import Group, Release
from rollway.planning import roles
from rollway.planning.joining import joining_groups, reaches_users
from rollway.planning.model import Stage, Task
from rollway.planning.people import minimum_trained, needs_training
from rollway.planning.stage_tasks import Maker, task_with, tasks_of_stages
from rollway.planning.stages import DAY
from rollway.planning.windows import describe_window
from rollway.planning.words import listing, percent, slug, stated


def make_runbook(release: Release, stages: Sequence[Stage]) -> tuple[Task, ...]:
    """All tasks in the order in which they are done; ids differ."""
    tasks: list[Task] = []
    taken: set[str] = set()
    first, last = stages[0].id, stages[-1].id
    made = (
        *_before(release, first),
        *_waves(release, stages),
        *tasks_of_stages(release, stages),
        *_after(stages, last),
    )
    for task in made:
        name, count = task.id, 1
        while name in taken:
            count += 1
            name = f"{task.id}-{count}"
        taken.add(name)
        tasks.append(task if name == task.id else task_with(task, id=name))
    return tuple(tasks)


def task_ids(runbook: Sequence[Task], stage: Stage) -> tuple[str, ...]:
    """The ids of the tasks that belong to carrying out a stage."""
    return tuple(task.id for task in runbook if task.phase == "during" and task.stage == stage.id)


# --- before -----------------------------------------------------------------------------------------


def _before(release: Release, stage: str) -> Iterator[Task]:
    task = Maker("before", "before", stage)
    yield task(
        "criteria",
        roles.PRODUCT_OWNER,
        "Fix what success and failure mean",
        "Read the KPIs, tolerances and limits of this plan with those who own them. After the approval "
        "nothing of it changes; a change is a new plan.",
        "Every KPI has an owner who agreed.",
        at=-14 * DAY,
    )
    if release.kpis:
        names = listing(kpi.title or kpi.name for kpi in release.kpis)
        yield task(
            "telemetry",
            roles.SCRUM_TEAM,
            "See that the numbers arrive, for each version apart",
            f"Look at {names}; cause one harmless fault in a test environment and find it again.",
            "Every KPI shows numbers of the old version, and the fault was seen.",
            at=-7 * DAY,
            evidence="A picture of the figures with the fault in them",
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
            at=-DAY,
            evidence="The log of the restore, with its times",
        )


def _agreed(release: Release, task: Maker) -> Iterator[Task]:
    for party in release.architecture.third_parties:
        yield task(
            f"party-{slug(party.name)}",
            roles.RELEASE_MANAGER,
            f"Have {party.name} confirm",
            f"Ask for readiness and for somebody on standby ({party.kind}).",
            "The confirmation is on file, with a name and a telephone number.",
            at=-7 * DAY,
            evidence="The confirmation",
        )
    if release.agreements.windows:
        words = listing(describe_window(window) for window in release.agreements.windows)
        yield task(
            "window",
            roles.CHANGE_AUTHORITY,
            "Book the change windows",
            f"Windows: {words}.",
            "Nothing else is booked that shares a service, a database or people.",
            at=-14 * DAY,
        )
    yield task(
        "approval",
        roles.RELEASE_MANAGER,
        "Get this plan approved",
        f"Approvals needed: {release.agreements.approvals_required}, not by the one who prepared it.",
        "The approvals name the hash of this plan.",
        at=-2 * DAY,
    )


def _rollback_task(release: Release, task: Maker) -> Task:
    if release.done.tests.rollback_tested.is_true:
        return task(
            "rollback",
            roles.SCRUM_TEAM,
            "Confirm the rollback test",
            "See that the test was made with this version and this target.",
            f"The evidence is at hand ({stated(release.done.tests.rollback_tested)}).",
            at=-7 * DAY,
        )
    return task(
        "rollback",
        roles.SCRUM_TEAM,
        "Test the rollback",
        "Expose the new version in a test environment and take it back by the steps of the rollback plan.",
        "The time it took is written down, and the old version served everyone afterwards.",
        at=-7 * DAY,
        evidence="The log of the test, with its times",
    )


def _people(release: Release, task: Maker) -> Iterator[Task]:
    contact = release.stakeholders.support_contact
    reported = f" to {contact}" if contact else ""
    yield task(
        "support",
        roles.SUPPORT_LEAD,
        "Brief support",
        f"Walk through what changes, the likely questions, and how to report{reported}.",
        "Support can show the rollback message and knows who may say it.",
        at=-2 * DAY,
    )


def _waves(release: Release, stages: Sequence[Stage]) -> Iterator[Task]:
    """The training before each stage in which people join."""
    joining = joining_groups(release, stages)
    is_first = True
    for stage in stages:
        if not reaches_users(stage):
            continue
        groups = joining[stage.id]
        if needs_training(release, stage) and (groups or is_first):
            task = Maker("before", "before" if is_first else stage.id, stage.id)
            yield _training(release, task, groups)
        is_first = False


def _training(release: Release, task: Maker, groups: Sequence[Group]) -> Task:
    minimum = percent(minimum_trained(release))
    champions = listing((f"{group.champion} ({group.name})" for group in groups if group.champion), 8)
    asked = f" First to be asked there: {champions}." if champions else ""
    return task(
        "training",
        roles.TRAINING_LEAD,
        f"Train {listing((group.name for group in groups), 3) or 'those who join'}",
        f"Train shortly before they need it, with the unusual cases too.{asked}",
        f"At least {minimum} of each group is on the list of those who were trained.",
        at=-3 * DAY,
        evidence="The list of those who were trained",
    )


# --- after ------------------------------------------------------------------------------------------


def _after(stages: Sequence[Stage], stage: str) -> Iterator[Task]:
    over = stages[-1].bake_seconds
    task = Maker("after", "after", stage)
    yield task(
        "hypercare",
        roles.SUPPORT_LEAD,
        "End the closer watch",
        "End it when no critical fault is open, requests for help are at their usual level, "
        "and those who run it have taken over.",
        "The handover is signed.",
        at=over,
        evidence="The signed handover",
    )
    yield task(
        "clean",
        roles.SCRUM_TEAM,
        "Remove what the rollout needed",
        "Remove the switch, the old version and temporary interfaces, once going back is no longer wanted.",
        "Nothing in the code asks any more which version it is.",
        at=over + 14 * DAY,
    )
    yield task(
        "agreement",
        roles.BUSINESS_OWNER,
        "Sign the Working Deliverables Agreement",
        "Confirm that the increment works for its users as agreed.",
        "The signed agreement is on file.",
        at=over,
        evidence="The signed agreement",
    )
    yield task(
        "learn",
        roles.PRODUCT_OWNER,
        "Look back",
        "Compare the promises of this plan with what happened; bring the risk register up to date.",
        "What is to be done otherwise next time has an owner.",
        at=over + 7 * DAY,
    )
