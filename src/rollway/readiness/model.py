"""What the readiness review says of each thing it looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

CheckState = Literal["ok", "gap", "unknown"]
Blocks = Literal["date", "method", "nothing"]

AREAS = (
    "scope",
    "acceptance",
    "tests",
    "performance",
    "integration",
    "data_migration",
    "external_dependencies",
    "training",
    "support",
    "security_compliance",
    "cutover",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the review, with its answer.

    `blocks` keeps "wrong method" apart from "right method, wrong week": a gap that blocks a date can be
    closed without changing the method; one that blocks nothing is worth closing all the same. `fact` names
    the fact that would settle an unknown, `facts` all that would help to.
    """

    id: str
    area: str
    question: str
    state: CheckState
    evidence: str
    owner: str
    remedy: str
    blocks: Blocks = "date"
    fact: str = ""
    facts: tuple[str, ...] = ()


class Tally(NamedTuple):
    """How many checks of an area are ok, how many are gaps, and how many nobody can settle yet."""

    ok: int
    gap: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """The review: every check, and per area the share of settled checks that are ok.

    A score is None where nothing in the area is known. `next_question` is the unknown that blocks most.
    """

    checks: tuple[Check, ...]
    scores: dict[str, float | None]
    next_question: Check | None

    @property
    def gaps(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.state == "gap")

    def gaps_that_block(self, what: Blocks) -> tuple[Check, ...]:
        """The gaps that stand against the date, or against a method, or against nothing."""
        return tuple(check for check in self.gaps if check.blocks == what)

    @property
    def is_blocked(self) -> bool:
        """Whether a gap stands against the date or against a method."""
        return any(check.blocks != "nothing" for check in self.gaps)

    def tally(self, area: str) -> Tally:
        """How an area's checks came out."""
        states = Counter(check.state for check in self.checks if check.area == area)
        return Tally(states["ok"], states["gap"], states["unknown"])

    @property
    def unknowns(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.state == "unknown")
