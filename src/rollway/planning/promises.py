"""What a plan promises before it runs: which faults each stage finds, how soon, and who meets them first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from rollway.facts.model import Release
from rollway.judge import requests_to_detect
from rollway.judge.kinds.latency import ENOUGH_TO_CHOOSE
from rollway.judge.logs import FloatArray
from rollway.planning.evidence import usual_rate_of
from rollway.planning.flow import Flow, flow_of, hours_zone
from rollway.planning.foresight import Ended, Passed, faulty, healthy
from rollway.planning.model import Plan, PlanPromise, Promise, Stage, Traffic
from rollway.planning.scene import Scene, Watched

FAULT_RATIOS = (1.5, 2.0, 5.0, 10.0)
HARDLY_EVER = 0.005
"""Below this probability no time is told: it would rest on a handful of courses."""
A_HANDFUL = 10
MOST_ALONE = 86_400.0
MOST_STAGES = 12
"""Of a longer ladder the later stages are not foreseen one by one."""


def with_promises(plan: Plan, release: Release | None = None) -> Plan:
    """The plan with what its stages and guards promise, and how long each stage is expected to last.

    Traffic and users are those of the release, or, without one, those that the plan was computed for. The
    same plan has the same promises.
    """
    flow, users = _known(plan) if release is None else _stated(release)
    voters = [
        guard for guard in plan.guards if guard.say != "watch" and guard.kind not in ("check", "assignment")
    ]
    weight = sum(guard.weight for guard in voters)
    watched = tuple(
        Watched(guard, rate, guard.weight / weight)
        for guard in voters
        if (rate := usual_rate_of(guard)) is not None and guard.baseline == "concurrent"
    )
    if flow is None:
        plain = (_plain(plan, *each, None) for each in _asked(plan, watched))
        promises = tuple(each for each in plain if each is not None)
        return plan.model_copy(
            update={"promises": promises, "plan_promises": (), "traffic": None, "stages": _timed(plan, {})}
        )
    view = _View(plan, _scene(plan, watched, flow), watched, users)
    passed = healthy(view.scene)
    promises, whole = _promises(view, passed)
    lasts = {
        stage.id: max(stage.bake_seconds, _figures(float(np.mean(one.left))))
        for stage, one in zip(view.scene.stages, passed, strict=True)
    }
    return plan.model_copy(
        update={
            "promises": promises,
            "plan_promises": whole,
            "traffic": _traffic(flow, users, _zone(plan, release)),
            "stages": _timed(plan, lasts),
        }
    )


def _zone(plan: Plan, release: Release | None) -> str:
    if release is None:
        return "" if plan.traffic is None else plan.traffic.timezone
    return hours_zone(release) if release.architecture.requests_by_hour else ""


@dataclass(frozen=True, slots=True)
class _View:
    """What is computed, and what for."""

    plan: Plan
    scene: Scene
    watched: tuple[Watched, ...]
    users: int | None


def _known(plan: Plan) -> tuple[Flow | None, int | None]:
    """The traffic and the users that the plan was computed for."""
    traffic = plan.traffic
    if traffic is None:
        return None, None
    return Flow(traffic.by_hour or (traffic.per_second,), traffic.entered_at), traffic.users


def _stated(release: Release) -> tuple[Flow | None, int | None]:
    return flow_of(release), release.stakeholders.users.value or None


def _timed(plan: Plan, lasts: Mapping[str, float]) -> tuple[Stage, ...]:
    return tuple(
        stage
        if stage.expected_seconds == lasts.get(stage.id)
        else stage.model_copy(update={"expected_seconds": lasts.get(stage.id)})
        for stage in plan.stages
    )


def _seen(stages: Sequence[Stage]) -> list[Stage]:
    """The stages that are promised for: those with users of both versions that decide on evidence, or else
    the first with users of both."""
    live = [stage for stage in stages if _is_compared(stage)]
    return [stage for stage in live if stage.advance == "evidence"] or live[:1]


def _is_compared(stage: Stage) -> bool:
    return stage.exposure.mode == "live" and 0 < stage.exposure.share < 1


def _scene(plan: Plan, watched: Sequence[Watched], flow: Flow) -> Scene:
    stages = tuple(stage for stage in plan.stages if _is_compared(stage))[:MOST_STAGES]
    # A brake may count what few users do, an answer or an order: requests tell nothing of it.
    gates = tuple(one for one in watched if one.guard.say == "gate")
    return Scene(
        stages=stages,
        watched=gates,
        questions=max(1, len(stages) * len(gates) * len(FAULT_RATIOS)),
        flow=flow,
        tick_seconds=plan.policy.tick_seconds,
        planned_seconds=max(1.0, sum(stage.bake_seconds for stage in plan.stages)),
        alpha=plan.policy.alpha,
        alpha_promote=plan.policy.alpha_promote,
        alone_seconds=_alone(plan, stages, gates, flow),
    )


def _alone(plan: Plan, stages: Sequence[Stage], gates: Sequence[Watched], flow: Flow) -> float:
    """For how long the judge sees the old version alone: the stages before, and as long as it takes until it
    has numbers enough to begin."""
    before = takewhile(lambda stage: stage not in stages, plan.stages)
    tick = plan.policy.tick_seconds
    has_latency = any(one.guard.kind == "latency" for one in gates)
    seen = flow.times(stages[0].exposure.control or 1.0) if stages else flow
    enough = seen.until(0.0, ENOUGH_TO_CHOOSE) if has_latency else 0.0
    ready = tick * math.ceil(min(enough, MOST_ALONE) / tick)
    return max(sum(stage.bake_seconds for stage in before), ready)


def _asked(plan: Plan, watched: Sequence[Watched]) -> Iterator[tuple[Stage, Watched, float]]:
    return (
        (stage, one, ratio)
        for stage in _seen(plan.stages)
        for one in watched
        for ratio in FAULT_RATIOS
        if one.guard.counts_in(stage.id) and _can_be(one, ratio)
    )


def _can_be(one: Watched, ratio: float) -> bool:
    """Whether there is such a fault: beyond the tolerance, and with a rate of at most 1."""
    is_reversed = one.guard.direction == "less_is_worse"
    return ratio > one.guard.tolerance and (is_reversed or one.rate * ratio <= 1)


def _plain(
    plan: Plan, stage: Stage, one: Watched, ratio: float, flow: Flow | None, start: float = 0.0
) -> Promise | None:
    """How much it takes until the evidence is enough; None where it never is."""
    guard, share, part, rate = one.guard, stage.exposure.share, stage.exposure.part, one.rate
    alpha = plan.policy.alpha * one.part
    if guard.direction == "less_is_worse":
        # Events are the good ones, and the versions change places: the count is of the old one's requests.
        requests = (
            part
            / (1 - part)
            * requests_to_detect(
                base_rate=rate / ratio, ratio=ratio, share=1 - part, alpha=alpha, tolerance=guard.tolerance
            )
        )
    else:
        requests = requests_to_detect(
            base_rate=rate, ratio=ratio, share=part, alpha=alpha, tolerance=guard.tolerance
        )
    if not math.isfinite(requests):
        return None
    seconds = None if flow is None or guard.say != "gate" else flow.until(start, requests / share)
    known = None if seconds is None or not math.isfinite(seconds) else round(seconds, 1)
    return Promise(stage=stage.id, kpi=guard.kpi, ratio=ratio, requests=math.ceil(requests), seconds=known)


def _promises(view: _View, passed: Sequence[Passed]) -> tuple[tuple[Promise, ...], tuple[PlanPromise, ...]]:
    scene = view.scene
    numbers = {stage.id: number for number, stage in enumerate(scene.stages)}
    first: dict[tuple[str, float], Ended] = {}
    found: list[Promise] = []
    for stage, one, ratio in _asked(view.plan, view.watched):
        number = numbers.get(stage.id)
        start = 0.0 if number is None else passed[number].arrival.at
        promise = _plain(view.plan, stage, one, ratio, scene.flow, start)
        if promise is None:
            continue
        if number is not None and one in scene.watched:
            ended = faulty(scene, number, one, ratio, passed)
            promise = promise.model_copy(update=_told(view, number, ended, start))
            if number == 0:
                first[one.guard.kpi, ratio] = ended
        found.append(promise)
    whole = tuple(
        _whole(view, one, ratio, passed, first.get((one.guard.kpi, ratio)))
        for one in scene.watched
        for ratio in FAULT_RATIOS
        if any(one.guard.counts_in(stage.id) for stage in scene.stages) and _can_be(one, ratio)
    )
    return tuple(found), whole


def _told(view: _View, number: int, ended: Ended, start: float) -> dict[str, float | None]:
    """The figures of one stage's promise from its courses."""
    share, users = view.scene.stages[number].exposure.live, view.users
    both = _requests(view.scene.flow, start, ended.ended)
    served = float(np.mean(both)) * share
    exposed = served if users is None else float(np.mean(users * share * -np.expm1(-both / users)))
    return {
        "probability": _rounded(float(np.mean(np.isfinite(ended.found)))),
        "asked": _rounded(float(np.mean(ended.is_asked))),
        "rollback_seconds": _mean_time(ended.found),
        "served": _figures(served),
        "exposed": _figures(exposed),
        "exposed_share": None if users is None else _rounded(exposed / users, 6),
    }


