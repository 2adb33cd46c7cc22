"""The release file: who, what for, the method's seven inputs, and the KPIs that will be watched.

Everything but the release's name is optional. A single value is a `Fact`; a list holds plain rows.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from rollway.facts.duration import format_duration, parse_duration
from rollway.facts.fact import Fact

Level = Literal["low", "medium", "high"]
Impact = Literal["low", "medium", "high", "critical"]
MethodName = Literal["pilot", "phased", "parallel", "big_bang", "blue_green", "canary"]
Aspect = Literal["technical", "business", "human"]
"""What a KPI speaks of: the system, what it is for, or the people who work with it."""
BaselineKind = Literal["concurrent", "history", "absolute"]
During = Literal["pilot", "phased", "parallel", "canary", "everyone"]
"""A part of a rollout: while a method has not reached everyone, or while everyone has the new version."""
HarmAction = Literal["rollback", "hold"]
OpenAction = Literal["rollback", "hold", "ask", "tell"]
"""hold: the rollout pauses; ask: it stays where it is and a person is asked; tell: it is written down."""
TaskRule = Literal["listed", "followed"]
"""listed: the runbook's tasks are a list for people; followed: the rollout waits for each of them."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    Field(json_schema_extra={"type": "string", "pattern": r"^(\d+(\.\d+)?[smhdw])+$"}),
]
CLOCK_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"
SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
ClockTime = Annotated[str, Field(pattern=CLOCK_PATTERN, examples=["22:00"])]
Share = Annotated[float, Field(ge=0, le=1)]
Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=60)]


class Section(BaseModel):
    """A part of the release file: unknown keys are refused, values do not change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_unsaid(value: Any) -> bool:
    """Whether a field that came later says nothing, and is left out, so that older facts keep their hash."""
    return value in ("", None, ())


# --- who and what for ---------------------------------------------------------------------------


class Identity(Section):
    """What is released, and who prepares it."""

    name: Slug
    version: str = Field(min_length=1, max_length=60)
    title: str = ""
    service: str = ""
    summary: str = ""
    team: str = ""
    prepared_by: str = ""
    change: Fact[Literal["new_increment", "replacement", "fix"]] = Fact()
    size: Fact[Literal["small", "medium", "large"]] = Fact()


class Weights(Section):
    """How much each of the method's four criteria counts for this release."""

    value: float = Field(default=1.0, ge=0)
    risk: float = Field(default=1.0, ge=0)
    compliance: float = Field(default=1.0, ge=0)
    user_readiness: float = Field(default=1.0, ge=0)


class Goals(Section):
    """Step 1 of the method: objectives and constraints."""

    objective: str = ""
    success: tuple[str, ...] = ()
    urgency: Fact[Level] = Fact()
    deadline: Fact[date] = Fact()
    deadline_fixed: Fact[bool] = Fact()
    compare_results_needed: Fact[bool] = Fact()
    fast_rollback_needed: Fact[bool] = Fact()
    outcome_uncertain: Fact[bool] = Fact()
    user_feedback_needed: Fact[bool] = Fact()
    user_impact_allowed: Fact[bool] = Fact()
    cost_matters: Fact[bool] = Fact()
    weights: Weights = Weights()


# --- the seven inputs -----------------------------------------------------------------------------


class BacklogItem(Section):
    """One story or feature of the increment."""

    id: str
    title: str
    accepted: bool | None = None
    touches: tuple[Literal["ui", "workflow", "performance", "data", "api", "config"], ...] = ()
    note_for_users: str = ""


class Backlog(Section):
    """Input 1: the release backlog and its accepted stories."""

    items: tuple[BacklogItem, ...] = ()
    modular: Fact[bool] = Fact()


class Criterion(Section):
    """One line of the Definition of Done."""

    text: str
    met: bool | None = None
    evidence: str = ""


