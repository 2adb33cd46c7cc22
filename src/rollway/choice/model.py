"""The choice: the methods ranked, with vetoes, scores and reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rollway.facts.model import MethodName, Release

VetoState = Literal["satisfied", "unknown", "violated"]
MethodState = Literal["allowed", "unknown", "blocked"]
CRITERIA = ("value", "risk", "compliance", "user_readiness")


@dataclass(frozen=True, slots=True)
class VetoResult:
    """One hard rule applied to one release. `evidence` quotes the facts; `unlock` says what lifts it."""

    id: str
    title: str
    state: VetoState
    evidence: str
    unlock: str = ""


@dataclass(frozen=True, slots=True)
class Veto:
    """A hard rule: without what it asks for, the method is not to be used."""

    id: str
    title: str
    check: Callable[[Release], VetoResult]


@dataclass(frozen=True, slots=True)
class Reason:
    """One argument for (+) or against (-) a method under one criterion; `points` is -2..+2.

    `rule` is the id of the rule that gave it (T1.. for the method's tips, P1.. for its pitfalls).
    """

    rule: str
    criterion: Literal["value", "risk", "compliance", "user_readiness"]
    points: float
    text: str


@dataclass(frozen=True, slots=True)
class Method:
    """One of the six methods: what forbids it, and what speaks for and against it."""

    name: MethodName
    title: str
    summary: str
    vetoes: tuple[Veto, ...]
    argue: Callable[[Release], tuple[Reason, ...]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One method as judged for one release. `score` is 0..1 on an absolute scale."""

    method: MethodName
    title: str
    state: MethodState
    score: float
    criteria: dict[str, float]
    vetoes: tuple[VetoResult, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer. `recommended` is None when no method is allowed: then the release is not ready.

    `chosen` is what will be planned: the recommendation, or what a person asked for with `because`.
    """

    recommended: MethodName | None
    chosen: MethodName | None
    because: str
    sequence: tuple[MethodName, ...]
    ranking: tuple[Ranked, ...]
    reasons: tuple[str, ...]
    dissent: str
    next_questions: tuple[str, ...]

    def of(self, method: MethodName) -> Ranked:
        return next(ranked for ranked in self.ranking if ranked.method == method)
