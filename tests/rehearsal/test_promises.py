"""A promise is rehearsed from where its stage begins, and a wrong one is noticed."""

from __future__ import annotations

import pytest

from rollway.planning import Plan, Promise
from rollway.rehearsal import Kept, Scenario, World, rehearse
from rollway.rehearsal.findings import judge_promise
from rollway.rehearsal.many import Branches
from rollway.rehearsal.promises import rehearse_promise
from tests.rehearsal.conftest import MONDAY


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
        assert all(run.sham.serving == share for run in branches.by_stage[stage])


def test_a_promise_for_a_stage_that_is_never_reached_is_told(plan: Plan, world: World) -> None:
    """Nothing was rehearsed, and that is no proof."""
    found = kept(plan, world, Branches(), 10.0, probability=0.5)
    assert (found.runs, found.is_kept) == (0, True)
    assert [finding.level for finding in judge_promise(plan, found)] == ["warning"]
