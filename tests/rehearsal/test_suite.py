"""Every plan has its stories, and is rehearsed as it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollway.errors import InputError
from rollway.planning import Plan, Policy, Promise
from rollway.planning.model import Traffic
from rollway.rehearsal import Fault, Scenario, Steady, check, rehearse, stories, world_of
from rollway.rehearsal.report import conclusion, promise_rows
from tests.rehearsal.conftest import MONDAY, STAGES, guard, plan_of, stage

TRAFFIC = Traffic(per_second=200.0, users=5000)
NARROW = tuple(round(0.02 * 1.15**step, 4) for step in range(40))


def test_a_plan_that_says_its_traffic_can_be_rehearsed_alone() -> None:
    """Its own figures make the world."""
    world = world_of(plan_of(traffic=TRAFFIC))
    assert world.traffic.expected(0.0, 10.0) == 2000
    assert world.users == 5000
    assert [measure.rate for measure in world.measures] == [0.02]


def test_what_is_not_known_is_asked_for() -> None:
    """Traffic, or the usual rate of a KPI, with the option that gives it."""
    with pytest.raises(InputError, match="traffic") as caught:
        world_of(plan_of())
    assert "--traffic" in caught.value.hint
    with pytest.raises(InputError, match="errors") as caught:
        world_of(plan_of(guards=(guard(expected=None),), traffic=TRAFFIC))
    assert "--base errors" in caught.value.hint
    given = world_of(plan_of(guards=(guard(expected=None),)), traffic=Steady(1.0), rates={"errors": 0.3})
    assert given.measures[0].rate == 0.3


def test_each_plan_has_the_stories_that_it_can_have() -> None:
    """Where nothing is compared no fault can be found by comparing, and that is told, not failed."""
    usual = stories(plan_of(), world_of(plan_of(traffic=TRAFFIC)))
    names = [story.name for story in usual]
    assert names[:2] == ["healthy", "everything fails"]
    assert {"errors at the margin", "a late fault", "numbers gone for long", "target lies"} <= set(names)
    at_once = plan_of((stage("all", 1.0, "time"),), traffic=TRAFFIC)
    (fails,) = [s for s in stories(at_once, world_of(at_once)) if s.name == "everything fails"]
    assert fails.is_a_warning
    unguarded = plan_of((stage("all", 1.0, "time"),), guards=(), traffic=TRAFFIC)
    assert [s.name for s in stories(unguarded, world_of(unguarded)) if s.fault] == []


def test_a_guard_finds_nothing_in_rehearsal_where_it_does_not_count() -> None:
    """A fault in a stage in which nothing counts is found in the next; a healthy release is not kept waiting
    for numbers, and the stories are of guards that count."""
    stages = (STAGES[0], STAGES[1], stage("half", 0.5, "time"), stage("most", 0.9, "evidence"), STAGES[3])
    counted = guard(stages=("baseline", "ten", "most"))
    plan = plan_of(stages, (counted,), traffic=TRAFFIC)
    world = world_of(plan)
    well = rehearse(plan, Scenario("well", "", world), runs=10, seed=1, start=MONDAY)
    assert well.part("done") == 1
    late = Scenario("late", "", world, fault=Fault(5.0, "half", ("errors",)))
    found = rehearse(plan, late, runs=10, seed=1, start=MONDAY)
    assert found.part("evidence") == 1
    assert {one.stage for one in found.outcomes} == {"most"}
    assert all(one.found is not None and one.found >= 300 for one in found.outcomes)
    assert "a late fault" not in [story.name for story in stories(plan, world)]


def test_a_latency_at_its_margin_is_one_that_its_buckets_show() -> None:
    """With wide buckets the judge sees a doubling in the tail as less than one and lets it pass, so a larger
    fault stands for the margin, and that passes no stage; with narrow ones a doubling is a doubling."""
    slow = guard(kpi="latency", kind="latency", expected=None, tolerance=1.5)
    hurried = {"margins": {"latency": 2.0}, "bake_seconds": 20.0}
    stages = tuple(one.model_copy(update=hurried if one.margins else {}) for one in STAGES)
    wide = plan_of(stages, (slow,), traffic=Traffic(per_second=1500.0), policy=Policy(tick_seconds=1.0))
    story, fault = at_the_margin(wide)
    assert fault.ratio > 3
    assert rehearse(wide, story, runs=20, seed=3, start=MONDAY).part("done") <= 0.2
    doubled = replace(story, fault=replace(fault, ratio=2.0))
    assert rehearse(wide, doubled, runs=20, seed=3, start=MONDAY).part("done") >= 0.8
    narrow = plan_of(stages, (slow.model_copy(update={"buckets": NARROW}),), traffic=wide.traffic)
    assert at_the_margin(narrow)[1].ratio == pytest.approx(2.0, abs=0.4)


def at_the_margin(plan: Plan) -> tuple[Scenario, Fault]:
    """The story of the latency's margin, and its fault."""
    (story,) = [one for one in stories(plan, world_of(plan)) if one.name == "latency at the margin"]
    assert story.fault is not None
    return story, story.fault


def test_a_sound_plan_passes_a_short_rehearsal_and_a_wrong_promise_does_not() -> None:
    """The same plan with one number edited; what is told names the promise."""
    right = Promise(stage="ten", kpi="errors", ratio=10.0, requests=100, seconds=5.0, probability=1.0)
    sound = check(plan_of(traffic=TRAFFIC, promises=(right,)))
    assert sound.is_kept
    assert conclusion(sound)[0] == "ok"
    wrong = right.model_copy(update={"exposed": 3.0})
    found = check(plan_of(traffic=TRAFFIC, promises=(wrong,)))
    assert not found.is_kept
    assert "errors ×10 in ten" in conclusion(found)[1]
    assert promise_rows(found.promises[0])[-1] == "MISSED"
