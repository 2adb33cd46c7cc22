"""Guards from the KPIs, and the numbers that the engine and the judge work with."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.facts.model import Kpi, MethodName, Release
from rollway.planning.counting import counted_stages
from rollway.planning.evidence import ALPHA_PROMOTE, alpha_of, quietest_per_second
from rollway.planning.model import Dispersion, Guard, Policy, Stage
from rollway.planning.stages import DAY, FAST_METHODS, tick_seconds

MISSED_ARRIVALS = 15
"""Where this many requests were due and none came, it is no chance: e^-15 is three in ten million."""

BLIND_FLOOR_SECONDS = 20.0
BLIND_UNKNOWN_TRAFFIC_SECONDS = 120.0
JUDGE_PART = 4
"""The judge calls itself blind after this part of the time at which the policy acts."""


def make_guards(release: Release, stages: Sequence[Stage]) -> tuple[Guard, ...]:
    """One guard per KPI, in the order of the release file."""
    return tuple(
        Guard(
            kpi=kpi.name,
            title=kpi.title or kpi.name,
            kind=kpi.kind,
            say=kpi.say,
            tolerance=kpi.tolerance,
            weight=kpi.weight,
            limit=kpi.limit,
            limit_seconds=kpi.limit_seconds,
            expected=kpi.expected,
            direction=kpi.direction,
            objective=kpi.objective,
            dispersion=kpi.dispersion and Dispersion(**kpi.dispersion.model_dump()),
            aspect=kpi.aspect,
            baseline=kpi.baseline,
            bound=kpi.bound,
            buckets=kpi.buckets,
            on_harm=kpi.on_harm,
            on_undecided=kpi.on_undecided,
            on_blind=kpi.on_blind,
            stages=_counted(kpi, stages),
            owner=kpi.owner,
            signal=kpi.signal,
        )
        for kpi in release.kpis
    )


def _counted(kpi: Kpi, stages: Sequence[Stage]) -> tuple[str, ...]:
    """Where it counts in every stage, nothing is said of that."""
    counted = counted_stages(kpi, stages)
    return () if len(counted) == len(stages) else counted


def make_policy(release: Release, methods: Sequence[MethodName]) -> Policy:
    """Blind for too long means going back where machines move the exposure (canary, blue-green). Where
    people moved to the new version it means holding: an outage of the metrics must not send whole sites
    back."""
    tick = tick_seconds(release, methods)
    return Policy(
        alpha=alpha_of(release),
        alpha_promote=ALPHA_PROMOTE,
        tick_seconds=tick,
        blind_seconds=_blind_seconds(release, tick),
        on_blind="rollback" if set(methods) <= FAST_METHODS else "hold",
        tasks=release.rollout.tasks or "listed",
    )


def _blind_seconds(release: Release, tick: float) -> float:
    """Long enough for six ticks, and for the silence of the whole service to be no chance."""
    arrivals = quietest_per_second(release)
    if arrivals is None:
        return max(6 * tick, BLIND_UNKNOWN_TRAFFIC_SECONDS)
    silence = JUDGE_PART * MISSED_ARRIVALS / arrivals if arrivals else DAY
    return round(min(max(6 * tick, BLIND_FLOOR_SECONDS, silence), DAY), 1)
