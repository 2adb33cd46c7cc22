"""The choice: the methods ranked, with vetoes, scores and reasons, and what would unlock what is blocked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from rollway.facts.model import MethodName, Release

VetoState = Literal["satisfied", "unknown", "violated"]
MethodState = Literal["allowed", "unknown", "blocked"]
Criterion = Literal["value", "risk", "compliance", "user_readiness"]
Verdict = Literal["recommended", "unsettled", "not_ready"]
CRITERIA: tuple[Criterion, ...] = ("value", "risk", "compliance", "user_readiness")


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to lift a hard rule.

    `days` is a rough figure of work and waiting, made to compare actions by, not to plan with. `sets` are the
    facts that are true once it is done: dotted path and value.
    """

    id: str
    does: str
    days: float
    sets: tuple[tuple[str, Any], ...] = ()


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
    criterion: Criterion
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
    """One method as judged for one release. `score` is 0..1 on an absolute scale.

    `unlock` is the cheapest set of actions that lifts all violated vetoes; empty where there is none.
    """

    method: MethodName
    title: str
    state: MethodState
    score: float
    criteria: dict[str, float]
    vetoes: tuple[VetoResult, ...]
    reasons: tuple[Reason, ...]
    unlock: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """A safety that is laid over the sequence, whatever the method: `flag`, `shadow`, `drain_down`, ..."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The sequence in parts: who goes first, how it grows, and what keeps it safe."""

    entry: str = ""
    scaling: str = ""
    overlays: tuple[Overlay, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer, and how sure it is.

    `verdict`: "recommended" names a method; "unsettled" knows too little and only leans to one; "not_ready"
    finds every method blocked. `recommended` is None for the latter two. `leaning` is the method that comes
    first, recommended or not. `chosen` is what will be planned: the recommendation, or what a person asked
    for with `because`. `holds` are hard rules that stop a date or a wave, but no method.
    """

    recommended: MethodName | None
    chosen: MethodName | None
    because: str
    sequence: tuple[MethodName, ...]
    ranking: tuple[Ranked, ...]
    reasons: tuple[str, ...]
    dissent: str
    next_questions: tuple[str, ...]
    verdict: Verdict = "recommended"
    leaning: MethodName | None = None
    shape: Shape = Shape()
    holds: tuple[VetoResult, ...] = ()

    def of(self, method: MethodName) -> Ranked:
        return next(ranked for ranked in self.ranking if ranked.method == method)
