"""Is there enough traffic for a canary to see a fault in time? Arithmetic, not a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollway.facts.model import Kpi, Release
from rollway.facts.traffic import requests_per_second
from rollway.readiness import Answer, cite, either

if TYPE_CHECKING:
    from rollway.choice.worlds import Masks, Worlds

FAULT_RATIO = 2.0  # a canary that cannot see twice the tolerated rate has no use
WORST_RATE, WORST_RATIO = 0.95, 1000.0
SMALLEST_ALPHA = 1e-12
LONGEST_WAIT_HOURS = 72.0  # beyond three days at one share, a pilot group teaches more
LARGEST_CANARY = 0.25  # above this share it is no canary that meets the fault, but the users
_DEFAULT_SHARE = 0.10
_TRAFFIC = "architecture.requests_per_second"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a canary needs to see one KPI worsen `ratio` times: requests of the new version, and hours."""

    kpi: str
    base_rate: float
    ratio: float
    share: float
    requests: float
    hours: float


def sight(release: Release, kpi: Kpi) -> Sight | None:
    """How soon the canary sees this KPI worsen; None where traffic or the usual rate is not stated.

    hours = requests / (requests per second x share x 3600).
    """
    traffic = requests_per_second(release.architecture)
    return None if traffic is None else _sight(release, kpi, traffic)


def _sight(release: Release, kpi: Kpi, traffic: float) -> Sight | None:
    base = kpi.expected
    if base is None or not 0 < base < WORST_RATE:
        return None
    from rollway.judge.arithmetic import requests_to_detect

    share = canary_share(release)
    ratio = min(FAULT_RATIO * kpi.tolerance, WORST_RATE / base, WORST_RATIO)
    requests = requests_to_detect(
        base_rate=base,
        ratio=ratio,
        share=part_compared(release, share),
        alpha=_alpha_of(release, kpi),
        tolerance=kpi.tolerance,
    )
    per_hour = traffic * share * 3600
    hours = requests / per_hour if per_hour > 0 else float("inf")
    return Sight(kpi.name, base, ratio, share, requests, hours)


def _alpha_of(release: Release, kpi: Kpi) -> float:
    """The KPI's part, by weight, of the chance of a false rollback."""
    from rollway.judge import Rules

    alpha = release.rollout.false_rollback or Rules(guards=()).alpha
    weights = [other.weight for other in release.kpis if other.say != "watch"]
    # Relative to the heaviest, so that weights of any size neither overflow nor vanish in their sum.
    share = (kpi.weight / max(weights)) / sum(weight / max(weights) for weight in weights)
    return max(alpha * share, SMALLEST_ALPHA)


def part_compared(release: Release, share: float) -> float:
    """The new version's part of the users who are compared: one half beside a control group of equal
    size, as far as there are so many."""
    return max(share, 0.5) if release.rollout.control_group == "equal" else share


def canary_share(release: Release) -> float:
    """The largest share at which the rollout is still a canary."""
    small = [share for share in release.rollout.shares if share <= LARGEST_CANARY]
    return max(small, default=_DEFAULT_SHARE)


def sees_faults(release: Release) -> Answer:
    """Whether at least one gate sees its rate worsen within the longest wait."""
    if requests_per_second(release.architecture) is None:
        return Answer(None, cite(release, _TRAFFIC), (_TRAFFIC,))
    gates = _gates(release)
    if not gates:
        return Answer(None, "no gate on a rate is stated (kpis)", ("kpis",))
    return either(*(_seen(release, kpi) for kpi in gates))


def traffic_needed(release: Release) -> float | None:
    """Requests per second from which one gate sees its rate worsen within the longest wait.

    None where no gate states its usual rate. From `sight`: the hours fall in proportion to the traffic.
    """
    seen = [_sight(release, kpi, traffic=1.0) for kpi in _gates(release)]
    hours = [one.hours for one in seen if one is not None]
    return min(hours) / LONGEST_WAIT_HOURS if hours else None


@dataclass(frozen=True, slots=True)
class EnoughTraffic:
    """The condition that the traffic is enough for a canary to see a fault in time."""

    facts: tuple[str, ...] = (_TRAFFIC, "kpis")

    def ask(self, release: Release) -> Answer:
        return sees_faults(release)

    def told(self, release: Release) -> tuple[str, ...] | None:
        answer = sees_faults(release)
        return (answer.evidence,) if answer.holds else None

    def over(self, worlds: Worlds, *, strict: bool) -> Masks:
        """With the usual rate of a gate, a matter of requests per second; else as open as the KPIs are."""
        needed = traffic_needed(worlds.release)
        if needed is None:
            return worlds.seen("enough traffic", sees_faults)
        enough, too_little = worlds.at_least(_TRAFFIC, needed, below=False, strict=strict)
        by_hour = _by_hour_alone(worlds.release)
        if by_hour is not None:
            is_open, is_enough = worlds.unknown(_TRAFFIC), by_hour >= needed
            enough, too_little = enough | is_open & is_enough, too_little | is_open & (not is_enough)
        # A gate whose usual rate nobody stated might see it yet.
        all_stated = all(_sight(worlds.release, kpi, 1.0) for kpi in _gates(worlds.release))
        return enough, too_little & worlds.constant(all_stated)[0]


def _by_hour_alone(release: Release) -> float | None:
    """Requests per second on average where only the figures by hour tell of them."""
    architecture = release.architecture
    return requests_per_second(architecture) if architecture.requests_per_second.value is None else None


def _cited(release: Release) -> str:
    by_hour = _by_hour_alone(release)
    if by_hour is None:
        return cite(release, _TRAFFIC)
    return f"requests by hour: {by_hour:.3g} per second on average (architecture.requests_by_hour)"


def _gates(release: Release) -> list[Kpi]:
    """The gates on a rate that count while a canary has part of the users."""
    return [
        kpi
        for kpi in release.kpis
        if kpi.say == "gate" and kpi.kind == "rate" and (not kpi.during or "canary" in kpi.during)
    ]


def _seen(release: Release, kpi: Kpi) -> Answer:
    seen = sight(release, kpi)
    if seen is None:
        return Answer(None, f"usual rate of {kpi.name}: not stated (kpis)", ("kpis",))
    in_time = seen.hours <= LONGEST_WAIT_HOURS
    told = f"{describe(seen)}, {_cited(release)}"
    assumed = release.architecture.requests_per_second.state == "assumed"
    if in_time and assumed:
        return Answer(None, told, (_TRAFFIC,))
    return Answer(in_time, told)


def describe(seen: Sight) -> str:
    """One clause: which fault shows after how many requests, and how long that takes."""
    worse = f"{seen.kpi} rising from {seen.base_rate:.3g} to {seen.base_rate * seen.ratio:.3g}"
    needed = f"{seen.requests:,.0f} requests of the new version"
    return f"{worse} shows after {needed}, {_hours(seen.hours)} at a share of {seen.share:.0%}"


def _hours(hours: float) -> str:
    if hours == float("inf"):
        return "never"
    if hours < 1:
        return f"{max(hours * 60, 1):.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} days"
