"""Canary: a small random share first, old and new version compared at the same time, then larger shares.

The last step before everyone is a hold-back: a small group stays on the old version for a while, so that
faults that need time to show still have something to be compared with.
"""

from __future__ import annotations

import math
from itertools import pairwise

from rollway.facts.model import Release
from rollway.planning import ladder as ladders
from rollway.planning.evidence import (
    detect_seconds,
    effect_of,
    gates,
    margins_before,
    slowest_clear_seconds,
)
from rollway.planning.model import LONGEST_SECONDS, Exposure, Stage
from rollway.planning.stages import (
    DAY,
    HOUR,
    MORE,
    bake_seconds,
    baseline_stage,
    distinct,
    patience_seconds,
    person_patience,
    tick_seconds,
    undo_words,
    usable_share,
    wished_shares,
)
from rollway.planning.words import percent, share_slug

DEFAULT_BAKE_SECONDS = HOUR / 3
HOLD_BACK = 0.05
HOLD_BACK_BAKES = 3
"""The hold-back bakes at least so many times as long as the other stages; an hour by default."""
MOST = 0.5
"""A step that reaches more than this part of the users is one of the widest."""


def build(release: Release) -> tuple[Stage, ...]:
    """baseline, one stage per share, the hold-back, everyone."""
    shares = ladder(release)
    held = held_back_share(release)
    if held is not None and shares[-1] < held - MORE:
        shares = (*shares, held)
    last = shares[-1] if held is not None else None
    steps: list[Stage] = []
    start = 0.0
    for share, following in pairwise((*shares, 1.0)):
        step = _step(release, share, following, start, is_hold_back=share == last, is_first=not steps)
        steps.append(step)
        start += max(step.bake_seconds, slowest_clear_seconds(release, step.margins, share, start) or 0.0)
    return distinct((*baseline_stage(release, "canary"), *steps, _everyone(release)))


def ladder(release: Release) -> tuple[float, ...]:
    """The shares below 1 in rising order: as wished, else computed (`planning.ladder`). Empty wishes below 1
    (people who want everyone at once) leave the hold-back alone."""
    if release.rollout.shares:
        return wished_shares(release) or (held_back_share(release) or ladders.DEFAULT_SHARES[-1],)
    return ladders.shares(release, tick_seconds(release, ("canary",)))


def held_back_share(release: Release) -> float | None:
    """The share of the hold-back stage (0.95 by default); None where people want no hold-back."""
    hold_back = HOLD_BACK if release.rollout.hold_back is None else release.rollout.hold_back
    held = usable_share(1 - hold_back)
    return held if hold_back < 1 and held < 1 else None


def _bake(release: Release, share: float, following: float, start: float) -> float:
    """The bake of a stage; before the widest steps also long enough to find the smallest fault that is worth
    catching, where that takes at most a day."""
    bake = bake_seconds(release, DEFAULT_BAKE_SECONDS)
    if release.rollout.bake is not None or following <= MOST:
        return bake
    found = (detect_seconds(release, kpi, effect_of(release), share, start) for kpi in gates(release))
    in_time = [seconds for seconds in found if seconds is not None and seconds <= DAY]
    return max(bake, math.ceil(max(in_time, default=0.0) / 60) * 60.0)


def _step(
    release: Release, share: float, following: float, start: float, *, is_hold_back: bool, is_first: bool
) -> Stage:
    margins = margins_before(release, following)
    has_gate = bool(margins)
    was_shown = not is_first and margins_before(release, share) == margins
    if is_hold_back and was_shown:
        # No new proof: here time works, and any evidence of harm stands in the way.
        margins = {}
    if is_hold_back:
        usual = bake_seconds(release, DEFAULT_BAKE_SECONDS)
        late = bake_seconds(release, HOLD_BACK_BAKES * DEFAULT_BAKE_SECONDS, is_last=True)
        wished = release.rollout.bake is not None
        bake = min(HOLD_BACK_BAKES * usual if wished else late, LONGEST_SECONDS)
    else:
        bake = _bake(release, share, following, start)
    clear = slowest_clear_seconds(release, margins, share, start)
    patience = patience_seconds(release, "canary", bake, clear)
    return Stage(
        id="hold-back" if is_hold_back else share_slug(share),
        title=f"Hold-back: {percent(share)} of users" if is_hold_back else f"{percent(share)} of users",
        purpose=_purpose(share, following, is_hold_back=is_hold_back),
        method="canary",
        exposure=Exposure(share=share),
        # Without a gate there is nothing a verdict could rest on, so a person decides.
        advance="evidence" if has_gate else "person",
        bake_seconds=bake,
        patience_seconds=patience if has_gate else person_patience(release, "canary", bake),
        margins=margins,
        undo=undo_words(release),
    )


def _purpose(share: float, following: float, *, is_hold_back: bool) -> str:
    if is_hold_back:
        rest = percent(1 - share)
        return f"Keep {rest} on the old version for a while: slow faults still show by comparison."
    return f"Compare both versions at the same moment before {percent(following)} are served."


def _everyone(release: Release) -> Stage:
    bake = bake_seconds(release, DEFAULT_BAKE_SECONDS)
    return Stage(
        id="100-percent",
        title="Everyone",
        purpose="Serve everyone. Nothing is left to compare with; absolute limits still watch.",
        method="canary",
        exposure=Exposure(share=1.0),
        advance="time",
        bake_seconds=bake,
        patience_seconds=patience_seconds(release, "canary", bake),
        undo=undo_words(release),
    )
