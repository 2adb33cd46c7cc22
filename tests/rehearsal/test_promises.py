"""A promise is rehearsed from where its stage begins, and a wrong one is noticed."""

from __future__ import annotations

from typing import Any

import pytest

from rollway.planning import Plan, Policy, Promise, foresight
from rollway.planning.model import Dispersion, Traffic
from rollway.planning.promises import with_promises
from rollway.rehearsal import Kept, Scenario, World, rehearse, world_of
from rollway.rehearsal.findings import judge_promise
from rollway.rehearsal.many import Branches, standard_error
from rollway.rehearsal.promises import rehearse_promise
from rollway.rehearsal.whole import rehearse_promises
from tests.rehearsal.conftest import MONDAY, STAGES, guard, plan_of


@pytest.fixture
def branches(plan: Plan, world: World) -> Branches:
    found = Branches()
    rehearse(plan, Scenario("healthy", "", world), runs=8, start=MONDAY, branches=found)
    return found


def kept(plan: Plan, world: World, branches: Branches, ratio: float, **figures: float) -> Kept:
    promise = Promise(stage="half", kpi="errors", ratio=ratio, requests=1000, seconds=10.0, **figures)
    return rehearse_promise(plan, promise, world, branches, runs=20)


def test_a_promise_that_holds_is_kept(plan: Plan, world: World, branches: Branches) -> None:
    """Ten times as many errors are found in the stage, always."""
    found = kept(plan, world, branches, 10.0, probability=1.0, asked=0.0)
    assert (found.caught, found.is_kept, len(found.figures)) == (1.0, True, 2)
    assert not list(judge_promise(plan, found))


def test_a_promise_of_too_much_is_missed(plan: Plan, world: World, branches: Branches) -> None:
    """A third more errors are hardly ever found in five minutes, so that 99% is a wrong promise."""
    found = kept(plan, world, branches, 1.3, probability=0.99)
    assert found.caught < 0.5
    assert not found.is_kept
    (finding,) = judge_promise(plan, found)
    assert finding.level == "missed"
    assert "promised are 99.0%" in finding.text


def test_users_who_meet_it_are_counted_from_the_stages_start(
    plan: Plan, world: World, branches: Branches
) -> None:
    """The healthy stages before do not count, and fewer than are met must not be promised."""
    found = kept(plan, world, branches, 10.0, exposed=100.0, rollback_seconds=1.0)
    exposed, seconds = found.figures[1], found.figures[0]
    assert 1000 <= exposed.rehearsed <= 6000
    assert not exposed.is_kept
    assert seconds.rehearsed <= 60
    assert seconds.is_kept


def test_each_branch_begins_where_its_stage_is_told(branches: Branches) -> None:
    """One for each healthy run, at the moment when the target is told the stage's share."""
    for stage, share in (("ten", 0.1), ("half", 0.5), ("everyone", 1.0)):
        assert len(branches.by_stage[stage]) == 8
        assert all(run.told_at[stage] == run.at for run in branches.by_stage[stage])
        assert all(run.sham.serving.share == share for run in branches.by_stage[stage])


def test_a_promise_for_a_stage_that_is_never_reached_is_told(plan: Plan, world: World) -> None:
    """Nothing was rehearsed, and that is no proof."""
    found = kept(plan, world, Branches(), 10.0, probability=0.5)
    assert (found.runs, found.is_kept) == (0, True)
    assert [finding.level for finding in judge_promise(plan, found)] == ["warning"]


SETTINGS: dict[str, Any] = {
    "its own noise": {"dispersion": Dispersion(growth=0.015)},
    "usual buckets": {"kpi": "slow", "kind": "latency", "expected": None},
    "fine buckets": {
        "kpi": "slow",
        "kind": "latency",
        "expected": None,
        "buckets": tuple(0.05 * 1.1**n for n in range(40)),
    },
}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_promised_comes_true(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chance within three points and three standard errors, the time within a tenth and as many."""
    monkeypatch.setattr(foresight, "ROWS", 1000)
    one, ratio, runs = guard(**SETTINGS[name]), 5.0 if "usual" in name else 1.5, 80
    margins = [{one.kpi: 2.0} if stage.margins else {} for stage in STAGES]
    stages = tuple(s.model_copy(update={"margins": m}) for s, m in zip(STAGES, margins, strict=True))
    plan = with_promises(plan_of(stages, (one,), traffic=Traffic(per_second=200.0)))
    asked = tuple(p for p in plan.promises if (p.stage, p.ratio) == ("half", ratio))
    plan = plan.model_copy(update={"promises": asked, "plan_promises": ()})
    (found,) = rehearse_promises(plan, Scenario("s", "", world_of(plan)), runs=runs, seed=2)
    chance = next(each for each in found.figures if each.name == "probability")
    assert abs(chance.promised - chance.rehearsed) <= 0.03 + 3 * standard_error(chance.promised, runs)
    seconds = next(each for each in found.figures if each.name == "rollback_seconds")
    assert abs(seconds.promised - seconds.rehearsed) <= 0.1 * seconds.promised + 3 * seconds.error + 10


@pytest.mark.parametrize("per_second", [1500.0, 15_000.0])
def test_what_is_found_at_the_first_look_is_promised_as_met_until_then(per_second: float) -> None:
    """However much traffic there is, users meet it until the target was read back and a tick is over."""
    plan = plan_of(traffic=Traffic(per_second=per_second), policy=Policy(tick_seconds=1.0))
    plan = with_promises(plan)
    asked = tuple(p for p in plan.promises if (p.stage, p.ratio) == ("ten", 10.0))
    plan = plan.model_copy(update={"promises": asked, "plan_promises": ()})
    (found,) = rehearse_promises(plan, Scenario("s", "", world_of(plan)), runs=10)
    assert found.is_kept
    figures = {figure.name: figure for figure in found.figures}
    assert figures["served"].promised == pytest.approx(figures["served"].rehearsed, rel=0.05)


def test_one_set_of_runs_serves_the_first_stage_and_the_whole_plan(plan: Plan, world: World) -> None:
    """Until the first stage is left the runs are the same: what it finds, the plan has found."""
    plan = with_promises(plan.model_copy(update={"traffic": Traffic(per_second=200.0)}))
    some = plan.model_copy(
        update={
            "promises": tuple(p for p in plan.promises if p.ratio == 1.5),
            "plan_promises": tuple(p for p in plan.plan_promises if p.ratio == 1.5),
        }
    )
    first, second, whole = rehearse_promises(some, Scenario("s", "", world), runs=30)
    assert [first.stage, second.stage, whole.stage] == ["ten", "half", "whole plan"]
    assert 0 < first.caught <= whole.caught
    figures = {figure.name: figure.rehearsed for figure in first.figures}
    all_of_it = {figure.name: figure.rehearsed for figure in whole.figures}
    assert figures["served"] <= all_of_it["served"]
