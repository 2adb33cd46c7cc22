"""The world that a plan assumes, and the stories that every plan is rehearsed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rollway.errors import InputError
from rollway.judge.kinds.latency import choose_cuts, safe_rows
from rollway.planning import Guard, Plan, Stage
from rollway.planning.chosen_cuts import WELL_KNOWN
from rollway.planning.durations import bounds_of, ratio_beyond, usual_law
from rollway.planning.evidence import COMPARED
from rollway.planning.windows import zone_named
from rollway.planning.words import about, listing, times
from rollway.rehearsal.scenario import USUAL_PEOPLE, Fault, People, Scenario, Trouble
from rollway.rehearsal.world import Measure, MeasureKind, Noise, Recorded, Steady, Traffic, World

BIG, DELAYED = 10.0, 5.0
NOISE = Noise(spread=0.1, block_seconds=300.0)
"""Two healthy versions whose rates differ by a tenth for five minutes, by chance."""
KINDS: Mapping[str, MeasureKind] = {
    "rate": "rate",
    "latency": "latency",
    "check": "check",
    "assignment": "assignment",
    "mean": "mean",
}


def world_of(
    plan: Plan,
    *,
    traffic: Traffic | None = None,
    rates: Mapping[str, float] | None = None,
    users: int | None = None,
) -> World:
    """The service as the plan assumes it. What is given here goes before what the plan says.

    Raises InputError where the traffic, or the usual figure of a KPI, is known from nowhere.
    """
    return World(
        traffic=traffic or _traffic(plan),
        measures=tuple(_measure(guard, dict(rates or {}), traffic) for guard in plan.guards),
        users=users or (plan.traffic.users if plan.traffic else None),
    )


def _traffic(plan: Plan) -> Traffic:
    known = plan.traffic
    if known is None:
        raise InputError(
            "how many requests there are is not known: the plan says nothing of its traffic",
            hint="give --traffic 50/s, or state architecture.requests_per_second and plan anew",
        )
    return Steady(known.per_second, known.by_hour, zone_named(known.timezone or "UTC"))


def _measure(guard: Guard, rates: dict[str, float], traffic: Traffic | None) -> Measure:
    kind = KINDS[guard.kind]
    rate = rates.get(guard.kpi, guard.expected)
    is_recorded = isinstance(traffic, Recorded) and guard.kpi in traffic.rates
    if kind in ("rate", "mean") and not rate and not is_recorded:
        raise InputError(
            f"the usual figure of {guard.kpi} is not known",
            hint=f"give --base {guard.kpi}=0.01, or state `expected` for it in the release and plan anew",
        )
    bound = guard.bound or 1.0
    return Measure(
        guard.kpi,
        kind,
        rate=min(1.0, (rate or 0.0) / bound if kind == "mean" else (rate or 0.0)),
        is_good=guard.direction == "less_is_worse",
        bounds=bounds_of(guard) if kind == "latency" else (),
        law=usual_law(bounds_of(guard)) if kind == "latency" else (),
        bound=bound,
        has_past=guard.baseline == "history",
    )


# --- the stories ------------------------------------------------------------------------------------


def compared_stages(plan: Plan) -> tuple[Stage, ...]:
    """The stages in which both versions serve users."""
    return tuple(s for s in plan.stages if s.exposure.mode == "live" and 0 < s.exposure.share < 1)


def compared_guards(plan: Plan) -> tuple[Guard, ...]:
    """The guards that may take a release back because the versions differ."""
    return tuple(
        guard
        for guard in plan.guards
        if guard.kind in COMPARED and guard.say != "watch" and guard.baseline == "concurrent"
        if any(guard.counts_in(stage.id) for stage in compared_stages(plan))
    )


def stories(plan: Plan, world: World, people: People = USUAL_PEOPLE) -> tuple[Scenario, ...]:
    """What every plan is rehearsed on: all well, faults, and troubles around the release."""
    found = [Scenario("healthy", "the new version is as good as the old one", world, people=people)]
    stages, guards = compared_stages(plan), compared_guards(plan)
    if stages and guards:
        found += _faults(plan, world, people, stages, guards)
    live = [stage for stage in plan.stages if stage.exposure.mode == "live" and stage.exposure.share > 0]
    if live and plan.guards and not (stages and guards):
        found.append(_unseen_fault(plan, world, people, live[0]))
    if live and plan.guards:
        found += _sources(plan, world, people, (stages or tuple(live)))
    if live:
        found += _targets(world, people, live)
    if plan.guards:
        found += _circumstances(plan, world, people)
    return tuple(found)


def _faults(
    plan: Plan, world: World, people: People, stages: tuple[Stage, ...], guards: tuple[Guard, ...]
) -> Iterator[Scenario]:
    first, middle = stages[0], stages[len(stages) // 2]
    names = listing(guard.kpi for guard in guards)
    yield Scenario(
        "everything fails",
        f"{names} {times(BIG)} from {first.title} on",
        world,
        fault=Fault(BIG, first.id, tuple(guard.kpi for guard in guards)),
        people=people,
        expected="back",
        is_a_warning=not first.reversible,
    )
    for guard in (guard for guard in guards if guard.say == "gate"):
        ratio = max(stage.margins.get(guard.kpi, 0.0) for stage in stages)
        tight = min((s.margins[guard.kpi] for s in stages if guard.kpi in s.margins), default=ratio)
        if tight > 1:
            least = _shows(world, guard, tight)
            yield Scenario(
                f"{guard.kpi} at the margin",
                f"{guard.kpi} {times(least)} from {first.title} on: the least that has to be ruled out",
                world,
                fault=Fault(least, first.id, (guard.kpi,)),
                people=people,
                expected="not_passed",
            )
    late = middle.bake_seconds / 2
    watching = next((guard.kpi for guard in guards if guard.counts_in(middle.id)), "")
    if not watching:
        return
    yield Scenario(
        "a late fault",
        f"{watching} {times(DELAYED)}, {about(max(late, 1))} into {middle.title}",
        world,
        fault=Fault(DELAYED, middle.id, (watching,), late),
        people=people,
        expected="not_passed",
    )


def _shows(world: World, guard: Guard, ratio: float) -> float:
    """How bad a KPI is where the judge sees this ratio. Of a latency it sees the bound nearest to the p99."""
    if guard.kind != "latency":
        return ratio
    law = next(one.law for one in world.measures if one.kpi == guard.kpi)
    known = np.array(law) * WELL_KNOWN
    cuts = choose_cuts(known)
    return ratio_beyond(law, cuts[safe_rows(known, cuts)[-1]], ratio)


def _unseen_fault(plan: Plan, world: World, people: People, stage: Stage) -> Scenario:
    """Where nothing is compared, only limits watch; what they miss is told, for the plan never said more."""
    return Scenario(
        "everything fails",
        f"every KPI {times(BIG)} from {stage.title} on; here nothing is compared",
        world,
        fault=Fault(BIG, stage.id),
        people=people,
        expected="back",
        is_a_warning=True,
    )


def _sources(plan: Plan, world: World, people: People, stages: tuple[Stage, ...]) -> Iterator[Scenario]:
    stage, policy = stages[len(stages) // 2], plan.policy
    short, long = policy.blind_seconds / 8, 3 * policy.blind_seconds
    after = stage.bake_seconds / 2
    yield Scenario(
        "numbers gone for a moment",
        f"no KPI can be read for {about(short)} in {stage.title}",
        world,
        troubles=(Trouble("source_down", stage.id, after, short),),
        people=people,
        expected="done",
    )
    has_gate = any(guard.say == "gate" and guard.counts_in(stage.id) for guard in plan.guards)
    is_back = policy.on_blind == "rollback" and stage.reversible and has_gate
    yield Scenario(
        "numbers gone for long",
        f"no KPI can be read for {about(long)} in {stage.title}",
        world,
        troubles=(Trouble("source_down", stage.id, after, long),),
        people=people,
        expected="blind_back" if is_back else "any",
    )


def _targets(world: World, people: People, live: list[Stage]) -> Iterator[Scenario]:
    first = live[0]
    yield Scenario(
        "target refuses",
        f"the target does not do as it is told for 5 minutes at {first.title}",
        world,
        troubles=(Trouble("target_refuses", first.id, 0.0, 300.0),),
        people=people,
    )
    yield Scenario(
        "target slow",
        f"the target takes 2 minutes to do as it is told at {first.title}",
        world,
        troubles=(Trouble("target_slow", first.id, 0.0, 120.0),),
        people=people,
    )
    yield Scenario(
        "target lies",
        "the target says that it serves what it was told, and changes nothing",
        world,
        troubles=(Trouble("target_lies", first.id, 0.0, 1e9),),
        people=people,
        expected="not_passed",
        is_a_warning=not any(stage.advance == "evidence" for stage in live),
    )


def _circumstances(plan: Plan, world: World, people: People) -> Iterator[Scenario]:
    yield Scenario(
        "half the traffic",
        "half as many requests as the plan assumes, and all well",
        replace(world, traffic=Part(world.traffic, 0.5)),
        people=people,
        is_a_warning=True,
    )
    has_learned = all(guard.dispersion for guard in plan.guards if guard.kind in COMPARED)
    yield Scenario(
        "versions that differ by chance",
        f"all well, but two healthy versions differ by {NOISE.spread:.0%} for five minutes at a time",
        replace(world, noise=NOISE),
        people=people,
        is_a_warning=not has_learned,
    )


class Part:
    """A part of some traffic."""

    __slots__ = ("part", "traffic")

    def __init__(self, traffic: Traffic, part: float) -> None:
        self.traffic, self.part = traffic, part

    def expected(self, start: float, end: float) -> float:
        return self.part * self.traffic.expected(start, end)

    def rate(self, kpi: str, start: float, end: float) -> float | None:
        return self.traffic.rate(kpi, start, end)