def _whole(
    view: _View, one: Watched, ratio: float, passed: Sequence[Passed], first: Ended | None
) -> PlanPromise:
    """The courses of a fault that is there from the first exposure, through every stage before everyone."""
    scene, users = view.scene, view.users
    first = first or faulty(scene, 0, one, ratio, passed)
    rows = len(first.found)
    found, served, at = np.full(rows, np.inf), np.zeros(rows), np.zeros(rows)
    unmet = np.full((len(scene.stages), rows), 0.0)
    index, ended = np.arange(rows), first
    for number, stage in enumerate(scene.stages):
        if number:
            ended = faulty(scene, number, one, ratio, passed, ended)
        both = _requests(scene.flow, passed[number].arrival.at, ended.ended)
        served[index] += both * stage.exposure.live
        # Whoever has the new version from this stage on, or from an earlier one, may meet the fault in it.
        for earlier in range(number + 1):
            unmet[earlier, index] += both
        found[index] = at[index] + ended.found
        at[index] += ended.ended
        index = index[~np.isfinite(ended.found)]
        if not len(index):
            break
    total = float(np.mean(served))
    exposed = total if users is None else _users_met(scene, unmet, users)
    return PlanPromise(
        kpi=one.guard.kpi,
        ratio=ratio,
        probability=_rounded(float(np.mean(np.isfinite(found)))),
        rollback_seconds=_mean_time(found),
        served=_figures(total),
        exposed=_figures(exposed),
        exposed_share=None if users is None else _rounded(exposed / users, 6),
    )


