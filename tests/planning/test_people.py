"""Rollback plan, runbook, messages and risks: what people are asked to do and told."""

from __future__ import annotations

from collections.abc import Callable

from rollway.facts.model import Release
from rollway.planning import Plan

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


def test_the_rollback_plan_says_only_what_was_shown(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Tested and how fast come from the facts; unknown is not tested."""
    shown = plan_of(release_of(), "canary").rollback
    assert (shown.tested, shown.expected_seconds, shown.authority) == (True, 15.0, ("jon",))
    assert any("flag (new-reports) is told share 0" in step for step in shown.steps)
    unknown = {"rollback_tested": "unknown", "rollback_duration": "unknown"}
    silent = plan_of(release_of(done={"tests": unknown}), "canary").rollback
    assert (silent.tested, silent.expected_seconds) == (False, None)


def test_what_cannot_be_undone_is_named(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Migrated data, and the stage from which on nobody can go back."""
    release = release_of(migration={"needed": True, "reversible": False})
    rollback = plan_of(release, "big_bang").rollback
    assert "The data migration." in rollback.cannot_undo
    assert any("Switch everyone" in line for line in rollback.cannot_undo)
    assert any("Data stays as migrated" in step for step in rollback.steps)


def test_the_runbook_has_a_task_for_what_is_not_ready(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """An untested rollback is tested before; a tested one is confirmed; a supplier confirms."""
    parties = [{"name": "Mail Ltd"}, {"name": "Mail Ltd"}]
    plan = plan_of(
        release_of(done={"tests": {"rollback_tested": False}}, architecture={"third_parties": parties}),
        "canary",
    )
    titles = {task.id: task.title for task in plan.runbook}
    assert titles["before-rollback"] == "Test the rollback"
    assert titles["before-party-mail-ltd"] == titles["before-party-mail-ltd-2"] == "Have Mail Ltd confirm"
    assert {task.title for task in plan_of(release_of(), "canary").runbook} >= {"Confirm the rollback test"}


def test_each_stage_has_its_tasks_and_every_task_an_owner(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Exposing is checked by operations; a person's decision belongs to the business owner."""
    plan = plan_of(release_of(), "canary")
    assert plan.stages[1].tasks == ("1-percent-expose", "1-percent-decide")
    assert all(task.owner and task.verification for task in plan.runbook)
    pilot = plan_of(release_of(stakeholders={"users": 50}), "pilot")
    owners = {task.id: task.owner for task in pilot.runbook}
    assert owners["pilot-decide"] == "Business owner"
    assert owners["pilot-expose"] == "Operations"


def test_users_hear_of_it_before_it_reaches_them(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Each group is written to for its own wave, in its language; a canary's users are not."""
    groups = [
        {"name": "Rom", "users": 1, "language": "it", "contact": "rom@example.com"},
        {"name": "Oslo", "users": 9},
    ]
    plan = plan_of(release_of(stakeholders={"groups": groups}), "phased")
    rome = [message for message in plan.communication if message.audience == "Rom (rom@example.com)"]
    assert [(m.stage, m.kind, m.when, m.channel) for m in rome] == [
        ("rom", "notice", "7 days before", "e-mail, in 'it'"),
        ("rom", "reminder", "1 day before", "e-mail, in 'it'"),
    ]
    canary = plan_of(release_of(stakeholders={"groups": groups}), "canary")
    assert not any("Rom" in message.audience for message in canary.communication)


def test_bad_news_is_written_beforehand(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The messages for a delay and for a rollback are part of every plan."""
    whens = {message.when for message in plan_of(release_of(), "blue_green").communication}
    assert {"if it is delayed", "if it is rolled back"} <= whens


def test_the_register_is_answered_and_the_methods_own_risks_are_added(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A risk without a response gets one from the plan; what the method brings is marked as such."""
    items = [
        {"id": "R-1", "title": "Slow", "response": "Switch it off.", "owner": "kaya", "trigger": "p99"},
        {"id": "R-2", "title": "Wrong sums"},
    ]
    plan = plan_of(release_of(risks={"items": items}), "canary")
    first, second, *created = plan.risks
    assert (first.response, first.trigger) == ("Switch it off. Owner: kaya.", "p99")
    assert "Only 1% of users meet it first" in second.response
    assert "errors and latency" in second.trigger
    assert [risk.id for risk in created] == ["canary-1", "canary-2"]
    assert all(risk.created_by_plan for risk in created)
