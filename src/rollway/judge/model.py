"""What the judge reads and what it says. Times are unix seconds, durations seconds, rates 0..1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal

from rollway.errors import InputError
from rollway.judge.dispersion import NONE, Dispersion
from rollway.judge.quick import quick

Say = Literal["gate", "brake", "watch"]
Kind = str
"""A name in `rollway.judge.kinds.KINDS`."""
Direction = Literal["more_is_worse", "less_is_worse"]
VerdictKind = Literal["healthy", "harmful", "undecided", "blind"]
Problem = Literal["source_down", "implausible", "no_past"]
"""Why a reading has no usable numbers; no_past: too few past weeks to compare with."""
GuardStanding = Literal["healthy", "harmful", "undecided", "blind", "uncounted"]
"""What the evidence says of one KPI; uncounted: it does not count in this stage."""
BlindReason = Literal[
    "source_down",
    "implausible",
    "no_past",
    "no_traffic",
    "candidate_silent",
    "baseline_silent",
    "stale",
    "waiting",
]
"""waiting: readings come, but are not complete, or not yet past the watermarks."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many trials one arm had in the interval, and how many of them were bad."""

    trials: int
    bad: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations of one arm: `counts[i]` are <= `bounds[i]` seconds and above the bound before it.

    `bounds` rises and is finite; `counts` has one entry more, for everything above the last bound.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """Figures of single units of one arm (users, sessions, orders, a pod's five minutes), added up.

    units: how many, each counted once in the whole rollout; total, squares: the sums of y and y^2 over
    them. other_total, other_squares, products: the sums of x, x^2 and x y, where each unit has a second
    figure x: what a ratio divides by, or the same figure from before the release; 0 where it has none.
    """

    units: int
    total: float
    squares: float
    other_total: float = 0.0
    other_squares: float = 0.0
    products: float = 0.0


@dataclass(frozen=True, slots=True)
class Depths:
    """Failures of users who stay with their version: `reached[i]` users met their depths[i]-th failure in
    this interval, among `trials` requests (or active users) of the arm. The rule names the depths."""

    trials: int
    reached: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """How many units (users, or requests where each is routed by itself) fell to one arm as new."""

    units: int


@dataclass(frozen=True, slots=True)
class Past:
    """In the baseline's place where nothing runs beside the new version: the same figure at the same time
    of the week in past weeks, one value each, the figure being bad/trials or total/units."""

    values: tuple[float, ...]


Sample = Counts | Histogram | Moments | Depths | Assigned | Past
SAMPLES: dict[str, type[Any]] = {
    each.__name__.lower(): each for each in (Counts, Histogram, Moments, Depths, Assigned, Past)
}


