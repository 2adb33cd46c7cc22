"""What is tried: faults of the new version, troubles around it, and how the people in it behave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rollway.rehearsal.world import World

TroubleKind = Literal["source_down", "target_refuses", "target_lies", "target_slow"]
Expected = Literal["done", "back", "not_passed", "blind_back", "any"]
"""How the runs of a scenario should end. done: taken back by evidence at most as often as the plan says.
back: nobody is left on the new version. not_passed: somebody is, at most as often as the plan lets a bad
version pass. blind_back: taken back because nothing could be read. any: only shown."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The new version's figure is `ratio` times the old one's: for a latency the share of slow requests, for
    a rate of good events that many times less.

    kpis: which (empty: all that are compared). It begins `after_seconds` after the stage was told to the
    target, and stays.
    """

    ratio: float
    stage: str
    kpis: tuple[str, ...] = ()
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something around the release that fails for `seconds`, `after_seconds` after the stage was entered.

    source_down: no KPI can be read. target_refuses: it can be read and does not do as it is told.
    target_lies: it says that it serves what it was told and changes nothing. target_slow: it does as told
    `seconds` later, and says the truth.
    """

    kind: TroubleKind
    stage: str
    after_seconds: float = 0.0
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class People:
    """Who is asked in a rehearsal: says go so long after a stage's bake time, and answers so long after
    something was asked. What is paused is taken back after the same time."""

    go_seconds: float = 300.0
    answer_seconds: float = 900.0
    answer: Literal["rollback", "promote"] = "rollback"


USUAL_PEOPLE = People()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story, to be run many times. `expected`: how it should end; `is_a_warning`: a miss does not fail
    the rehearsal, it is only told."""

    name: str
    told: str
    world: World
    fault: Fault | None = None
    troubles: tuple[Trouble, ...] = ()
    people: People = field(default=USUAL_PEOPLE)
    expected: Expected = "done"
    is_a_warning: bool = False
