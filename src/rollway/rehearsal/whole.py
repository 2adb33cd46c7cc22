"""A plan's whole rehearsal: its stories, and its promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from rollway.planning import Plan
from rollway.planning.windows import zone_named
from rollway.rehearsal.findings import Rehearsal
from rollway.rehearsal.many import Branches, Result, rehearse
from rollway.rehearsal.promises import Kept, open_calendar, rehearse_plan_promise, rehearse_promise
from rollway.rehearsal.scenario import Scenario
from rollway.rehearsal.suite import stories, world_of
from rollway.rehearsal.world import World

MONDAY = date(2026, 1, 5)
STORY_PART, PROMISE_PART = 10, 2
FEWEST_RUNS = 20
"""Troubles and sure faults end nearly always alike: they are run a tenth as often, and at least so often."""
CHECK_RUNS, CHECK_SEED = 30, 1
CHECK_RATIO = 5.0
"""In a short rehearsal only larger faults are tried: they are soon found, and a wrong promise shows there."""
HEALTHY = "healthy"


def rehearse_plan(
    plan: Plan,
    scenarios: Sequence[Scenario],
    *,
    runs: int,
    seed: int = 0,
    start: datetime | None = None,
    with_promises: bool = True,
    told: Callable[[str], None] | None = None,
) -> Rehearsal:
    """Every scenario and every promise. `runs` is how often the healthy release is run, each promise half
    as often, the other scenarios a tenth as often (but FEWEST_RUNS). `told` hears what is being rehearsed."""
    say = told or (lambda text: None)
    results: list[Result] = []
    for scenario in scenarios:
        say(f"rehearsing: {scenario.name}")
        count = runs if scenario.name == HEALTHY else min(runs, max(FEWEST_RUNS, runs // STORY_PART))
        results.append(rehearse(plan, scenario, runs=count, seed=seed, start=start))
    kept: list[Kept] = []
    if with_promises and plan.promises and scenarios:
        kept = _promises(plan, scenarios[0], runs=max(1, runs // PROMISE_PART), seed=seed, say=say)
    return Rehearsal(plan, seed, tuple(results), tuple(kept))


def _promises(
    plan: Plan, scenario: Scenario, *, runs: int, seed: int, say: Callable[[str], None]
) -> list[Kept]:
    """Promises are made for an open calendar, and for the hour that the plan names."""
    say("rehearsing: promises")
    healthy = Scenario("before a promise", "all well", scenario.world, people=scenario.people)
    branches = Branches()
    rehearse(
        open_calendar(plan),
        replace(healthy, people=replace(scenario.people, go_seconds=0.0)),
        runs=min(runs, 100),
        seed=seed,
        start=_entered(plan),
        branches=branches,
    )
    kept = []
    for number, promise in enumerate(plan.promises, 1):
        say(f"rehearsing: promise {number} of {len(plan.promises)}")
        kept.append(rehearse_promise(plan, promise, scenario.world, branches, runs=runs, seed=seed))
    for whole in plan.plan_promises:
        say(f"rehearsing: the whole plan with {whole.kpi} {whole.ratio:g}")
        kept.append(rehearse_plan_promise(plan, whole, scenario.world, branches, runs=runs, seed=seed))
    return kept


def _entered(plan: Plan) -> datetime:
    """The moment for which the plan's figures by hour were read."""
    known = plan.traffic
    zone = zone_named((known.timezone if known else "") or "UTC")
    return datetime.combine(MONDAY, time(), zone) + timedelta(seconds=known.entered_at if known else 0.0)


def check(plan: Plan, *, world: World | None = None, told: Callable[[str], None] | None = None) -> Rehearsal:
    """A short rehearsal, in a few seconds: the healthy release, the faults, and every promise, coarsely.

    Raises InputError where the plan does not say what its traffic is.
    """
    chosen = [
        scenario
        for scenario in stories(plan, world or world_of(plan))
        if scenario.expected in ("back", "not_passed") or scenario.name == HEALTHY
    ]
    large = tuple(promise for promise in plan.promises if promise.ratio >= CHECK_RATIO)
    whole = tuple(promise for promise in plan.plan_promises if promise.ratio >= CHECK_RATIO)
    shorter = plan.model_copy(update={"promises": large, "plan_promises": whole})
    return rehearse_plan(shorter, chosen, runs=CHECK_RUNS, seed=CHECK_SEED, told=told)