class TestResults(Section):
    """What the test runs said."""

    __test__ = False

    passed: Fact[int] = Fact()
    failed: Fact[int] = Fact()
    coverage: Fact[Share] = Fact()
    open_severe_issues: Fact[int] = Fact()
    performance_tested: Fact[bool] = Fact()
    rollback_tested: Fact[bool] = Fact()
    rollback_duration: Fact[Duration] = Fact()
    recovery_tested: Fact[bool] = Fact()
    testability: Fact[Level] = Fact()


class Done(Section):
    """Input 2: the Definition of Done and the release criteria with test results."""

    criteria: tuple[Criterion, ...] = ()
    tests: TestResults = TestResults()
    accepted_by: Fact[str] = Fact()


class Risk(Section):
    """One row of the risk register or the issue log."""

    id: str
    title: str
    probability: Level = "medium"
    impact: Impact = "medium"
    owner: str = ""
    response: str = ""
    trigger: str = ""


class Risks(Section):
    """Input 3: risk register and issue log, with security and compliance."""

    items: tuple[Risk, ...] = ()
    failure_impact: Fact[Impact] = Fact()
    financial_impact: Fact[Level] = Fact()
    regulated: Fact[bool] = Fact()
    data_loss_tolerated: Fact[bool] = Fact()
    compliance_signed_off: Fact[bool] = Fact()
    security_reviewed: Fact[bool] = Fact()
    reversible: Fact[bool] = Fact()


class ThirdParty(Section):
    """A supplier, an integration or a licence that must be in step with the release."""

    name: str
    kind: Literal["integration", "licence", "supplier"] = "integration"
    ready: bool | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class Architecture(Section):
    """Input 4: architecture and infrastructure constraints, environments and automation."""

    environments: tuple[str, ...] = ()
    complexity: Fact[Level] = Fact()
    integration_coupling: Fact[Level] = Fact()
    automation: Fact[Level] = Fact()
    telemetry: Fact[Level] = Fact()
    per_version_telemetry: Fact[bool] = Fact()
    feature_flags: Fact[bool] = Fact()
    traffic_split: Fact[bool] = Fact()
    requests_per_second: Fact[Annotated[float, Field(ge=0)]] = Fact()
    requests_by_hour: tuple[Annotated[float, Field(ge=0)], ...] = Field(default=(), exclude_if=_is_unsaid)
    requests_timezone: str = Field(default="", exclude_if=_is_unsaid)
    incidents_showed_after: tuple[Duration, ...] = Field(default=(), exclude_if=_is_unsaid)
    spare_capacity: Fact[bool] = Fact()
    sessions_drain: Fact[bool] = Fact()
    all_switch_together: Fact[bool] = Fact()
    work_drains_naturally: Fact[bool] = Fact()
    vendor_procedure_fixed: Fact[bool] = Fact()
    hardware_install: Fact[bool] = Fact()
    third_parties: tuple[ThirdParty, ...] = ()


class Group(Section):
    """A group of users who get the release together: a site, a branch, a department, a segment."""

    name: str
    users: int | None = Field(default=None, ge=0)
    site: str = ""
    language: str = "en"
    timezone: str = "UTC"
    representative: bool | None = None
    training_done: Share | None = None
    informed: bool | None = None
    contact: str = ""
    champion: str = Field(default="", exclude_if=_is_unsaid)
    training_day: date | None = Field(default=None, exclude_if=_is_unsaid)


class Wording(Section):
    """The text of a message in one language, as people wrote it; Rollway translates nothing."""

    message: Literal["notice", "reminder", "news", "delay", "rollback"]
    language: str = Field(min_length=1)
    text: str = Field(min_length=1)


class SupportDesk(Section):
    """What the support desk can take, and what users ask of it in the days after they join."""

    people: int | None = Field(default=None, ge=0)
    requests_per_user_day: float | None = Field(default=None, ge=0)
    handling_time: Duration | None = None
    hours_per_day: float = Field(default=8.0, gt=0, le=24)


