"""A runbook: people, tasks in a network, the steps that undo them, and what becomes of the data.

Durations and offsets are elapsed seconds; offsets count from T, the runbook's start. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

Phase = Literal["before", "during", "after"]
DataRule = Literal["keep", "replay", "discard"]
Extra = tuple[tuple[str, str], ...]
"""What columns of the user's own say (`x-cost`), in their order."""

REST_SECONDS = 11 * 3600.0
"""The daily rest of Directive 2003/88/EC, article 3: eleven consecutive hours in each 24."""
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who does or decides something. A team that can do several tasks at once has several `seats`."""

    id: str
    name: str = ""
    team: str = ""
    timezone: str = ""
    contact: str = ""
    seats: int = 1
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the runbook.

    It begins when every task of `after` has ended, not before T + `at`, and, where `trigger` names an
    event of the outside world, when that has come (which no calculation here knows).
    `rehearsed` are the times it took in rehearsals, `duration` the time it is planned to take.
    `undo` names the undo steps that are needed once it has begun; none means that there is nothing to undo.
    """

    id: str
    title: str
    phase: Phase
    owner: str
    section: str = ""
    at: float | None = None
    trigger: str = ""
    after: tuple[str, ...] = ()
    duration: float | None = None
    rehearsed: tuple[float, ...] = ()
    backup: str = ""
    team: str = ""
    timezone: str = ""
    instruction: str = ""
    command: str = ""
    link: str = ""
    expected: str = ""
    verification: str = ""
    evidence: str = ""
    gate: bool = False
    criteria: tuple[str, ...] = ()
    decider: str = ""
    reversible: bool = True
    undo: tuple[str, ...] = ()
    tells: str = ""
    note: str = ""
    extra: Extra = ()

    @property
    def seconds(self) -> float:
        """What the timetable reckons with: the planned duration, else the median of the rehearsals."""
        if self.duration is not None:
            return self.duration
        ordered, middle = sorted(self.rehearsed), len(self.rehearsed) // 2
        if not ordered:
            return 0.0
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One step of going back. Steps are done one after the other, in the order of the list.

    A step that no task names is always needed. `tested` says where it was tested, and when.
    """

    id: str
    title: str
    owner: str
    instruction: str = ""
    command: str = ""
    verification: str = ""
    duration: float | None = None
    rehearsed: tuple[float, ...] = ()
    tested: str = ""
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class DataPart:
    """Data written since the start, and what becomes of it when one goes back."""

    id: str
    title: str
    rule: DataRule
    owner: str
    how: str = ""
    extra: Extra = ()


@dataclass(frozen=True)
class Runbook:
    """The whole runbook. `start` is T; `closes` is when the change window ends, if there is one.

    `decision` is how long it takes to decide to go back, `authority` who may decide it.
    """

    title: str
    start: datetime
    timezone: str
    tasks: tuple[Task, ...]
    closes: datetime | None = None
    people: tuple[Person, ...] = ()
    undo: tuple[UndoStep, ...] = ()
    data: tuple[DataPart, ...] = ()
    decision: float = 0.0
    authority: tuple[str, ...] = ()
    cannot_undo: tuple[str, ...] = ()
    rest: float = REST_SECONDS
    release: str = ""
    note: str = ""
    extra: Extra = ()

    @cached_property
    def index(self) -> dict[str, int]:
        """The place of each task in the list, by its id."""
        return {task.id: place for place, task in enumerate(self.tasks)}

    @cached_property
    def person(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    @property
    def window_seconds(self) -> float | None:
        """Elapsed seconds from T to the end of the window; a night with an hour more has them."""
        return None if self.closes is None else (self.closes - self.start).total_seconds()

    def zone_of(self, task: Task) -> str:
        """The time zone a task is done in: its own, else its owner's, else the runbook's."""
        owner = self.person.get(task.owner)
        return task.timezone or (owner.timezone if owner else "") or self.timezone

    def moment(self, seconds: float, timezone: str = "") -> datetime:
        """T + elapsed seconds, as the clocks of a time zone show it."""
        return (self.start + timedelta(seconds=seconds)).astimezone(ZoneInfo(timezone or self.timezone))
