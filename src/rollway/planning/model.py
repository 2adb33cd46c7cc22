"""The plan: an immutable sequence of stages with guards, calendar and runbook, known by its hash.

A plan is one JSON document. The engine runs it, the documents print it, the page draws it, and an
approval signs its hash. Durations are seconds; times of day are wall-clock in a named time zone.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from rollway.canonical import canonical_json, content_hash
from rollway.facts.model import (
    Aspect,
    BaselineKind,
    Freeze,
    HarmAction,
    MethodName,
    OpenAction,
    Share,
    SignalSpec,
    TargetSpec,
    TaskRule,
    Window,
)
from rollway.planning.calendar.model import PlanCalendar
from rollway.planning.parts import (
    Gate,
    Message,
    Night,
    Override,
    Part,
    RiskResponse,
    RollbackClock,
    RollbackPlan,
    Support,
    Training,
    unsaid,
)
from rollway.planning.runbooks.model import Person, Task
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


def _rising(bounds: tuple[float, ...]) -> tuple[float, ...]:
    if list(bounds) != sorted(set(bounds)):
        raise PydanticCustomError("not_rising", "the bounds of the buckets do not rise")
    return bounds


Probability = Annotated[float, Field(gt=0, lt=1)]
Margin = Annotated[float, Field(gt=1)]


class Exposure(Part):
    """Who sees the new version: audience x share x mode.

    live: they are served by it; shadow: it works on copies of this share of the requests, and its answers are
    thrown away; dual: both versions work and their outputs are compared. `groups` are the names of the groups
    that have it by then, for targets that know groups; empty where the share says it all. `control` is the
    share of users who have the old version as a control group: with them those of the new one are compared.
    0: with everyone else.
    """

    audience: str = "everyone"
    share: Share
    mode: Literal["live", "shadow", "dual"] = "live"
    groups: tuple[str, ...] = unsaid(())
    control: float = unsaid(0.0, ge=0, le=1)

    @property
    def live(self) -> float:
        """The share of users who are served by the new version."""
        return self.share if self.mode == "live" else 0.0

    @property
    def mirrored(self) -> float:
        """The share of requests of which the new version gets a copy."""
        return self.share if self.mode == "shadow" else 0.0

    @property
    def beside(self) -> float:
        """The share of users whose old version is compared with the new one."""
        return self.control or 1 - self.live

    @property
    def compared(self) -> float:
        """The share of users, of either version, whose figures are compared."""
        return self.live + self.beside

    @property
    def part(self) -> float:
        """The new version's part of those who are compared, 0..1."""
        return self.live / self.compared


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
    `expected_seconds`: how long the stage lasts on average for a version that is as good as the old one,
    as the engine leaves it (see `Promise`); None where that was not computed.
    """

    id: str
    title: str
    purpose: str
    method: MethodName
    exposure: Exposure
    advance: Advance
    bake_seconds: float = Field(ge=0, le=LONGEST_SECONDS)
    patience_seconds: float = Field(gt=0, le=LONGEST_SECONDS)
    margins: dict[str, Margin] = Field(default_factory=dict)
    in_window: bool = True
    entry: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    undo: str = ""
    reversible: bool = True
    expected_seconds: float | None = unsaid(None, ge=0)


class Dispersion(Part):
    """The arms' own noise, as it was learned from history."""

    floor: float = Field(default=1.0, ge=1)
    growth: float = Field(default=0.0, ge=0)
    block_seconds: float = Field(default=300.0, gt=0)


class Guard(Part):
    """A KPI with a tolerance, a weight and a say in the decision, and what is done about it.

    `kind` mean: figures of single units (a survey's score) between 0 and `bound`; `tolerance` is then a ratio
    of means. `baseline` is what the new version is compared with: concurrent (the old version at the same
    time), history (the same hours of past weeks: weak, it never goes back and never goes on by itself) or
    absolute (its `limit` alone). What is done: `on_harm` when this guard is among those found harmful (going
    back wins over holding), `on_undecided` when it is still open at the end of the patience, `on_blind` when
    it has been blind for the policy's time (hold: it stays where it is). None means as the policy says.
    `buckets`: the upper bounds (seconds) of a latency's histogram; empty where they were not stated.
    `stages`: those in which it counts, by id; empty for all. In the others its signal is not asked: it is not
    blind there, and nothing is missing of it, but the evidence of harm that it has gathered stays.
    """

    kpi: str
    title: str
    kind: Literal["rate", "latency", "check", "assignment", "mean"]
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
    aspect: Aspect = unsaid("technical")
    baseline: BaselineKind = unsaid("concurrent")
    bound: float | None = unsaid(None, gt=0)
    buckets: Annotated[tuple[Annotated[float, Field(gt=0)], ...], AfterValidator(_rising)] = unsaid(())
    on_harm: HarmAction = unsaid("rollback")
    on_undecided: OpenAction | None = unsaid(None)
    on_blind: OpenAction | None = unsaid(None)
    stages: tuple[str, ...] = unsaid(())
    owner: str = ""
    signal: Annotated[SignalSpec, AfterValidator(_hashable)]

    def counts_in(self, stage: str) -> bool:
        """Whether it counts in the stage with this id."""
        return not self.stages or stage in self.stages


READ_BACK_SECONDS = 0.2
"""So soon after a target was told a share it is looked at what it serves."""