class Stakeholders(Section):
    """Input 5: stakeholder map, communication needs and training requirements."""

    groups: tuple[Group, ...] = ()
    groups_alike: Fact[bool] = Fact()
    sites: Fact[Annotated[int, Field(ge=1)]] = Fact()
    users: Fact[Annotated[int, Field(ge=0)]] = Fact()
    users_external: Fact[bool] = Fact()
    training_needed: Fact[bool] = Fact()
    training_load: Fact[Level] = Fact()
    communication_ready: Fact[bool] = Fact()
    support_capacity: Fact[Level] = Fact()
    support_briefed: Fact[bool] = Fact()
    support_contact: str = ""
    support_desk: SupportDesk | None = Field(default=None, exclude_if=_is_unsaid)
    training_minimum: Share | None = Field(default=None, exclude_if=_is_unsaid)
    wordings: tuple[Wording, ...] = Field(default=(), exclude_if=_is_unsaid)


class Window(Section):
    """When a change may happen: wall-clock times in a named time zone. It may cross midnight."""

    days: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1)
    opens: ClockTime
    closes: ClockTime
    timezone: str = "UTC"
    note: str = ""


class Freeze(Section):
    """When a change may not happen: whole days, both included, in a named time zone."""

    first: date
    last: date
    timezone: str = "UTC"
    reason: str = ""


class ServiceLevel(Section):
    """A promise to the users."""

    name: str
    objective: str
    error_budget_left: Share | None = None


class Agreements(Section):
    """Input 6: service level agreements, change management policies and cutover windows."""

    service_levels: tuple[ServiceLevel, ...] = ()
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    window_duration: Fact[Duration] = Fact()
    downtime_tolerated: Fact[Literal["none", "short", "long"]] = Fact()
    peak_season: Fact[bool] = Fact()
    approvals_required: int = Field(default=1, ge=1)
    approvers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


class Migration(Section):
    """Input 7: the data migration plan and compatibility considerations."""

    needed: Fact[bool] = Fact()
    backward_compatible: Fact[bool] = Fact()
    reversible: Fact[bool] = Fact()
    rehearsed: Fact[bool] = Fact()
    duration: Fact[Duration] = Fact()
    complexity: Fact[Literal["simple", "complex"]] = Fact()
    schema_separable: Fact[bool] = Fact()
    old_kept_running: Fact[bool] = Fact()
    dual_run_feasible: Fact[bool] = Fact()
    side_effects_suppressed: Fact[bool] = Fact()
    reconciliation_rules: Fact[bool] = Fact()
    parallel_exit_rule: Fact[str] = Fact()


# --- what is watched, where it is switched, and what people wish for ------------------------------


class SignalSpec(BaseModel):
    """Where a KPI's numbers come from. The other keys belong to the kind of signal."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str

    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class TargetSpec(BaseModel):
    """What is told to expose the new version. The other keys belong to the kind of target."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str

    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Dispersion(Section):
    """How much more two healthy arms differ than chance alone would have them; see the judge's own."""

    floor: float = Field(default=1.0, ge=1)
    growth: float = Field(default=0.0, ge=0)
    block_seconds: float = Field(default=300.0, gt=0)


