"""What a plan is made from, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollway.choice import Choice, VetoResult, choose
from rollway.errors import RefusedError
from rollway.facts.listing import facts_hash
from rollway.facts.model import Release
from rollway.planning import Plan, make_plan

MakeRelease = Callable[..., Release]
MakeChoice = Callable[..., Choice]
MakePlan = Callable[..., Plan]


def test_nothing_chosen_is_refused_with_what_unlocks_each_method(
    release_of: MakeRelease, choice_of: MakeChoice
) -> None:
    """Not ready means: here are the rules that block, and what lifts them."""
    release = release_of()
    veto = VetoResult("V1", "Rollback is tested", "violated", "rollback tested: no", "Test the rollback.")
    choice = choice_of(release, "canary")
    blocked = tuple(replace(ranked, state="blocked", vetoes=(veto,)) for ranked in choice.ranking)
    nothing = replace(choice, recommended=None, chosen=None, sequence=(), ranking=blocked)
    with pytest.raises(RefusedError) as refused:
        make_plan(release, nothing)
    assert len(refused.value.details) == 6
    assert "Test the rollback." in refused.value.details[0]


def test_a_method_that_people_insist_on_is_refused_while_a_hard_rule_forbids_it(
    release_of: MakeRelease,
) -> None:
    """A wish chooses the method; it does not lift a veto."""
    release = release_of(
        rollout={"method": "canary", "because": "we like it"}, architecture={"per_version_telemetry": False}
    )
    with pytest.raises(RefusedError, match="canary cannot be planned") as refused:
        make_plan(release, choose(release))
    assert any("V3" in line for line in refused.value.details)


def test_a_rule_that_is_not_settled_is_planned_and_noted(
    release_of: MakeRelease, choice_of: MakeChoice
) -> None:
    """Unknown is no veto; the plan says what is not shown yet."""
    release = release_of()
    plan = make_plan(release, choice_of(release, "canary"))
    assert any(note.startswith("Not shown yet (V") for note in plan.notes)


def test_the_plan_carries_what_people_and_the_engine_need(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Who, what for, from which facts, watched by what, approved and run by whom."""
    release = release_of(goals={"objective": "Faster reports"})
    plan = plan_of(release, "canary")
    assert (plan.name, plan.version, plan.title, plan.prepared_by) == (
        "reporting",
        "2.4.0",
        "Reporting",
        "Ana",
    )
    assert (plan.objective, plan.method, plan.sequence) == ("Faster reports", "canary", ("canary",))
    assert plan.facts_hash == facts_hash(release)
    assert [(guard.kpi, guard.say, guard.limit) for guard in plan.guards] == [
        ("errors", "gate", 0.2),
        ("latency", "gate", None),
    ]
    assert (plan.operators, plan.approvers, plan.approvals_required) == (("jon",), ("ines",), 1)
    assert plan.target is not None


def test_a_changed_fact_changes_the_hash_and_a_moved_line_does_not(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """What a plan says does not depend on where in the file a fact stands."""
    hashes = {
        plan_of(
            release_of(
                done={"tests": {"rollback_tested": {"state": "known", "value": told, "source": source}}}
            ),
            "big_bang",
        )
        .model_copy(update={"rationale": ()})
        .hash
        for told, source in [
            (True, "release.yaml:7:3"),
            (True, "release.yaml:9:3"),
            (False, "release.yaml:9:3"),
        ]
    }
    assert len(hashes) == 2
