"""What a plan promises comes true: beside courses that are drawn and judged tick by tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.ticks import run
from rollway.choice import choose
from rollway.facts.model import Release
from rollway.planning import Plan, PlanPromise, Promise, foresight, make_plan
from rollway.planning.promises import FAULT_RATIOS, with_promises

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
POINTS = 0.03
"""How far a promised chance may be from the one that comes true."""
RUNS = 600
LUCK = 0.04
"""Two standard errors of a chance near one half from so many runs."""
USUAL_ROWS = foresight.ROWS
FEWER_ROWS = 1000


@pytest.fixture(scope="module", autouse=True)
def many_courses(few_courses: None) -> Iterator[None]:
    """Enough courses for chances to be told; three times as many are what every plan is computed from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "ROWS", FEWER_ROWS)
        yield


def one_gate(rate: float, **more: object) -> list[dict[str, Any]]:
    return [{"name": "errors", "kind": "rate", "expected": rate, "signal": {"type": "scrape"}, **more}]


def promise_of(plan: Plan, stage: str, ratio: float) -> Promise:
    return next(one for one in plan.promises if (one.stage, one.ratio) == (stage, ratio))


@pytest.mark.parametrize(
    ("per_second", "rate", "fault_in", "stage", "ratio"),
    [
        (200.0, 0.01, 0, "1-percent", 2.0),
        (200.0, 0.01, 0, "1-percent", 1.5),
        (5.0, 0.01, 1, "10-percent", 2.0),
        (5.0, 0.01, 2, "50-percent", 1.5),
    ],
)
def test_a_stage_finds_as_many_faults_as_it_promises(
    release_of: MakeRelease,
    plan_of: MakePlan,
    per_second: float,
    rate: float,
    fault_in: int,
    stage: str,
    ratio: float,
) -> None:
    """Chance, patience, time and requests served, where the fault begins with the stage."""
    facts = {"architecture": {"requests_per_second": per_second}, "rollout": {"check_every": "30s"}}
    plan = plan_of(release_of(kpis=one_gate(rate), **facts), "canary")
    told = promise_of(plan, stage, ratio)
    assert told.probability is not None
    assert told.asked is not None
    assert told.served is not None
    real = run(
        plan, per_second=per_second, ratio=ratio, fault_in=fault_in, only_there=True, runs=RUNS, seed=5
    )
    met_it = (real.found == fault_in) | (real.found == -1)
    assert told.probability == pytest.approx(np.mean(real.found[met_it] == fault_in), abs=POINTS + LUCK)
    assert told.asked == pytest.approx(np.mean(real.asked[met_it] == fault_in), abs=POINTS + LUCK)
    assert told.served == pytest.approx(np.mean(real.served[met_it]), rel=0.1)


@pytest.mark.parametrize(("per_second", "ratio"), [(200.0, 2.0), (5.0, 1.5)])
def test_the_whole_plan_keeps_its_promise(
    release_of: MakeRelease, plan_of: MakePlan, per_second: float, ratio: float
) -> None:
    """A fault from the start: found before everyone has it, in how long, after how many requests."""
    facts = {"architecture": {"requests_per_second": per_second}, "rollout": {"check_every": "30s"}}
    plan = plan_of(release_of(kpis=one_gate(0.01), **facts), "canary")
    told = next(one for one in plan.plan_promises if one.ratio == ratio)
    real = run(plan, per_second=per_second, ratio=ratio, fault_in=0, only_there=False, runs=RUNS, seed=3)
    assert told.probability == pytest.approx(np.mean(real.found >= 0), abs=POINTS + LUCK)
    assert told.rollback_seconds == pytest.approx(np.mean(real.seconds[real.found >= 0]), rel=0.1)
    assert told.served == pytest.approx(np.mean(real.served), rel=0.12)