def _users_met(scene: Scene, both: FloatArray, users: int) -> float:
    """Users served at least once: those who joined with stage s made Poisson(both_s / users) requests."""
    shares = np.array([stage.exposure.live for stage in scene.stages])
    joining = np.diff(shares, prepend=0.0) * users
    return float(np.mean(joining @ -np.expm1(-both / users)))


def _requests(flow: Flow, start: float, lasted: FloatArray) -> FloatArray:
    """Requests to both versions from `start` on, for so many seconds each, shape (rows,)."""
    if len(flow.hours) == 1:
        return lasted * flow.hours[0]
    known, place = np.unique(lasted, return_inverse=True)
    grid = known if len(known) <= 200 else np.linspace(0.0, float(known[-1]), 200)
    totals = np.array([flow.between(start, start + float(end)) for end in grid])
    found: FloatArray = np.interp(known, grid, totals)[place]
    return found


def _mean_time(found: FloatArray) -> float | None:
    known = found[np.isfinite(found)]
    return _figures(float(np.mean(known))) if len(known) >= max(A_HANDFUL, HARDLY_EVER * len(found)) else None


def _rounded(value: float, digits: int = 3) -> float:
    return round(min(1.0, max(0.0, value)), digits)


def _figures(value: float) -> float:
    """To three figures: more would promise what drawn courses cannot keep."""
    return float(f"{value:.3g}")


def _traffic(flow: Flow, users: int | None, zone: str) -> Traffic:
    return Traffic(
        per_second=flow.per_second,
        by_hour=() if len(flow.hours) == 1 else flow.hours,
        timezone=zone,
        entered_at=flow.entered_at,
        users=users,
    )
