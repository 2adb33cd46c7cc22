"""What a reader of the plan should know and would not see: gaps, thin traffic, wishes with a price."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rollway.choice.model import Choice
from rollway.facts.model import WEEKDAYS, Kpi, MethodName, Release
from rollway.judge import requests_to_detect
from rollway.planning.control_group import is_sampled, part_of
from rollway.planning.counting import counted_for
from rollway.planning.durations import USUAL_BOUNDS, around_p99
from rollway.planning.evidence import (
    alpha_of,
    arrivals_per_second,
    clear_seconds,
    effect_of,
    gates,
    say_of,
    slowest_clear_seconds,
    usual_rate,
)
from rollway.planning.flow import flow_of, hours_zone
from rollway.planning.ladder import Cost, dearest
from rollway.planning.model import Stage
from rollway.planning.stages import (
    DAY,
    HALF_INCIDENTS,
    HOUR,
    LATE_INCIDENTS,
    NAMED,
    incidents_shown,
    pilot_groups,
    tick_seconds,
    wished_shares,
)
from rollway.planning.words import about, length, listing, percent, times, two_digits

BEARABLE_SECONDS = DAY
"""A stage that needs longer than this to show that nothing is wrong is called out."""

HALF = 0.5
TRIED_SHARES = (0.02, 0.05, 0.10, 0.25, HALF, 0.90, 0.75)
"""Both sides learn fastest at one half, so a small share is raised and a hold-back is enlarged."""

WEEK = 7 * DAY
HOURS_A_DAY = 24
SEEN_SIZES = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
TRIED_MARGINS = (2.0, 3.0, 5.0, 10.0)


def make_notes(
    release: Release, choice: Choice, methods: Sequence[MethodName], stages: Sequence[Stage]
) -> tuple[str, ...]:
    """Each note once, the gravest first."""
    notes = (
        *_unproven(choice, methods),
        *_traffic(release, stages),
        *_budget(release, methods, stages),
        *_history(release, stages),
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
    yield from _hours(release)
    for kpi in gates(release):
        if kpi.kind == "mean":
            yield f"How soon the mean '{kpi.name}' shows a fault depends on its spread: nothing is promised."
            continue
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
    yield from _buckets(release)


def _buckets(release: Release) -> Iterator[str]:
    """Which histogram a latency is promised for, where nobody said which it has."""
    unsaid = [kpi.name for kpi in gates(release) if kpi.kind == "latency" and not kpi.buckets]
    if unsaid:
        below, above = around_p99(USUAL_BOUNDS)
        yield (
            f"The buckets of {listing(unsaid)} are not stated (kpis.buckets): promises take the usual ones "
            f"of Prometheus clients, with the slowest hundredth of requests beginning between {below:g} and "
            f"{above:g} s. Narrower ones find a fault sooner."
        )


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
                f"is {times(wider)}. {_instead(release, kpi)}"
            )
    return f"No share and no margin shows it within a day. {_instead(release, kpi)}"


def _instead(release: Release, kpi: Kpi) -> str:
    """What a pilot and a run on copies can show where a canary cannot, in numbers."""
    flow, rate = flow_of(release), usual_rate(kpi)
    if flow is None or rate is None:
        return "Use a pilot over a business cycle, or a parallel run."
    _, share = pilot_groups(release)
    seen = _smallest_seen(release, kpi, rate, share, flow.between(0.0, WEEK) * share)
    pilot = (
        f"a pilot with {percent(share)} of the users sees faults from {times(seen)} on in a week"
        if seen is not None
        else f"a pilot with {percent(share)} of the users sees no fault of '{kpi.name}' by numbers in a "
        "week, only by what its people tell"
    )
    # On copies both versions get every request: half of twice as many.
    needed = _requests(release, kpi, rate, effect_of(release), HALF)
    copies = flow.until(0.0, needed)
    if not math.isfinite(copies):
        return f"Instead, {pilot}."
    return (
        f"Instead, {pilot}; a parallel run on copies of all requests, which exposes nobody, sees "
        f"{times(effect_of(release))} in about {about(copies)}."
    )


def _smallest_seen(release: Release, kpi: Kpi, rate: float, share: float, served: float) -> float | None:
    """The smallest of SEEN_SIZES that is found, on average, in so many requests of the new version."""
    sizes = (size for size in SEEN_SIZES if size > kpi.tolerance and size * rate <= 1)
    return next((size for size in sizes if _requests(release, kpi, rate, size, share) <= served), None)


def _requests(release: Release, kpi: Kpi, rate: float, ratio: float, share: float) -> float:
    alpha = alpha_of(release) * say_of(release, kpi)
    part = part_of(release, share)
    return requests_to_detect(base_rate=rate, ratio=ratio, share=part, alpha=alpha, tolerance=kpi.tolerance)


def _hours(release: Release) -> Iterator[str]:
    flow = flow_of(release)
    if flow is None or len(flow.hours) == 1:
        return
    day, rest = divmod(flow.entered_at, DAY)
    weekday = f"{WEEKDAYS[int(day)].capitalize()} " if len(flow.hours) > HOURS_A_DAY else ""
    clock = f"{weekday}{int(rest // HOUR):02d}:{int(rest % HOUR // 60):02d} {hours_zone(release)}"
    at = flow.between(0.0, HOUR) / HOUR
    yield (
        f"Times and promises are for an entry at {clock}, the quietest that the change windows allow: "
        f"{at:.3g} requests per second then, {flow.per_second:.3g} on average."
    )


def _budget(release: Release, methods: Sequence[MethodName], stages: Sequence[Stage]) -> Iterator[str]:
    """Whether the harm budget is kept at the first share, and what is the least that can be had."""
    budget = release.rollout.harm_budget
    first = next((stage for stage in stages if 0 < stage.exposure.live < 1), None)
    if budget is None or first is None:
        return
    counted = counted_for(release, first.method)
    cost = dearest(counted, first.exposure.share, tick_seconds(release, methods))
    if cost is None:
        yield (
            "The harm budget cannot be reckoned with: state the traffic, and the usual figure of a gate on a "
            "rate (expected)."
        )
    elif cost.events <= budget:
        yield f"Within the harm budget of {budget:g}: {_cost_words(cost, first)}"
    else:
        yield (
            f"The harm budget of {budget:g} cannot be kept: {_cost_words(cost, first)} So many it takes to "
            "see it, at any share; to cause fewer, find it beforehand: by tests, or on copies of the traffic."
        )


def _cost_words(cost: Cost, stage: Stage) -> str:
    return (
        f"at {percent(stage.exposure.share)} the dearest fault, '{cost.kpi}' {times(cost.ratio)}, causes "
        f"about {two_digits(cost.events)} bad events before it is found and taken back."
    )


def _history(release: Release, stages: Sequence[Stage]) -> Iterator[str]:
    half = incidents_shown(release, HALF_INCIDENTS)
    late = incidents_shown(release, LATE_INCIDENTS)
    if half is None or late is None:
        return
    longest = sum(stage.bake_seconds for stage in stages if 0 < stage.exposure.live < 1)
    yield (
        f"Incidents of past releases had shown within {length(half)} in half of the cases, and within "
        f"{length(late)} in nine of ten; with part of the users this plan waits {length(longest)}."
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
    if any(stage.exposure.audience.startswith(NAMED) for stage in stages if stage.exposure.live):
        yield (
            "The target is told a share of all users. Who exactly that is (the groups named in the stages) "
            "must be set in the target's own rule; check it before each wave."
        )


def _missing(release: Release, stages: Sequence[Stage]) -> Iterator[str]:
    if any(kpi.baseline == "history" for kpi in release.kpis):
        yield (
            "What is compared with past weeks only is weak evidence: an unusual day looks like a fault. So "
            "it never takes a release back by itself."
        )
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
    if is_sampled(release) and not any(stage.exposure.control for stage in stages):
        yield "The wish for a control group has no effect: no stage divides users between the versions."
    elif is_sampled(release):
        yield (
            "The new version's users are compared with a control group as large as they are (beyond half of "
            "the users: with all who are left). The signals of the KPIs have to count that group as "
            "`baseline`. At a small share that takes two to three times as many requests of the new version "
            "to find a fault as a comparison with everyone else."
        )
    if wishes.bake is not None and "pilot" in methods and wishes.bake.total_seconds() < DAY:
        yield f"The pilot is to last {length(wishes.bake.total_seconds())}: less than any business cycle."
    shortened = [
        kpi.name
        for kpi in release.kpis
        if kpi.cycle is not None
        and wishes.bake is not None
        and kpi.cycle > wishes.bake
        and kpi.say != "watch"
    ]
    if shortened:
        yield (
            f"The bake that is wished is shorter than the cycle of {listing(shortened)}: its figures are "
            "judged before they mean something."
        )
    if wishes.check_every is not None and wishes.check_every.total_seconds() > DAY:
        yield "The figures are looked at once a day, more often than wished: a rarer look is no watch."
    elif wishes.check_every is not None and wishes.check_every.total_seconds() > HOUR:
        yield "The figures are looked at less than once an hour: a fault is found late, whatever its size."
    if wishes.false_rollback is not None and wishes.false_rollback > 0.1:
        yield f"One rollout in {1 / wishes.false_rollback:.0f} would be taken back without cause, as wished."
