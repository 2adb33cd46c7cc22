"""A runbook: people, tasks in a network, the steps that undo them, and what becomes of the data.

Durations and offsets are elapsed seconds; offsets count from T, the runbook's start. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass as plain
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Phase = Literal["before", "during", "after"]
DataRule = Literal["keep", "replay", "discard"]
Extra = tuple[tuple[str, str], ...]
"""What columns of the user's own say (`x-cost`), in their order."""

REST_SECONDS = 11 * 3600.0
"""The daily rest of Directive 2003/88/EC, article 3: eleven consecutive hours in each 24."""
DAY_SECONDS = 86_400.0
ROLE_SEATS = 1_000
"""A role stands for as many people as are needed, until somebody is named."""
UNDATED = datetime(2001, 1, 1, tzinfo=UTC)
"""What stands for T in a runbook that has no date yet; only offsets from it are ever shown."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


def _unsaid(default: Any = "") -> Any:
    """A field that a plan leaves out where it says nothing, so that older plans keep their hash."""
    return Field(default=default, exclude_if=lambda value: value == default)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Person:
    """Who does or decides something. A team that can do several tasks at once has several `seats`."""

    id: str
    name: str = _unsaid()
    team: str = _unsaid()
    timezone: str = _unsaid()
    contact: str = _unsaid()
    seats: int = _unsaid(1)
    extra: Extra = _unsaid(())


@dataclass(frozen=True, slots=True, config=_STRICT)
class Task:
    """One line of the runbook.

    `stage` is the stage of a plan that it belongs to; T is then the moment at which that stage is entered.
    It begins when every task of `after` has ended, not before T + `at`, and, where `trigger` names an
    event of the outside world, when that has come (which no calculation here knows).
    `rehearsed` are the times it took in rehearsals, `duration` the time it is planned to take and `p90` the
    time that nine in ten nights need no more than; a `p90` equal to `duration` means a wait
    of fixed length.
    `undo` names the undo steps that are needed once it has begun; none means that there is nothing to undo.
    `automatic`: where a plan's tasks are followed, Rollway runs its `command` itself; `idempotent`: it may be
    run twice, so that it is run again by itself when it was cut off.
    """

    id: str
    title: str
    phase: Phase
    owner: str
    stage: str = ""
    section: str = _unsaid()
    at: float | None = _unsaid(None)
    trigger: str = _unsaid()
    after: tuple[str, ...] = _unsaid(())
    duration: float | None = _unsaid(None)
    p90: float | None = _unsaid(None)
    rehearsed: tuple[float, ...] = _unsaid(())
    backup: str = _unsaid()
    team: str = _unsaid()
    timezone: str = _unsaid()
    instruction: str = ""
    command: str = _unsaid()
    automatic: bool = _unsaid(False)
    idempotent: bool = _unsaid(False)
    link: str = _unsaid()
    expected: str = _unsaid()
    verification: str = ""
    evidence: str = _unsaid()
    gate: bool = _unsaid(False)
    criteria: tuple[str, ...] = _unsaid(())
    decider: str = _unsaid()
    reversible: bool = _unsaid(True)
    undo: tuple[str, ...] = _unsaid(())
    tells: str = _unsaid()
    note: str = _unsaid()
    extra: Extra = _unsaid(())

    @property
    def is_wait(self) -> bool:
        """Whether it is a wait of a fixed length, which keeps nobody busy."""
        return self.p90 is not None and self.p90 == self.duration and not self.rehearsed

    @property
    def seconds(self) -> float:
        """What the timetable reckons with: the planned duration, else the median of the rehearsals."""
        if self.duration is not None:
            return self.duration
        ordered, middle = sorted(self.rehearsed), len(self.rehearsed) // 2
        if not ordered:
            return 0.0
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True, slots=True, config=_STRICT)
class UndoStep:
    """One step of going back. Steps are done one after the other, in the order of the list.

    A step that no task names is always needed. `tested` says where it was tested, and when. `automatic` and
    `idempotent` mean the same as in a task.
    """

    id: str
    title: str
    owner: str
    instruction: str = _unsaid()
    command: str = _unsaid()
    verification: str = _unsaid()
    duration: float | None = _unsaid(None)
    rehearsed: tuple[float, ...] = _unsaid(())
    tested: str = _unsaid()
    extra: Extra = _unsaid(())
    p90: float | None = _unsaid(None)
    automatic: bool = _unsaid(False)
    idempotent: bool = _unsaid(False)


@dataclass(frozen=True, slots=True, config=_STRICT)
class DataPart:
    """Data written since the start, and what becomes of it when one goes back."""

    id: str
    title: str
    rule: DataRule
    owner: str
    how: str = _unsaid()
    extra: Extra = _unsaid(())


@plain(frozen=True, slots=True)
class StageMark:
    """A stage of the plan that the runbook belongs to: entered at T + `at` at the earliest."""

    id: str
    at: float
    title: str = ""
    extra: Extra = ()


@plain(frozen=True)
class Runbook:
    """The whole runbook. `start` is T; `closes` is when the change window ends, if there is one.

    `decision` is how long it takes to decide to go back, `authority` who may decide it. Where it is not
    `dated`, T has no date yet. In the runbook of a plan, `stages` says when each stage is entered, seen from
    T, which is the entering of the stage `night`; `at` of a task counts from its own stage.
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
    stages: tuple[StageMark, ...] = ()
    night: str = ""
    dated: bool = True

    @cached_property
    def entered(self) -> dict[str, float]:
        """When each stage is entered, in seconds from T."""
        return {stage.id: stage.at for stage in self.stages}

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
