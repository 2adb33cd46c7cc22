"""What a reader of the plan should know and would not see: gaps, thin traffic, wishes with a price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollway.choice.model import Choice
from rollway.facts.model import Kpi, MethodName, Release
from rollway.planning.evidence import (
    arrivals_per_second,
    clear_seconds,
    gates,
    slowest_clear_seconds,
    usual_rate,
)
from rollway.planning.model import Stage
from rollway.planning.stages import DAY, HOUR, NAMED, wished_shares
from rollway.planning.words import about, length, percent, times

BEARABLE_SECONDS = DAY
"""A stage that needs longer than this to show that nothing is wrong is called out."""

HALF = 0.5
TRIED_SHARES = (0.02, 0.05, 0.10, 0.25, HALF, 0.90, 0.75)
"""Both sides learn fastest at one half, so a small share is raised and a hold-back is enlarged."""

TRIED_MARGINS = (2.0, 3.0, 5.0, 10.0)


def make_notes(
    release: Release, choice: Choice, methods: Sequence[MethodName], stages: Sequence[Stage]
) -> tuple[str, ...]:
    """Each note once, the gravest first."""
    notes = (
        *_unproven(choice, methods),
        *_traffic(release, stages),
        *_audience(stages),
        *_missing(release, stages),
        *_wishes(release, methods, stages),
    )
    return tuple(dict.fromkeys(notes))


def _unproven(choice: Choice, methods: Sequence[MethodName]) -> Iterator[str]:
    for ranked in choice.ranking:
        if ranked.method in methods:
            for veto in ranked.vetoes:
                if veto.state == "unknown":
                    unlock = f" {veto.unlock}" if veto.unlock else ""
                    yield f"Not shown yet ({veto.id}): {veto.title}.{unlock}"


# --- traffic ----------------------------------------------------------------------------------------


def _traffic(release: Release, stages: Sequence[Stage]) -> Iterator[str]:
    deciding = [stage for stage in stages if stage.advance == "evidence"]
    if not deciding:
        return
    if arrivals_per_second(release) is None:
        yield (
            "The number of requests per second is not known, so shares and waiting times are defaults and "
            "nothing is promised. State architecture.requests_per_second."
        )
        return
    for kpi in gates(release):
        if usual_rate(kpi) is None:
            yield (
                f"The old version's usual figure of {kpi.name} (expected) is not known, "
                "so nothing is promised for it."
            )
            continue
        slow = [(stage, _clear(release, kpi, stage)) for stage in deciding if kpi.name in stage.margins]
        slow = [(stage, seconds) for stage, seconds in slow if seconds > BEARABLE_SECONDS]
        if slow:
            yield _too_thin(release, kpi, *max(slow, key=lambda pair: pair[1]))
    yield from _impatient(release, deciding)


def _clear(release: Release, kpi: Kpi, stage: Stage) -> float:
    """How long the stage needs to show this gate within its margin; 0 where that cannot be told."""
    return clear_seconds(release, kpi, stage.margins[kpi.name], stage.exposure.share) or 0.0


def _too_thin(release: Release, kpi: Kpi, stage: Stage, seconds: float) -> str:
    margin = stage.margins[kpi.name]
    thin = (
        f"The traffic is thin: at {percent(stage.exposure.share)} it takes about {about(seconds)} "
        f"to show that '{kpi.name}' stays within {times(margin)} of the old version."
    )
    return f"{thin} {_what_can(release, kpi, stage)}"


def _what_can(release: Release, kpi: Kpi, stage: Stage) -> str:
    """A share that clears the same margin in a day; else the tightest margin that half the users clear in
    a day; else another method."""
    margin, now = stage.margins[kpi.name], stage.exposure.share
    better = [share for share in TRIED_SHARES if (now < share <= HALF or HALF <= share < now)]
    for share in better:
        seconds = clear_seconds(release, kpi, margin, share)
        if seconds is not None and seconds <= BEARABLE_SECONDS:
            return f"At {percent(share)} it takes about {about(seconds)}."
    for wider in TRIED_MARGINS:
        seconds = clear_seconds(release, kpi, wider, HALF)
        if wider > margin and seconds is not None and seconds <= BEARABLE_SECONDS:
            return (
                f"No share shows that within a day; what half of the users can show within {about(seconds)} "
                f"is {times(wider)}. For less, use a pilot over a business cycle, or let a person decide."
            )
    return (
        "No share and no margin shows it within a day: use a pilot over a business cycle, or a parallel run."
    )


def _impatient(release: Release, deciding: Sequence[Stage]) -> Iterator[str]:
    for stage in deciding:
        slowest = slowest_clear_seconds(release, stage.margins, stage.exposure.share) or 0.0
        if slowest > stage.patience_seconds:
            yield (
                f"The stage '{stage.title}' needs about {about(slowest)} to show that nothing is wrong, "
                f"longer than its patience of {length(stage.patience_seconds)}: a person will be asked."
            )


# --- the rest ---------------------------------------------------------------------------------------


def _audience(stages: Sequence[Stage]) -> Iterator[str]:
    if any(stage.exposure.audience.startswith(NAMED) for stage in stages if stage.exposure.share):
        yield (
            "The target is told a share of all users. Who exactly that is (the groups named in the stages) "
            "must be set in the target's own rule; check it before each wave."
        )


def _missing(release: Release, stages: Sequence[Stage]) -> Iterator[str]:
    if not gates(release):
        yield "No KPI is a gate: nothing is shown to be safe by numbers, and people decide at every step."
    if not release.done.tests.rollback_tested.is_true:
        yield "The rollback is not shown to be tested."
    if release.target is None:
        yield "No target is named: this plan can be read and approved; to run it, name a target."
    if not release.agreements.operators:
        yield "No operators are named: anybody may start, resume and promote it."
    if not release.agreements.windows:
        yield "No change windows are agreed: stages are entered at any time but for freezes."
    irreversible = next((stage for stage in stages if not stage.reversible), None)
    if irreversible is not None:
        yield f"From the stage '{irreversible.title}' on there is no way back; faults are mended forward."


def _wishes(release: Release, methods: Sequence[MethodName], stages: Sequence[Stage]) -> Iterator[str]:
    wishes = release.rollout
    if "canary" in methods and wishes.shares and not wished_shares(release):
        yield "A canary needs a share below everyone: one was added to the wish for 100%."
    if "canary" in methods and wishes.hold_back in (0, 1):
        yield (
            "No hold-back: once everyone is served nothing is left to compare with, and a fault that needs "
            "time to show is found by absolute limits only."
        )
    if wishes.bake is not None and "pilot" in methods and wishes.bake.total_seconds() < DAY:
        yield f"The pilot is to last {length(wishes.bake.total_seconds())}: less than any business cycle."
    if wishes.check_every is not None and wishes.check_every.total_seconds() > DAY:
        yield "The figures are looked at once a day, more often than wished: a rarer look is no watch."
    elif wishes.check_every is not None and wishes.check_every.total_seconds() > HOUR:
        yield "The figures are looked at less than once an hour: a fault is found late, whatever its size."
    if wishes.false_rollback is not None and wishes.false_rollback > 0.1:
        yield f"One rollout in {1 / wishes.false_rollback:.0f} would be taken back without cause, as wished."
