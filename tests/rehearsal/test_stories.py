"""What a plan does in good and bad worlds, rehearsed with seeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollway.facts.model import Freeze, Window
from rollway.planning import Plan, Policy
from rollway.rehearsal import (
    Fault,
    Noise,
    People,
    Result,
    Scenario,
    Steady,
    Trouble,
    World,
    rehearse,
    world_of,
)
from rollway.rehearsal.findings import judge_result
from rollway.rehearsal.many import standard_error
from tests.rehearsal.conftest import MONDAY, STAGES, guard, plan_of, stage


def told(plan: Plan, world: World, runs: int = 10, *, start: datetime = MONDAY, **more: object) -> Result:
    return rehearse(plan, Scenario("story", "", world, **more), runs=runs, seed=3, start=start)  # type: ignore[arg-type]


def test_a_healthy_release_is_taken_back_no_more_often_than_alpha_allows(world: World) -> None:
    """With alpha at 10% of 80 healthy releases no more are taken back than chance explains."""
    plan = plan_of(policy=Policy(alpha=0.1))
    result = told(plan, world, 80)
    alarms = result.part("evidence", "hard stop")
    assert alarms <= 0.1 + 3 * standard_error(0.1, 80)
    assert result.part("done") >= 0.7


def test_a_large_fault_is_found_before_everyone_has_it(plan: Plan, world: World) -> None:
    """Ten times as many errors are found in the first stage, within a few looks."""
    result = told(plan, world, fault=Fault(10.0, "ten"))
    assert result.part("evidence") == 1
    assert {outcome.stage for outcome in result.outcomes} == {"ten"}
    assert all(o.largest == pytest.approx(0.1) and o.left == 0 for o in result.outcomes)
    assert all(o.back is not None and o.back < 60 and 0 < o.met <= o.exposed for o in result.outcomes)


def test_a_fault_that_begins_later_is_found_later(plan: Plan, world: World) -> None:
    """Nothing is found, and nobody meets it, before it begins."""
    result = told(plan, world, fault=Fault(5.0, "half", after_seconds=200.0))
    assert {outcome.stage for outcome in result.outcomes} == {"half"}
    assert all(o.found is not None and 0 <= o.found < 100 for o in result.outcomes)
    assert all(o.met < o.exposed for o in result.outcomes)


def test_a_source_that_stays_down_holds_and_then_goes_back(plan: Plan, world: World) -> None:
    """By policy, two minutes after the judge has called itself blind."""
    result = told(plan, world, troubles=(Trouble("source_down", "half", 100.0, 1e5),))
    assert result.part("blind") == 1
    assert all(outcome.left == 0 for outcome in result.outcomes)


def test_where_the_policy_says_hold_a_source_that_comes_back_lets_it_go_on(world: World) -> None:
    """It waits for the numbers, and then reaches everyone."""
    plan = plan_of(policy=Policy(on_blind="hold"))
    result = told(plan, world, 4, troubles=(Trouble("source_down", "half", 100.0, 900.0),))
    assert result.part("done") == 1
    assert all(o.waits["half", "numbers"] > 500 for o in result.outcomes)


def test_a_target_that_lies_is_noticed(plan: Plan, world: World) -> None:
    """It says that it serves the new version, but no request of it is ever seen: nothing is promoted."""
    result = told(plan, world, troubles=(Trouble("target_lies", "ten", 0.0, 1e9),))
    assert result.part("done") == 0
    assert all(outcome.largest == 0 for outcome in result.outcomes)


def test_a_target_that_lies_about_going_back_leaves_users(plan: Plan, world: World) -> None:
    """Then read-back proves nothing, and the rehearsal says that users are left on the bad version."""
    lie = Trouble("target_lies", "half", 1.0, 1e9)
    scenario = Scenario("lie", "", world, fault=Fault(10.0, "half"), troubles=(lie,), expected="back")
    result = rehearse(plan, scenario, runs=3, seed=1, start=MONDAY)
    assert all(outcome.left == pytest.approx(0.5) for outcome in result.outcomes)
    (finding,) = judge_result(plan, result)
    assert finding.level == "missed"
    assert "users are left" in finding.text


def test_a_slow_target_and_one_that_refuses_are_waited_for(plan: Plan, world: World) -> None:
    """The stage counts from when it is served, so that nothing is skipped."""
    for trouble in (Trouble("target_slow", "half", 0.0, 90.0), Trouble("target_refuses", "half", 0.0, 90.0)):
        result = told(plan, world, 2, troubles=(trouble,))
        assert result.part("done") == 1
        assert all(90 <= o.waits["half", "the target"] < 100 for o in result.outcomes)


def test_past_the_point_of_no_return_it_holds(world: World) -> None:
    """A fault is found and nobody is put back: people roll forward."""
    stages = (STAGES[0], STAGES[1], stage("half", 0.5, "evidence", margins={"errors": 2.0}, reversible=False))
    result = told(plan_of(stages), world, 4, fault=Fault(10.0, "half"))
    assert result.part("held") == 1
    assert all(outcome.left == pytest.approx(0.5) for outcome in result.outcomes)


def test_a_window_holds_the_start_on_the_clocks_of_its_zone(world: World, nights: Window) -> None:
    """Started at noon in Berlin's winter it enters at 20:00 there, in summer too."""
    plan = plan_of((stage("ten", 0.1, "evidence", margins={"errors": 3.0}),), windows=(nights,))
    for start, hours in ((MONDAY, 7.0), (datetime(2026, 7, 6, 12, tzinfo=UTC), 6.0)):
        (outcome,) = told(plan, world, 1, start=start).outcomes
        assert outcome.started == pytest.approx(hours * 3600, abs=1)
        assert outcome.waits["ten", "a change window"] == pytest.approx(hours * 3600, abs=1)


