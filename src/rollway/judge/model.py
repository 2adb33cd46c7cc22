"""What the judge reads and what it says. Times are unix seconds, durations seconds, rates 0..1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Say = Literal["gate", "brake", "watch"]
Kind = Literal["rate", "latency"]
VerdictKind = Literal["healthy", "harmful", "undecided", "blind"]
Problem = Literal["source_down", "implausible"]
BlindReason = Literal[
    "source_down", "implausible", "no_traffic", "candidate_silent", "baseline_silent", "stale"
]


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


Sample = Counts | Histogram


@dataclass(frozen=True, slots=True)
class Reading:
    """One interval's numbers of one KPI, both arms. Its key is (kpi, end); a second one is ignored.

    `None` for an arm means that nothing was reported, which is not the same as zero trials.
    `problem` names why a reading has no usable numbers at all.
    """

    kpi: str
    start: float
    end: float
    stage: str
    share: float
    candidate: Sample | None = None
    baseline: Sample | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class GuardRule:
    """How one KPI is judged; the part of a plan's guard that matters to the mathematics."""

    kpi: str
    kind: Kind
    say: Say = "gate"
    tolerance: float = 1.1
    weight: float = 1.0
    limit: float | None = None
    limit_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a verdict depends on besides the readings.

    `alpha` bounds the probability of a false rollback over the whole rollout; `alpha_promote` that of
    taking one gate for safe at a stage when it is worse than the stage's margin.
    `margins[stage][kpi]` is the ratio candidate/baseline that must be excluded before leaving the stage.
    `planned_seconds` is how long the exposure is planned to last; the onset prior is spread over it.
    `blind_seconds` is how long a gate may go without usable data before the verdict is blind.
    """

    guards: tuple[GuardRule, ...]
    margins: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alpha: float = 0.01
    alpha_promote: float = 0.05
    planned_seconds: float = 3600.0
    blind_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What the evidence says of one KPI. Natural logs; an e-value of 1 is no evidence.

    Rates are shown for people: of bad trials, or of requests slower than `cut_seconds`. Trials and rates
    are totals since the exposure began; `ratio` and its 95% bounds compare interval by interval, so they
    need not equal the quotient of the rates. `margin` is 0 where the stage asks for none.
    """

    kpi: str
    say: Say
    kind: Kind
    state: VerdictKind
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's answer at one moment, with its numbers, its rule and what was missing.

    `reason` is one sentence for people; `drivers` the KPIs that made the answer; `missing` says, a line
    each, what it would have taken to decide otherwise. `baseline_ready` is true once every gate has
    usable numbers of the old version.
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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sample_to_json(sample: Sample | None) -> dict[str, Any] | None:
    """A sample as plain JSON; `sample_from_json` reads it back."""
    return None if sample is None else asdict(sample)


def sample_from_json(raw: Mapping[str, Any] | None) -> Sample | None:
    if raw is None:
        return None
    if "bounds" in raw:
        return Histogram(tuple(raw["bounds"]), tuple(raw["counts"]))
    return Counts(raw["trials"], raw["bad"])
