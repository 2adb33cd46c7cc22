"""The plan: an immutable sequence of stages with guards, calendar and runbook, known by its hash.

A plan is one JSON document. The engine runs it, the documents print it, the page draws it, and an
approval signs its hash. Durations are seconds; times of day are wall-clock in a named time zone.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rollway.canonical import canonical_json, content_hash
from rollway.facts.model import Freeze, MethodName, Share, SignalSpec, TargetSpec, Window

PLAN_FORMAT: Literal["rollway.plan/1"] = "rollway.plan/1"


class Part(BaseModel):
    """A part of a plan: frozen, and nothing in it that the format does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Exposure(Part):
    """Who sees the new version: audience x share x mode.

    live: they are served by it; shadow: it works on a copy and its answers are thrown away;
    dual: both versions work and their outputs are compared.
    """

    audience: str = "everyone"
    share: Share
    mode: Literal["live", "shadow", "dual"] = "live"


Advance = Literal["ready", "evidence", "time", "person"]


class Stage(Part):
    """Who sees what, how much of it, for how long, under which guards, and how it is undone.

    `advance` is what must be true, besides the bake time, to leave the stage:
    ready (every gate has usable numbers of the old version), evidence (the verdict is healthy),
    time (the bake time alone), person (somebody says go).
    `bake_seconds` counts from the moment the exposure was read back. After `patience_seconds` without
    an answer a person is asked. `margins[kpi]` is the ratio to be excluded before leaving.
    `in_window` means that the stage may be entered only while a change window is open.
    """

    id: str
    title: str
    purpose: str
    method: MethodName
    exposure: Exposure
    advance: Advance
    bake_seconds: float = Field(ge=0)
    patience_seconds: float = Field(gt=0)
    margins: dict[str, float] = {}
    in_window: bool = True
    entry: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    undo: str = ""
    reversible: bool = True


class Guard(Part):
    """A KPI with a tolerance, a weight and a say in the decision."""

    kpi: str
    title: str
    kind: Literal["rate", "latency"]
    say: Literal["gate", "brake", "watch"]
    tolerance: float
    weight: float
    limit: float | None = None
    limit_seconds: float | None = None
    expected: float | None = None
    owner: str = ""
    signal: SignalSpec


class Task(Part):
    """One line of the runbook."""

    id: str
    phase: Literal["before", "during", "after"]
    stage: str
    title: str
    owner: str
    instruction: str = ""
    verification: str = ""


class Message(Part):
    """One message of the communication plan, bound to a stage."""

    stage: str
    when: str
    audience: str
    channel: str
    text: str


class RollbackPlan(Part):
    """How the release is taken back: by whom, in which steps, how fast, and what cannot be undone."""

    steps: tuple[str, ...]
    authority: tuple[str, ...] = ()
    tested: bool = False
    expected_seconds: float | None = None
    cannot_undo: tuple[str, ...] = ()


class RiskResponse(Part):
    """A risk of the register, or one the method creates, with its response under this plan."""

    id: str
    title: str
    response: str
    trigger: str
    created_by_plan: bool = False


class Policy(Part):
    """The numbers the engine and the judge work with.

    `alpha`: probability of a false rollback over the whole rollout. `alpha_promote`: of passing a stage
    with one gate worse than its margin. `blind_seconds`: how long gates may be blind before holding
    turns into going back. `tick_seconds`: time between two evaluations.
    """

    alpha: float = 0.01
    alpha_promote: float = 0.05
    tick_seconds: float = 10.0
    blind_seconds: float = 120.0
    on_blind: Literal["rollback", "hold"] = "rollback"
    on_patience: Literal["ask", "rollback"] = "ask"


class Promise(Part):
    """What a stage can see: a fault of this size, in about this many requests and seconds."""

    stage: str
    kpi: str
    ratio: float
    requests: float
    seconds: float | None


class Plan(Part):
    """The whole plan. Two plans with equal content have equal hashes."""

    format: Literal["rollway.plan/1"] = PLAN_FORMAT
    name: str
    version: str
    title: str = ""
    service: str = ""
    prepared_by: str = ""
    objective: str = ""
    method: MethodName
    sequence: tuple[MethodName, ...]
    rationale: tuple[str, ...] = ()
    facts_hash: str
    stages: tuple[Stage, ...] = Field(min_length=1)
    guards: tuple[Guard, ...] = ()
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    target: TargetSpec | None = None
    runbook: tuple[Task, ...] = ()
    communication: tuple[Message, ...] = ()
    rollback: RollbackPlan
    risks: tuple[RiskResponse, ...] = ()
    promises: tuple[Promise, ...] = ()
    approvals_required: int = 1
    approvers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    policy: Policy = Policy()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = self.model_dump(mode="json")
        return body

    def text(self) -> str:
        """The canonical JSON text, the one that is hashed."""
        return canonical_json(self.to_json())

    @classmethod
    def from_text(cls, text: str) -> Plan:
        return cls.model_validate(json.loads(text))

    @property
    def hash(self) -> str:
        return content_hash(self.to_json())

    def stage_index(self, stage_id: str) -> int:
        return next(i for i, stage in enumerate(self.stages) if stage.id == stage_id)
