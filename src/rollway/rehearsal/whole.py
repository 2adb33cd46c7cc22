"""A plan's whole rehearsal: its stories, and its promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from rollway.planning import Plan
from rollway.planning.windows import zone_named
from rollway.rehearsal.findings import Rehearsal
from rollway.rehearsal.many import Branches, Result, rehearse
from rollway.rehearsal.promises import (
    Kept,
    first_live,
    open_calendar,
    rehearse_plan_promise,
    rehearse_promise,
)
from rollway.rehearsal.scenario import Scenario
from rollway.rehearsal.suite import stories, world_of
from rollway.rehearsal.world import World

MONDAY = date(2026, 1, 5)
STORY_PART, PROMISE_PART = 10, 2
FEWEST_RUNS = 20
"""Troubles and sure faults end nearly always alike: they are run a tenth as often, and at least so often.
So often is run what nothing is promised of."""
MOST_STARTS = 1000
"""Runs of promises begin from so many healthy ones at most, one after the other."""
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
        kept = rehearse_promises(plan, scenarios[0], runs=max(1, runs // PROMISE_PART), seed=seed, told=told)
    return Rehearsal(plan, seed, tuple(results), tuple(kept))


def rehearse_promises(
    plan: Plan,
    scenario: Scenario,
    *,
    runs: int,
    seed: int = 0,
    told: Callable[[str], None] | None = None,
) -> list[Kept]:
    """Every promise, `runs` times, in the scenario's world and with its people. Promises are made for an open
    calendar, and for the hour that the plan names."""
    say = told or (lambda text: None)
    say("rehearsing: promises")
    healthy = Scenario("before a promise", "all well", scenario.world, people=scenario.people)
    branches = Branches(most=MOST_STARTS)
    rehearse(
        open_calendar(plan),
        replace(healthy, people=replace(scenario.people, go_seconds=0.0)),
        runs=min(runs, MOST_STARTS),
        seed=seed,
        start=_entered(plan),
        branches=branches,
    )
    whole = {(each.kpi, each.ratio): each for each in plan.plan_promises}
    of_stages, of_plan = [], {}
    for number, promise in enumerate(plan.promises, 1):
        say(f"rehearsing: promise {number} of {len(plan.promises)}")
        both = whole.get((promise.kpi, promise.ratio)) if promise.stage == first_live(plan) else None
        found: Kept | None
        if both is None:
            count = runs if promise.probability is not None else min(runs, FEWEST_RUNS)
            found = rehearse_promise(plan, promise, scenario.world, branches, runs=count, seed=seed)
        else:
            of_plan[promise.kpi, promise.ratio], found = rehearse_plan_promise(
                plan, both, scenario.world, branches, runs=runs, seed=seed, beside=promise
            )
        of_stages += [] if found is None else [found]
    for key, left in whole.items():
        if key not in of_plan:
            of_plan[key], _ = rehearse_plan_promise(
                plan, left, scenario.world, branches, runs=runs, seed=seed
            )
    return [*of_stages, *(of_plan[key] for key in whole)]


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
