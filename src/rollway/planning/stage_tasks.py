"""What is done in each stage, one after the other, and how the tasks of a runbook are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rollway.facts.model import Release
from rollway.planning import roles
from rollway.planning.describe import rule_words
from rollway.planning.joining import reaches_users
from rollway.planning.model import Stage, Task
from rollway.planning.words import length, listing, percent, times

SWITCHING = frozenset({"big_bang", "blue_green", "parallel"})
"""Methods with one moment at which everyone is switched."""

WAY_BACK = "go-back"
"""The undo step that stands for the whole tested way back, until people write their own."""

DATA_WORK = ("stop-writing", "migrate")
"""The generated tasks of a migration, which give way to the team's own."""

STILL_WELL = (
    "No limit is broken, and no gate is harmful.",
    "Neither those who use it nor those who run it report anything that stops their work.",
)
"""What a person asks before going on where nothing else is written down."""

BACKUPS = {
    roles.PRODUCT_OWNER: roles.BUSINESS_OWNER,
    roles.BUSINESS_OWNER: roles.PRODUCT_OWNER,
    roles.RELEASE_MANAGER: roles.OPERATIONS,
    roles.SCRUM_TEAM: roles.OPERATIONS,
    roles.OPERATIONS: roles.SCRUM_TEAM,
    roles.CHANGE_AUTHORITY: roles.RELEASE_MANAGER,
    roles.SUPPORT_LEAD: roles.RELEASE_MANAGER,
    roles.TRAINING_LEAD: roles.SUPPORT_LEAD,
}
"""Who stands in for a role that is not at hand, unless people agree otherwise."""


def night_stage(stages: Sequence[Stage]) -> Stage:
    """The stage whose entering is T: the one from which there is no way back; else the switch of everyone;
    else the first that serves users."""
    exposed = [stage for stage in stages if reaches_users(stage)] or [stages[-1]]
    final = next((stage for stage in exposed if not stage.reversible), None)
    switch = next(
        (stage for stage in exposed if stage.method in SWITCHING and stage.exposure.live >= 1), None
    )
    return final or switch or exposed[0]


def task_with(task: Task, **changes: Any) -> Task:
    """The task with some fields changed."""
    return replace(task, **changes)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the tasks of one phase and stage; ids begin with the prefix."""

    phase: Literal["before", "during", "after"]
    prefix: str
    stage: str

    def __call__(
        self, name: str, owner: str, title: str, instruction: str, verification: str, **fields: Any
    ) -> Task:
        return Task(
            id=f"{self.prefix}-{name}",
            phase=self.phase,
            stage=self.stage,
            title=title,
            owner=owner,
            backup=BACKUPS.get(owner, ""),
            instruction=instruction,
            verification=verification,
            **{"duration": 0.0, **fields},
        )


def tasks_of_stages(release: Release, stages: Sequence[Stage]) -> Iterator[Task]:
    reached = -1.0
    was_reversible = True
    night = night_stage(stages)
    last = ""
    for index, stage in enumerate(stages):
        following = stages[index + 1] if index + 1 < len(stages) else None
        steps = _Steps(
            release,
            stage,
            following,
            changes=stage.exposure.live != max(reached, 0.0) or stage.exposure.mode != "live",
            is_night=stage is night,
            is_no_return=was_reversible and not stage.reversible,
        )
        for task in steps.tasks():
            yield task_with(task, after=(last,)) if last else task
            last = task.id
        reached, was_reversible = stage.exposure.live, stage.reversible


@dataclass(frozen=True, slots=True)
class _Steps:
    """What is done in one stage, one after the other."""

    release: Release
    stage: Stage
    following: Stage | None
    changes: bool
    is_night: bool
    is_no_return: bool

    def tasks(self) -> Iterator[Task]:
        stage = self.stage
        task = Maker("during", stage.id, stage.id)
        if stage.entry:
            yield task(
                "entry",
                roles.RELEASE_MANAGER,
                f"{stage.title}: check the entry criteria",
                " ".join(f"({number}) {criterion}" for number, criterion in enumerate(stage.entry, 1)),
                "Each has a name and a date beside it.",
                evidence="The list with names and dates",
            )
        if self.is_night and self.release.migration.needed.is_true:
            yield from self._migration(task)
        if self.changes:
            yield self._expose(task)
        yield self._decide(task)

    def _final(self) -> dict[str, Any]:
        """What marks the step of no return, and who says go to it."""
        if self.is_no_return:
            return {"reversible": False, "decider": roles.BUSINESS_OWNER}
        return {"undo": (WAY_BACK,)} if self.is_night and self.stage.reversible else {}

    def _migration(self, task: Maker) -> Iterator[Task]:
        migration = self.release.migration
        if not migration.old_kept_running.is_true:
            yield task(
                "stop-writing",
                roles.OPERATIONS,
                f"{self.stage.title}: stop what writes to the old version",
                "Stop jobs and interfaces, then entry by people. Tell support when it begins.",
                "The old version takes no new work, and its queues are empty.",
                tells="Support: nothing new can be entered from now on",
            )
        taken = migration.duration.value
        seconds = 0.0 if taken is None else taken.total_seconds()
        rehearsed = (seconds,) if migration.rehearsed.is_true and seconds > 0 else ()
        rules = (
            "by the rules that were agreed" if migration.reconciliation_rules.is_true else "by count and sum"
        )
        yield task(
            "migrate",
            roles.SCRUM_TEAM,
            f"{self.stage.title}: migrate the data, and reconcile it",
            "Follow the migration plan; note when it begins and ends.",
            f"Source and target agree {rules}.",
            duration=seconds,
            rehearsed=rehearsed,
            evidence="The protocol of the reconciliation",
            **({} if self.is_no_return else self._final()),
        )

    def _expose(self, task: Maker) -> Task:
        stage = self.stage
        if stage.exposure.mode != "live":
            return task(
                "compare",
                roles.SCRUM_TEAM,
                f"{stage.title}: compare the results of both versions",
                "Feed both the same work, list every difference with its cause.",
                "The list of differences is kept for the decision.",
                evidence="The list of differences",
            )
        return task(
            "expose",
            roles.OPERATIONS,
            f"{stage.title}: see that {percent(stage.exposure.share)} are served",
            f"Rollway tells the target. Audience: {stage.exposure.audience}.",
            "The target was read back with this share.",
            **self._final(),
        )

    def _decide(self, task: Maker) -> Task:
        """The wait of the stage and the decision at its end; the bake is a fixed time."""
        stage = self.stage
        asked = self.following.entry if self.following else ()
        gate = {"gate": True, "decider": roles.BUSINESS_OWNER, "criteria": asked or STILL_WELL}
        return _decide_task(
            stage,
            task,
            {
                "duration": stage.bake_seconds,
                "p90": stage.bake_seconds or None,
                **(gate if stage.advance == "person" else {}),
            },
        )


def _decide_task(stage: Stage, task: Maker, fields: dict[str, Any]) -> Task:
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
        **fields,
    )
