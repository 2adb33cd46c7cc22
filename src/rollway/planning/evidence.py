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
from collections.abc import Iterable

from rollway.facts.model import Kpi, Release
from rollway.judge import requests_to_clear, requests_to_detect
from rollway.planning.model import Promise, Stage

ALPHA = 0.01
ALPHA_PROMOTE = 0.05
MARGIN = 1.5
LADDER: tuple[tuple[float, float], ...] = ((0.10, 4.0), (0.50, 2.0), (1.0, 1.0))
"""How far the next step reaches, and how many times the margin's excess over 1 is good enough for it."""
ABOVE_TOLERANCE = 1.25
FAULT_RATIOS = (2.0, 5.0, 10.0)
SLOW_SHARE = 0.01
"""Latency is promised for the tail: requests slower than what one in a hundred of the old version's is."""


COMPARED = ("rate", "latency")
"""The kinds whose versions are compared by a test. The others stop or pause by a plain rule."""


def gates(release: Release) -> tuple[Kpi, ...]:
    """The KPIs that must be shown safe before each promotion."""
    return tuple(kpi for kpi in release.kpis if kpi.say == "gate" and kpi.kind in COMPARED)


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
    rate = SLOW_SHARE if kpi.kind == "latency" else kpi.expected
    return rate if rate is not None and 0 < rate < 1 else None


def arrivals_per_second(release: Release) -> float | None:
    """Requests per second to both versions together; None where unknown or nil."""
    return release.architecture.requests_per_second.value or None


def clear_seconds(release: Release, kpi: Kpi, margin: float, share: float) -> float | None:
    """How long a gate that is as good as the old version takes to be shown within the margin.

    None where traffic or the usual rate is not known, or where the share leaves one side without users.
    """
    arrivals, rate = arrivals_per_second(release), usual_rate(kpi)
    if arrivals is None or rate is None or not 0 < share < 1:
        return None
    requests = requests_to_clear(base_rate=rate, margin=margin, share=share, alpha_promote=ALPHA_PROMOTE)
    return requests / (arrivals * share) if math.isfinite(requests) else None


def slowest_clear_seconds(release: Release, margins: dict[str, float], share: float) -> float | None:
    """The longest of `clear_seconds` over the gates; None where none of them can be told."""
    asked = (kpi for kpi in gates(release) if kpi.name in margins)
    by_gate = (clear_seconds(release, kpi, margins[kpi.name], share) for kpi in asked)
    return max((seconds for seconds in by_gate if seconds is not None), default=None)


def make_promises(release: Release, stages: Iterable[Stage]) -> tuple[Promise, ...]:
    """For each stage that decides on evidence (or else the first live one): what it sees how soon.

    The evidence of all KPIs is averaged by weight, so one KPI alone must reach 1/(alpha * its share of
    the weight). A fault is counted from the tolerance on, as the judge counts it.
    """
    live = [stage for stage in stages if stage.exposure.mode == "live" and 0 < stage.exposure.share < 1]
    seen = [stage for stage in live if stage.advance == "evidence"] or live[:1]
    voters = [kpi for kpi in release.kpis if kpi.say != "watch" and kpi.kind in COMPARED]
    weight = sum(kpi.weight for kpi in voters)
    return tuple(
        promise
        for stage in seen
        for kpi in voters
        for ratio in FAULT_RATIOS
        if (promise := _promise(release, stage, kpi, ratio, kpi.weight / weight)) is not None
    )


def _promise(release: Release, stage: Stage, kpi: Kpi, ratio: float, say: float) -> Promise | None:
    rate = usual_rate(kpi)
    if rate is None or ratio <= kpi.tolerance or rate * ratio > 1:
        return None
    share = stage.exposure.share
    requests = requests_to_detect(
        base_rate=rate, ratio=ratio, share=share, alpha=alpha_of(release) * say, tolerance=kpi.tolerance
    )
    if not math.isfinite(requests):
        return None
    # A brake may count what few users do (an answer, an order), so its time cannot be told from requests.
    arrivals = arrivals_per_second(release) if kpi.say == "gate" else None
    seconds = None if arrivals is None else round(requests / (arrivals * share), 1)
    return Promise(stage=stage.id, kpi=kpi.name, ratio=ratio, requests=math.ceil(requests), seconds=seconds)