class Kpi(Section):
    """A measured quantity with a tolerance, a weight and a say in the decision.

    `rate` counts bad events among all (good ones where `direction` is less_is_worse, such as orders);
    `latency` reads a histogram of durations; `check` counts health checks and failed ones and stops the
    release when they keep failing; `assignment` counts users who come for the first time, and
    pauses when they do not fall as planned; `mean` adds up figures between 0 and `bound`, one for each user
    or order (a survey's score). `tolerance` is how many times the old version's figure is still
    acceptable. `limit` is an absolute stop for the new version whatever the old one does: a rate in 0..1
    (of bad events, or of requests slower than `limit_seconds`). `objective` is the share of good
    events that the whole service owes: burning its error budget fast stops the release at once. `buckets`
    are the upper bounds (seconds) of the histogram that a latency is read from; what is promised of it
    depends on them. `say`: a gate must be shown safe before each promotion and may roll back; a brake may
    roll back only; watch is for people to look at. `cycle` is how long it takes until its figures mean
    something: no stage that waits for it is shorter. `baseline`: the old version at the same time, the same
    hours of past weeks (history), or nothing but the `limit` (absolute). `on_harm`, `on_undecided` and
    `on_blind` are what is done when this KPI is found harmful, stays open for too long, or has no numbers.
    `during`: the parts of the rollout for which it counts, by method (until everyone has the new version) or
    `everyone` (from then on); empty for all of it. `parallel` is the parallel run until its cutover.
    `dispersion` is what `rollway judge calibrate` has learned of the KPI's noise.
    """

    name: Slug
    title: str = ""
    aspect: Aspect = Field(default="technical", exclude_if=lambda aspect: aspect == "technical")
    kind: Literal["rate", "latency", "check", "assignment", "mean"]
    direction: Literal["more_is_worse", "less_is_worse"] = "more_is_worse"
    bound: Annotated[float, Field(gt=0)] | None = Field(default=None, exclude_if=_is_unsaid)
    baseline: BaselineKind = Field(default="concurrent", exclude_if=lambda baseline: baseline == "concurrent")
    say: Literal["gate", "brake", "watch"] = "gate"
    tolerance: float = Field(default=1.1, ge=1)
    limit: Annotated[float, Field(gt=0, le=1)] | None = None
    limit_seconds: Annotated[float, Field(gt=0)] | None = None
    objective: Annotated[float, Field(gt=0, lt=1)] | None = None
    weight: float = Field(default=1.0, gt=0)
    expected: float | None = Field(default=None, ge=0, description="the old version's usual rate")
    buckets: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = Field(
        default=(), exclude_if=_is_unsaid
    )
    cycle: Duration | None = Field(default=None, exclude_if=_is_unsaid)
    during: tuple[During, ...] = Field(default=(), exclude_if=_is_unsaid)
    on_harm: HarmAction = Field(default="rollback", exclude_if=lambda action: action == "rollback")
    on_undecided: OpenAction | None = Field(default=None, exclude_if=_is_unsaid)
    on_blind: OpenAction | None = Field(default=None, exclude_if=_is_unsaid)
    dispersion: Dispersion | None = None
    owner: str = ""
    signal: SignalSpec


class Wishes(Section):
    """What people want of the plan; Rollway computes what is left open."""

    method: MethodName | None = None
    because: str = ""
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    hold_back: Share | None = None
    control_group: Literal["equal"] | None = Field(default=None, exclude_if=_is_unsaid)
    margin: float | None = Field(
        default=None, gt=1, description="how many times worse must be ruled out before the widest steps"
    )
    effect: float | None = Field(default=None, gt=1, exclude_if=_is_unsaid)
    harm_budget: float | None = Field(default=None, gt=0, exclude_if=_is_unsaid)
    bake: Duration | None = None
    patience: Duration | None = None
    check_every: Duration | None = None
    false_rollback: Annotated[float, Field(gt=0, lt=1)] | None = None
    runbook: str = Field(default="", exclude_if=_is_unsaid)
    calendar: str = Field(default="", exclude_if=_is_unsaid)
    tasks: TaskRule | None = Field(default=None, exclude_if=_is_unsaid)


class Release(Section):
    """A product increment that is to reach its users, with everything known about it."""

    release: Identity
    goals: Goals = Goals()
    backlog: Backlog = Backlog()
    done: Done = Done()
    risks: Risks = Risks()
    architecture: Architecture = Architecture()
    stakeholders: Stakeholders = Stakeholders()
    agreements: Agreements = Agreements()
    migration: Migration = Migration()
    kpis: tuple[Kpi, ...] = ()
    target: TargetSpec | None = None
    rollout: Wishes = Wishes()
