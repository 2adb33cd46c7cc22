"""The plan: an immutable sequence of stages with guards, calendar and runbook, known by its hash.

A plan is one JSON document. The engine runs it, the documents print it, the page draws it, and an
approval signs its hash. Durations are seconds; times of day are wall-clock in a named time zone.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from rollway.canonical import canonical_json, content_hash
from rollway.facts.model import Freeze, MethodName, Share, SignalSpec, TargetSpec, Window
from rollway.planning.soundness import Fault, faults

PLAN_FORMAT: Literal["rollway.plan/1"] = "rollway.plan/1"
DAY_SECONDS = 86_400.0
LONGEST_SECONDS = 3 * 365 * DAY_SECONDS
"""Three years: longer than any stage lasts; a larger number is a slip of the pen."""
SHORTEST_TICK_SECONDS, LONGEST_TICK_SECONDS = 0.05, DAY_SECONDS
LONGEST_BLIND_SECONDS = 30 * DAY_SECONDS

Spec = TypeVar("Spec", SignalSpec, TargetSpec)


def _hashable(spec: Spec) -> Spec:
    """Its free keys are the only place where NaN, infinity and broken text could hide from the models."""
    try:
        content_hash(spec.model_dump())
    except (ValueError, TypeError) as error:
        raise PydanticCustomError("not_json", f"cannot be written as JSON: {error}") from error
    return spec


Probability = Annotated[float, Field(gt=0, lt=1)]
Margin = Annotated[float, Field(gt=1)]


class Part(BaseModel):
    """A part of a plan: frozen, and nothing in it that the format does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
    ready (every gate has usable numbers of the old version), evidence (the verdict is healthy: every
    margin is excluded, both versions report, nothing speaks against the new one), time (the bake time
    alone), person (somebody says go).
    `bake_seconds` counts from the moment the exposure was read back. After `patience_seconds` without
    an answer a person is asked. `margins[kpi]` is the ratio to be excluded before leaving; a hold-back
    that follows a stage with margins has none, because what can be shown was shown there.
    `in_window` means that the stage may be entered only while a change window is open.
    """

    id: str
    title: str
    purpose: str
    method: MethodName
    exposure: Exposure
    advance: Advance
    bake_seconds: float = Field(ge=0, le=LONGEST_SECONDS)
    patience_seconds: float = Field(gt=0, le=LONGEST_SECONDS)
    margins: dict[str, Margin] = {}
    in_window: bool = True
    entry: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    undo: str = ""
    reversible: bool = True


class Dispersion(Part):
    """The arms' own noise, as it was learned from history."""

    floor: float = Field(default=1.0, ge=1)
    growth: float = Field(default=0.0, ge=0)
    block_seconds: float = Field(default=300.0, gt=0)


class Guard(Part):
    """A KPI with a tolerance, a weight and a say in the decision."""

    kpi: str
    title: str
    kind: Literal["rate", "latency", "check", "assignment"]
    say: Literal["gate", "brake", "watch"]
    tolerance: float = Field(ge=1)
    weight: float = Field(gt=0)
    limit: float | None = Field(default=None, gt=0, le=1)
    limit_seconds: float | None = Field(default=None, gt=0)
    expected: float | None = Field(default=None, ge=0)
    # Left out of the content where they say nothing, so that plans from before them keep their hash.
    direction: Literal["more_is_worse", "less_is_worse"] = Field(
        default="more_is_worse", exclude_if=lambda direction: direction == "more_is_worse"
    )
    objective: float | None = Field(default=None, gt=0, lt=1, exclude_if=lambda objective: objective is None)
    dispersion: Dispersion | None = Field(default=None, exclude_if=lambda dispersion: dispersion is None)
    owner: str = ""
    signal: Annotated[SignalSpec, AfterValidator(_hashable)]


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

    alpha: Probability = 0.01
    alpha_promote: Probability = 0.05
    tick_seconds: float = Field(default=10.0, ge=SHORTEST_TICK_SECONDS, le=LONGEST_TICK_SECONDS)
    blind_seconds: float = Field(default=120.0, gt=0, le=LONGEST_BLIND_SECONDS)
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
    """The whole plan. Two plans with equal content have equal hashes.

    A plan that could not be carried out is refused when it is made or read (pydantic.ValidationError, one
    finding for each fault, with its path).
    """

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
    target: Annotated[TargetSpec, AfterValidator(_hashable)] | None = None
    runbook: tuple[Task, ...] = ()
    communication: tuple[Message, ...] = ()
    rollback: RollbackPlan
    risks: tuple[RiskResponse, ...] = ()
    promises: tuple[Promise, ...] = ()
    approvals_required: int = Field(default=1, ge=1)
    approvers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    policy: Policy = Policy()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        found = [_finding(fault) for fault in faults(self)]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self

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


def _finding(fault: Fault) -> InitErrorDetails:
    # Without a context pydantic takes the text as it is, braces and all.
    error = PydanticCustomError("unsound_plan", fault.what)
    return InitErrorDetails(type=error, loc=fault.where, input=None)