class Policy(Part):
    """The numbers the engine and the judge work with.

    `alpha`: probability of a false rollback over the whole rollout. `alpha_promote`: of passing a stage
    with one gate worse than its margin. `blind_seconds`: how long gates may be blind before holding
    turns into going back. `tick_seconds`: time between two evaluations. `tasks`: whether the runbook's tasks
    are a list for people (listed), or the rollout waits for them and they are ticked off in it (followed).
    """

    alpha: Probability = 0.01
    alpha_promote: Probability = 0.05
    tick_seconds: float = Field(default=10.0, ge=SHORTEST_TICK_SECONDS, le=LONGEST_TICK_SECONDS)
    blind_seconds: float = Field(default=120.0, gt=0, le=LONGEST_BLIND_SECONDS)
    on_blind: Literal["rollback", "hold"] = "rollback"
    on_patience: Literal["ask", "rollback"] = "ask"
    tasks: TaskRule = unsaid("listed")


class Promise(Part):
    """What a stage does to a fault of one size in one KPI, before anything runs.

    The fault makes the KPI `ratio` times as bad as the old version's (of a latency: so many times as many
    requests are slower than what the slowest hundredth of the old version's took). It begins when the stage's
    exposure is read back; the stages before were healthy, and so are the other KPIs. The stage is left as the
    engine leaves it: once its bake is over and, where it decides on evidence, every margin is excluded and
    nothing is suspicious; a person says go as soon as the bake is over. Change windows are taken as open.
    What is counted ends when the stage is left, when the release is found harmful, or with the stage's
    patience, when a person is asked; whichever comes first.

    requests, seconds: how much the new version serves, and how long that takes, until the evidence is enough,
    on average and if the stage were not left before (None: no time can be told).
    probability: that the release is found harmful in this stage, 0..1.
    asked: probability that the patience ends first, 0..1. What is left of 1 goes on to the next stage.
    rollback_seconds: seconds from the fault's beginning until it is found, on average over the courses in
    which it is; None where it hardly ever is.
    served: requests that the new version serves from the fault's beginning to the end of what is counted,
    on average over all courses.
    exposed: users whom the new version serves in that time at least once, on average: users stay with their
    version and make requests independently of each other. Where the number of users is not stated, each
    request counts as a user. exposed_share: the same as a share of all users; None without their number.
    All are None where traffic, usual figure or mathematics for it are lacking.
    """

    stage: str
    kpi: str
    ratio: float
    requests: float
    seconds: float | None
    probability: float | None = unsaid(None, ge=0, le=1)
    asked: float | None = unsaid(None, ge=0, le=1)
    rollback_seconds: float | None = unsaid(None, ge=0)
    served: float | None = unsaid(None, ge=0)
    exposed: float | None = unsaid(None, ge=0)
    exposed_share: float | None = unsaid(None, ge=0, le=1)


class PlanPromise(Part):
    """What the whole plan does to a fault that is there from the first exposure; else as in `Promise`.

    probability: that it is found before everyone has the new version. A stage that ends with its patience is
    gone on from, as if the person who is asked said go: people may do better. What was found in the stage
    that serves everyone is not counted.
    """

    kpi: str
    ratio: float
    probability: Annotated[float, Field(ge=0, le=1)]
    rollback_seconds: float | None = unsaid(None, ge=0)
    served: float = Field(ge=0)
    exposed: float = Field(ge=0)
    exposed_share: float | None = unsaid(None, ge=0, le=1)


class Traffic(Part):
    """What the promises were computed for: requests per second to both versions together.

    `by_hour` is the same by hour: of the day (24 figures) or of the week (168, from Monday 00:00 on); empty
    where it is taken as even. `entered_at`: seconds from the beginning of `by_hour` to the moment at which
    the first stage with users is entered. `users`: how many there are, None where not stated.
    """

    per_second: float = Field(gt=0)
    by_hour: tuple[Annotated[float, Field(ge=0)], ...] = unsaid(())
    timezone: str = unsaid()
    entered_at: float = unsaid(0.0, ge=0)
    users: int | None = unsaid(None, gt=0)


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
    calendar: PlanCalendar | None = unsaid(None)
    target: Annotated[TargetSpec, AfterValidator(_hashable)] | None = None
    runbook: tuple[Task, ...] = ()
    night: Night | None = unsaid(None)
    people: tuple[Person, ...] = unsaid(())
    gates: tuple[Gate, ...] = unsaid(())
    training: tuple[Training, ...] = unsaid(())
    support: tuple[Support, ...] = unsaid(())
    communication: tuple[Message, ...] = ()
    rollback: RollbackPlan
    risks: tuple[RiskResponse, ...] = ()
    promises: tuple[Promise, ...] = ()
    plan_promises: tuple[PlanPromise, ...] = unsaid(())
    traffic: Traffic | None = unsaid(None)
    approvals_required: int = Field(default=1, ge=1)
    approvers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    policy: Policy = Policy()
    notes: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = unsaid(())

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


__all__ = [
    "PLAN_FORMAT",
    "Advance",
    "Dispersion",
    "Exposure",
    "Gate",
    "Guard",
    "Message",
    "Night",
    "Override",
    "Part",
    "Person",
    "Plan",
    "PlanPromise",
    "Policy",
    "Promise",
    "RiskResponse",
    "RollbackClock",
    "RollbackPlan",
    "Stage",
    "Support",
    "Task",
    "Traffic",
    "Training",
]
