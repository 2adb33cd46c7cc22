"""What the readiness review says of each thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "gap", "unknown"]

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
    closed without changing the method. `fact` names the fact that would settle an unknown.
    """

    id: str
    area: str
    question: str
    state: CheckState
    evidence: str
    owner: str
    remedy: str
    blocks: Literal["date", "method", "nothing"] = "date"
    fact: str = ""


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

    @property
    def unknowns(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.state == "unknown")
