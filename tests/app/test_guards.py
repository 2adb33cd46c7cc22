"""Guards of every kind that a release file can name, through whole rollouts."""

from __future__ import annotations

from typing import Any

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.facts import Release
from rollway.rollout import Entry
from support.rollouts import share_of_users, start_plan, wait_for
from support.world import Metrics, release_facts


def started(rollway: Rollway, metrics: Metrics, **kpi: Any) -> str:
    """A rollout whose release has one KPI more; where `kpi` names the first one, it is that one, changed."""
    facts = release_facts(metrics.url)
    (errors,) = facts["kpis"]
    signal = errors["signal"] | kpi.pop("signal", {})
    if kpi.get("kind") == "assignment":
        del signal["bad"]
    more = errors | {"signal": signal} | kpi
    facts["kpis"] = [more] if more["name"] == errors["name"] else [errors, more]
    plan = rollway.plan(Release.model_validate(facts))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def entries(rollway: Rollway, rollout: str, kind: str) -> list[Entry]:
    return [entry for entry in rollway.rollouts.record(rollout) if entry.kind == kind]


def test_users_who_do_not_fall_as_planned_pause_it(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """A third of the users where a tenth was planned: it is paused with the numbers, not taken back, and
    once resumed only a person's word moves it on."""
    rollout = started(rollway, metrics, name="users", kind="assignment", say="watch")
    wait_for(lambda: rollway.load(rollout).state.phase == "paused")
    (told,) = entries(rollway, rollout, "mismatch")
    assert "users" in told.text
    assert "10.0%" in told.text
    assert "33.3%" in told.text
    assert share_of_users(runtime.book) > 0
    rollway.say(rollout, "resume", "ops", "looked at it")
    wait_for(lambda: rollway.load(rollout).state.phase == "running")
    rollway.say(rollout, "promote", "ops", "the counter is wrong")
    wait_for(lambda: rollway.load(rollout).state.desired_share == 0.5)
    rollway.say(rollout, "rollback", "ops", "enough")
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back")


def test_failing_checks_stop_it(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """Three intervals of failed checks take it back by a plain rule, which the record names."""
    metrics.break_new_version(1.0)
    rollout = started(rollway, metrics, name="errors", kind="check")
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back")
    (told,) = entries(rollway, rollout, "rollback")
    assert "failed" in told.text
    verdict = entries(rollway, rollout, "verdict")[-1].data
    assert verdict["kind"] == "harmful"
    assert verdict["is_stop"]


def test_a_drop_in_good_events_takes_it_back(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """Where less is worse, half the good answers are harm, and the words say a fall."""
    metrics.break_new_version(0.5)
    good = {"bad": 'requests_total{outcome="ok"}'}
    rollout = started(rollway, metrics, name="errors", direction="less_is_worse", expected=0.98, signal=good)
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back")
    (told,) = entries(rollway, rollout, "rollback")
    assert "0.5" in told.text


def test_a_burning_budget_stops_nothing_before_its_windows_are_covered(
    rollway: Rollway, runtime: Runtime, metrics: Metrics
) -> None:
    """However fast the budget burns, some seconds are no five minutes."""
    rollout = started(rollway, metrics, name="errors", objective=0.9999)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"
