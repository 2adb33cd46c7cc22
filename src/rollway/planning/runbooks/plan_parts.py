"""A plan's runbook as one that can be shown, timed and exchanged, and the other way round.

Both hold the same tasks. What a plan keeps apart is the head (`Night`) and the stages. A role that nobody has
been named for stands in the table of people under the id made of its name, with as many seats as it takes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rollway.planning.joining import entered_at
from rollway.planning.model import Night, Plan
from rollway.planning.roles import ROLES
from rollway.planning.runbooks.model import (
    REST_SECONDS,
    ROLE_SEATS,
    UNDATED,
    Person,
    Runbook,
    StageMark,
    Task,
)
from rollway.planning.words import slug


def runbook_of(plan: Plan) -> Runbook:
    """The plan's runbook. T is the entering of the night's stage; the other stages follow from their bakes.

    A plan from before runbooks had a night is taken to begin with its first stage.
    """
    night = plan.night or _default_night(plan)
    entered = entered_at(plan.stages)
    zero = entered[night.stage]
    crew = _Crew(plan)
    tasks = tuple(crew.task(task) for task in plan.runbook)
    undo = tuple(replace(step, owner=crew.id_of(step.owner)) for step in plan.rollback.undo)
    data = tuple(replace(part, owner=crew.id_of(part.owner)) for part in plan.rollback.data)
    authority = tuple(crew.id_of(name) for name in night.authority or plan.rollback.authority)
    start = night.start or UNDATED
    closes = None if night.window_seconds is None else start + timedelta(seconds=night.window_seconds)
    return Runbook(
        title=night.title,
        start=start,
        timezone=night.timezone,
        tasks=tasks,
        closes=closes,
        people=crew.people(),
        undo=undo,
        data=data,
        decision=night.decision_seconds,
        authority=authority,
        cannot_undo=plan.rollback.cannot_undo,
        rest=REST_SECONDS if night.rest_seconds is None else night.rest_seconds,
        release=night.release,
        note=night.note,
        extra=night.extra,
        stages=tuple(StageMark(stage.id, entered[stage.id] - zero, stage.title) for stage in plan.stages),
        night=night.stage,
        dated=night.start is not None,
    )


def _default_night(plan: Plan) -> Night:
    zone = plan.windows[0].timezone if plan.windows else "UTC"
    return Night(stage=plan.stages[0].id, title=plan.title or plan.name, timezone=zone)


class _Crew:
    """Names to ids of the table of people, which grows with whoever is named and not yet in it."""

    def __init__(self, plan: Plan) -> None:
        self._known: dict[str, Person] = {person.id: person for person in plan.people}
        self._listed = len(self._known)

    def id_of(self, name: str) -> str:
        if not name or name in self._known:
            return name
        person = slug(name)
        if person not in self._known:
            is_role = name in ROLES
            self._known[person] = Person(
                person, "" if name == person else name, seats=ROLE_SEATS if is_role else 1
            )
        return person

    def task(self, task: Task) -> Task:
        owner, backup, decider = (self.id_of(name) for name in (task.owner, task.backup, task.decider))
        has_time = task.duration is not None or task.rehearsed
        return replace(
            task,
            owner=owner,
            backup="" if backup == owner else backup,
            decider=decider,
            duration=task.duration if has_time else 0.0,
        )

    def people(self) -> tuple[Person, ...]:
        return tuple(self._known.values())


def unnamed(runbook: Runbook) -> dict[str, str]:
    """The rows that a plan would make by itself for a name that it holds: their ids, with that name."""
    return {
        person.id: person.name
        for person in runbook.people
        if person.name
        and person == Person(slug(person.name), person.name, seats=ROLE_SEATS if person.name in ROLES else 1)
    }