def test_a_freeze_holds_every_stage_that_asks_for_a_window(world: World) -> None:
    """A rollout that is under way when a freeze begins waits where it is, until it is over."""
    freeze = Freeze(first="2026-01-06", last="2026-01-07", timezone="UTC", reason="closing")
    start = datetime(2026, 1, 5, 23, 57, tzinfo=UTC)
    (outcome,) = told(plan_of(freezes=(freeze,)), world, 1, start=start).outcomes
    assert outcome.ending == "done"
    assert outcome.waits["ten", "a change window"] == pytest.approx(2 * 86_400, abs=200)


def test_people_are_waited_for_as_long_as_they_take(world: World) -> None:
    """A stage that a person ends is left that long after its bake time."""
    stages = (STAGES[0], stage("ten", 0.1, "person"), STAGES[3])
    (outcome,) = told(plan_of(stages), world, 1, people=People(go_seconds=1200.0)).outcomes
    assert outcome.ending == "done"
    assert outcome.waits["ten", "a person"] == pytest.approx(1200, abs=15)


def test_without_traffic_to_decide_a_person_is_asked_and_takes_it_back() -> None:
    """At a request in two seconds nothing can be shown within ten minutes."""
    impatient = stage("ten", 0.1, "evidence", margins={"errors": 3.0}, patience_seconds=600.0)
    plan = plan_of((STAGES[0], impatient, *STAGES[2:]))
    result = told(plan, world_of(plan, traffic=Steady(0.5)), 2)
    assert result.part("person") == 1
    assert [finding.level for finding in judge_result(plan, result)] == ["warning"]


def test_noise_that_was_not_learned_takes_healthy_releases_back(plan: Plan, world: World) -> None:
    """Versions that differ by chance alone break the promise, and the rehearsal says so."""
    noisy = replace(world, noise=Noise(spread=0.8, block_seconds=600.0))
    result = told(plan, noisy, 20)
    assert result.part("evidence") > 0.2
    assert next(judge_result(plan, result)).level == "missed"


def test_the_same_seed_gives_the_same_outcomes(plan: Plan, world: World) -> None:
    """And another seed others; each run's numbers are its own."""
    scenario = Scenario("fault", "", world, fault=Fault(2.0, "ten"))
    one, again = (rehearse(plan, scenario, runs=3, seed=4) for _ in range(2))
    assert one.outcomes == again.outcomes
    assert rehearse(plan, scenario, runs=1, seed=4).outcomes == one.outcomes[:1]
    assert rehearse(plan, scenario, runs=3, seed=5).outcomes != one.outcomes


def test_a_watch_neither_stops_nor_promotes(world: World) -> None:
    """A fault in a KPI that is only watched reaches everyone."""
    guards = (guard(), guard(kpi="clicks", say="watch"))
    plan = plan_of(guards=guards)
    result = told(plan, world_of(plan, traffic=Steady(200.0)), 3, fault=Fault(10.0, "ten", ("clicks",)))
    assert result.part("done") == 1
