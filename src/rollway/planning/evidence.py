"""What the traffic can show: margins, how long a gate takes to clear, and what a stage would catch.

The margin ladder. To leave a stage, each gate must be shown to be no worse than `margin` times the old
version. The margin depends on how far the next step reaches, because that is what a mistake would cost:

    next share up to 10%    1 + 4 (m - 1)    few users are risked; a quick look is enough
    next share up to 50%    1 + 2 (m - 1)
    next share above        m                from here on most users are risked

m is `rollout.margin`, 1.5 where nobody says otherwise: x3, x2, x1.5.

The hold-back asks for no proof anew: the tight margin was shown before, few users are added, and against a
small rest of the old version a proof takes as long as at a small share of the new one. It bakes, and is left
when nothing speaks against the new version. Where the tight margin was not shown before (it is the first
share, or it holds back half of the users), it does ask.

A gate whose own tolerance is wide gets at least 1.25 times that tolerance; a margin at or below the
tolerance could never be cleared by a version that uses all it is allowed.
"""

from __future__ import annotations

import math

from rollway.facts.model import Kpi, Release
from rollway.judge import requests_to_clear, requests_to_detect
from rollway.planning.control_group import part_of
from rollway.planning.flow import flow_of
from rollway.planning.model import Guard

ALPHA = 0.01
ALPHA_PROMOTE = 0.05
MARGIN = 1.5
EFFECT = 2.0
"""The smallest fault worth catching where nobody says otherwise: twice as bad."""
LADDER: tuple[tuple[float, float], ...] = ((0.10, 4.0), (0.50, 2.0), (1.0, 1.0))
"""How far the next step reaches, and how many times the margin's excess over 1 is good enough for it."""
ABOVE_TOLERANCE = 1.25
SLOW_SHARE = 0.01
"""Latency is promised for the tail: requests slower than what one in a hundred of the old version's is."""


COUNTED = ("rate", "latency")
"""The kinds of which arithmetic can tell beforehand how long an answer takes."""
COMPARED = (*COUNTED, "mean")
"""The kinds whose versions are compared by a test. The others stop or pause by a plain rule."""


def gates(release: Release) -> tuple[Kpi, ...]:
    """The KPIs that must be shown safe before each promotion, by comparison with the old version."""
    return tuple(
        kpi
        for kpi in release.kpis
        if kpi.say == "gate" and kpi.kind in COMPARED and kpi.baseline == "concurrent"
    )


def margins_before(release: Release, next_share: float) -> dict[str, float]:
    """Per gate, the ratio to be excluded before going on to `next_share`."""
    excess = (release.rollout.margin or MARGIN) - 1
    step = 1 + excess * next(times for reach, times in LADDER if next_share <= reach)
    return {kpi.name: max(step, round(kpi.tolerance * ABOVE_TOLERANCE, 4)) for kpi in gates(release)}


def alpha_of(release: Release) -> float:
    """The probability of a false rollback that people accept over the whole rollout."""
    return release.rollout.false_rollback or ALPHA


def usual_rate(kpi: Kpi) -> float | None:
    """The old version's share of bad requests (of slow ones, for a latency), in 0..1; None if not known."""
    if kpi.kind not in COUNTED:
        return None
    rate = SLOW_SHARE if kpi.kind == "latency" else kpi.expected
    return rate if rate is not None and 0 < rate < 1 else None


def usual_rate_of(guard: Guard) -> float | None:
    """The same of a guard."""
    if guard.kind not in COUNTED:
        return None
    rate = SLOW_SHARE if guard.kind == "latency" else guard.expected
    return rate if rate is not None and 0 < rate < 1 else None


def arrivals_per_second(release: Release) -> float | None:
    """Requests per second to both versions together, on average; None where unknown or nil."""
    flow = flow_of(release)
    return flow.per_second if flow is not None else None


def busiest_per_second(release: Release) -> float | None:
    """The same in the hour with the most; None where unknown."""
    flow = flow_of(release)
    return max(flow.hours) if flow is not None else None


def quietest_per_second(release: Release) -> float | None:
    """The same in the hour with the fewest; None where unknown, 0 where an hour has none."""
    flow = flow_of(release)
    return min(flow.hours) if flow is not None else None


def effect_of(release: Release) -> float:
    """The smallest fault worth catching, times the old version's figure."""
    return release.rollout.effect or EFFECT


def say_of(release: Release, kpi: Kpi) -> float:
    """The KPI's part of the weights of all that may take the release back, 0..1."""
    voters = [other.weight for other in release.kpis if other.say != "watch" and other.kind in COMPARED]
    return kpi.weight / sum(voters)


def clear_seconds(
    release: Release, kpi: Kpi, margin: float, share: float, start: float = 0.0
) -> float | None:
    """How long a gate that is as good as the old version takes to be shown within the margin.

    `start`: seconds from the first exposure to where that begins, which matters where traffic follows the
    hours. None where traffic or the usual rate is not known, or where one version is left without users.
    """
    flow, rate = flow_of(release), usual_rate(kpi)
    if flow is None or rate is None or not 0 < share < 1:
        return None
    part = part_of(release, share)
    requests = requests_to_clear(base_rate=rate, margin=margin, share=part, alpha_promote=ALPHA_PROMOTE)
    seconds = flow.until(start, requests / share)
    return seconds if math.isfinite(seconds) else None


def detect_seconds(
    release: Release, kpi: Kpi, ratio: float, share: float, start: float = 0.0
) -> float | None:
    """How long a fault of a gate takes to be found; None where that cannot be told or never is."""
    flow, rate = flow_of(release), usual_rate(kpi)
    is_plain = kpi.direction == "more_is_worse" and kpi.baseline == "concurrent"
    if flow is None or rate is None or not is_plain or ratio * rate > 1:
        return None
    requests = requests_to_detect(
        base_rate=rate,
        ratio=ratio,
        share=part_of(release, share),
        alpha=alpha_of(release) * say_of(release, kpi),
        tolerance=kpi.tolerance,
    )
    seconds = flow.until(start, requests / share)
    return seconds if math.isfinite(seconds) else None


def slowest_clear_seconds(
    release: Release, margins: dict[str, float], share: float, start: float = 0.0
) -> float | None:
    """The longest of `clear_seconds` over the gates; None where none of them can be told."""
    asked = (kpi for kpi in gates(release) if kpi.name in margins)
    by_gate = (clear_seconds(release, kpi, margins[kpi.name], share, start) for kpi in asked)
    return max((seconds for seconds in by_gate if seconds is not None), default=None)