def test_the_expected_time_is_that_of_a_healthy_release(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Where evidence takes longer than the bake, the stage lasts as long as it really does."""
    facts = {"architecture": {"requests_per_second": 5}, "rollout": {"check_every": "30s"}}
    plan = plan_of(release_of(kpis=one_gate(0.01), **facts), "canary")
    stages = [stage for stage in plan.stages if 0 < stage.exposure.share < 1]
    assert stages[0].expected_seconds is not None
    assert stages[0].expected_seconds > stages[0].bake_seconds
    real = run(plan, per_second=5, ratio=1.0, fault_in=99, only_there=False, runs=RUNS, seed=4)
    lasted = sum(stage.expected_seconds or 0.0 for stage in stages)
    assert lasted == pytest.approx(np.mean(real.seconds[real.found == -1]), rel=0.05)


def test_users_who_meet_it_are_never_more_than_were_exposed(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Few users with many requests each: no more of them than the stage's share; without their number each
    request counts for one."""
    known = plan_of(release_of(stakeholders={"users": 400}), "canary")
    unknown = plan_of(release_of(), "canary")
    slow = promise_of(known, "10-percent", 1.5)
    assert slow.exposed == pytest.approx(40, abs=0.5)
    assert slow.exposed_share == pytest.approx(0.1, abs=0.001)
    assert slow.served is not None
    assert slow.served > 1000
    same = promise_of(unknown, "10-percent", 1.5)
    assert (same.exposed, same.exposed_share) == (same.served, None)


def test_a_quiet_night_makes_stages_longer(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The same requests a day, but entered at night: it takes longer to be sure, and the plan says when."""
    hours = [1.0] * 6 + [9.0] * 18
    windows = [{"opens": "00:00", "closes": "06:00"}]
    even = release_of(architecture={"requests_per_second": 7})
    night = release_of(
        architecture={"requests_by_hour": hours, "requests_per_second": 7}, agreements={"windows": windows}
    )
    plain, slow = plan_of(even, "canary"), plan_of(night, "canary")
    assert plain.traffic is not None
    assert slow.traffic is not None
    assert slow.traffic.per_second == pytest.approx(plain.traffic.per_second)
    assert slow.traffic.entered_at == 0.0
    first = [next(s for s in plan.stages if 0 < s.exposure.share < 1) for plan in (plain, slow)]
    assert (first[1].expected_seconds or 0) > 2 * (first[0].expected_seconds or 0)
    assert any("00:00 UTC" in note for note in slow.notes)


def test_an_old_plan_says_nothing_of_what_it_does_not_promise(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Without traffic there is no chance and no time, and none of the new fields is in the content."""
    plan = plan_of(release_of(architecture={"requests_per_second": "unknown"}), "canary")
    body = plan.to_json()
    assert plan.promises
    assert set(body["promises"][0]) == {"stage", "kpi", "ratio", "requests", "seconds"}
    assert not {"plan_promises", "traffic"} & set(body)
    assert not any("expected_seconds" in stage for stage in body["stages"])
    assert not {"aspect", "baseline", "on_harm", "on_blind", "on_undecided", "bound"} & set(body["guards"][0])


def test_promises_can_be_computed_again_without_the_release(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A plan knows what traffic it was computed for: computed again, it is the same plan."""
    plan = plan_of(release_of(stakeholders={"users": 5000}), "canary")
    assert with_promises(plan).hash == plan.hash
    wider = plan.model_copy(update={"guards": (plan.guards[0].model_copy(update={"tolerance": 1.6}),)})
    assert not [one for one in with_promises(wider).promises if one.ratio == 1.5]


def gate(rate: float, kind: str, weight: float, direction: str) -> dict[str, Any]:
    direction = direction if kind == "rate" else "more_is_worse"
    return {"kind": kind, "expected": rate, "weight": weight, "direction": direction, "signal": {"type": "x"}}


gates = st.lists(
    st.builds(
        gate,
        st.sampled_from([0.0005, 0.01, 0.2]),
        st.sampled_from(["rate", "rate", "latency"]),
        st.sampled_from([0.2, 1.0]),
        st.sampled_from(["more_is_worse", "more_is_worse", "less_is_worse"]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(gates, st.sampled_from([0.02, 5.0, 300.0, 1e5]), st.sampled_from([None, 50, 100_000]))
def test_larger_faults_are_found_more_often_and_planning_is_quick(
    kpis: list[dict[str, Any]], per_second: float, users: int | None
) -> None:
    """Chances lie in 0..1, rise with the fault's size, and a plan takes less than two seconds of work."""
    release = Release.model_validate(
        {
            "release": {"name": "r", "version": "1"},
            "kpis": [{**one, "name": f"kpi-{number}"} for number, one in enumerate(kpis)],
            "architecture": {"requests_per_second": per_second},
            "stakeholders": {"users": users} if users else {},
        }
    )
    choice = choose(release)
    open_ranking = tuple(replace(ranked, vetoes=()) for ranked in choice.ranking)
    choice = replace(choice, chosen="canary", sequence=("canary",), ranking=open_ranking)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "ROWS", USUAL_ROWS)
        began = process_time()
        plan = make_plan(release, choice)
    assert process_time() - began < 2
    told: list[Promise | PlanPromise] = [*plan.promises, *plan.plan_promises]
    assert {one.ratio for one in told} <= set(FAULT_RATIOS)
    for kpi in {one.kpi for one in told}:
        for stage in {*(one.stage for one in plan.promises), None}:
            found = [
                one.probability
                for one in told
                if one.kpi == kpi and getattr(one, "stage", None) == stage and one.probability is not None
            ]
            assert all(0 <= chance <= 1 for chance in found)
            assert all(later >= sooner - LUCK for sooner, later in pairwise(found))