@quick
@dataclass(frozen=True, slots=True)
class Reading:
    """One interval's numbers of one KPI, both arms. Its key is (kpi, end); a second one is ignored unless
    the first was not complete.

    `None` for an arm means that nothing was reported, which is not the same as zero trials.
    `problem` names why a reading has no usable numbers at all. `share` is the planned share.
    `candidate_until` and `baseline_until` are the arms' watermarks: up to when (unix seconds) all that
    happened has been reported, as of this reading; None where the source reports at once. What ends after
    the earlier of the two waits. A reading that is not `is_complete` will be replaced by one that is;
    until then neither it nor what comes after it is judged.
    """

    kpi: str
    start: float
    end: float
    stage: str
    share: float
    candidate: Sample | None = None
    baseline: Sample | None = None
    problem: Problem | None = None
    candidate_until: float | None = None
    baseline_until: float | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class GuardRule:
    """How one KPI is judged; the part of a plan's guard that matters to the mathematics.

    `tolerance` is the ratio candidate/baseline that is no harm yet (baseline/candidate where
    `direction` is less_is_worse). Kinds that compare differences take `tolerance_difference`, in the
    KPI's unit; the stage's margin is then a difference too. `bound`: what no unit's figure exceeds, `cap`:
    what a unit's figure is cut off at. `depths`: at which failure of a user the Depths are counted.
    `limit`: an absolute stop, a rate; of checks, the share of failed ones from which an interval counts as
    failed. `dispersion`: the arms' own noise, learned from history. `objective`: the share of good
    requests that the whole service owes, both versions together; burning its error budget much too fast is
    a hard stop (see `stops`). `stages`: those in which it counts, empty for all: in the others its readings
    teach nothing and nothing is asked of it, and the evidence that it has gathered stays as it is.
    """

    kpi: str
    kind: Kind
    say: Say = "gate"
    tolerance: float = 1.1
    weight: float = 1.0
    limit: float | None = None
    limit_seconds: float | None = None
    direction: Direction = "more_is_worse"
    tolerance_difference: float = 0.0
    bound: float | None = None
    cap: float | None = None
    depths: tuple[int, ...] = (1, 3)
    dispersion: Dispersion = NONE
    objective: float | None = None
    stages: tuple[str, ...] = ()

    def counts_in(self, stage: str) -> bool:
        return not self.stages or stage in self.stages


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a verdict depends on besides the readings.

    `alpha` bounds the probability of a false rollback over the whole rollout; `alpha_promote` that of
    taking one gate for safe at a stage when it is worse than the stage's margin.
    `margins[stage][kpi]` is the ratio candidate/baseline that must be excluded before leaving the stage.
    `planned_seconds` is how long the exposure is planned to last; the onset prior is spread over it.
    `blind_seconds` is how long a gate may go without usable data before the verdict is blind.
    `alpha_mismatch` bounds the probability of calling an assignment wrong that is as planned.
    """

    guards: tuple[GuardRule, ...]
    margins: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alpha: float = 0.01
    alpha_promote: float = 0.05
    planned_seconds: float = 3600.0
    blind_seconds: float = 60.0
    alpha_mismatch: float = 0.001


@quick
@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What the evidence says of one KPI. Natural logs; an e-value of 1 is no evidence.

    Rates are shown for people: of bad trials, or of requests slower than `cut_seconds`. Trials and rates
    are totals since the exposure began; `ratio` and its 95% bounds compare interval by interval, so they
    need not equal the quotient of the rates. `margin` is 0 where the stage asks for none. Kinds of single
    units show means and their difference instead of rates and a ratio. `is_weak`: nothing ran beside the
    new version, and the past is what it was compared with. `needed_trials`: about how many more of the new
    version's until a gate is shown safe if both versions are alike, and `wait_seconds` how long that takes
    at this stage's traffic; None where unknown. `late_readings` came after a later one was judged,
    `lost_readings` were given up waiting for.
    """

    kpi: str
    say: Say
    kind: Kind
    state: GuardStanding
    harm_log_e: float
    safe_log_e: float
    margin: float
    tolerance: float
    candidate_trials: int
    candidate_bad: int
    baseline_trials: int
    baseline_bad: int
    candidate_rate: float | None
    baseline_rate: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    cut_seconds: float | None = None
    blind_reason: BlindReason | None = None
    candidate_mean: float | None = None
    baseline_mean: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    is_weak: bool = False
    needed_trials: float | None = None
    wait_seconds: float | None = None
    late_readings: int = 0
    lost_readings: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's answer at one moment, with its numbers, its rule and what was missing.

    `reason` is one sentence for people; `drivers` the KPIs that made the answer; `missing` says, a line
    each, what it would have taken to decide otherwise. `baseline_ready` is true once every gate that counts
    in the stage has usable numbers of the old version. `rule` is the rule of the answer, in one sentence.
    `mismatch` says by how much the versions' users are not split as planned in this stage, empty where
    they are, and `mismatch_log_e` the evidence of it. `is_stop`: harmful by a hard stop, not by evidence.
    `wait_seconds`: about how long until a decision at the present traffic if both versions are alike; 0
    where it is made, None where it cannot be said.
    """

    kind: VerdictKind
    at: float
    stage: str
    harm_log_e: float
    harm_threshold: float
    safe_threshold: float
    reason: str
    guards: tuple[GuardVerdict, ...]
    drivers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    baseline_ready: bool = False
    rule: str = ""
    mismatch: str = ""
    mismatch_log_e: float = 0.0
    is_stop: bool = False
    wait_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sample_to_json(sample: Sample | None) -> dict[str, Any] | None:
    """A sample as plain JSON; `sample_from_json` reads it back."""
    return None if sample is None else asdict(sample)


def sample_from_json(raw: Mapping[str, Any] | None) -> Sample | None:
    """The sample whose fields these are. Raises InputError where no sample has them."""
    if raw is None:
        return None
    for kind in SAMPLES.values():
        names = {field.name for field in fields(kind)}
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        if needed <= set(raw) <= names:
            sample: Sample = kind(
                **{key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
            )
            return sample
    raise InputError(
        f"No sample has the fields {', '.join(sorted(map(str, raw)))}.",
        hint=f"A sample is one of {', '.join(SAMPLES)}.",
    )
