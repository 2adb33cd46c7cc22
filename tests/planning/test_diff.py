"""What changed between two plans, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollway.facts.model import Release
from rollway.planning import Plan, diff

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(release_of: MakeRelease, plan_of: MakePlan) -> Plan:
    """A canary by two shares."""
    return plan_of(release_of(rollout={"shares": [0.1, 0.5]}), "canary")


def changed(plan: Plan, **fields: Any) -> Plan:
    return plan.model_copy(update=fields)


def with_stage(plan: Plan, index: int, **fields: Any) -> Plan:
    stages = list(plan.stages)
    stages[index] = stages[index].model_copy(update=fields)
    return changed(plan, stages=tuple(stages))


def test_a_plan_does_not_differ_from_itself(plan: Plan) -> None:
    """No line, no change, also after a trip through its text."""
    assert diff(plan, Plan.from_text(plan.text())) == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"bake_seconds": 3600.0}, "stage '10% of users': lasts at least 1 hour instead of 20 minutes"),
        (
            {"margins": {"errors": 2.0}},
            "stage '10% of users': must exclude errors ×2 instead of errors ×2 and latency ×2",
        ),
        ({"title": "A tenth"}, "stage '10% of users': is called 'A tenth' instead of '10% of users'"),
        (
            {"advance": "person"},
            "stage '10% of users': goes on when a person says go instead of every gate is shown to be within "
            "its margin",
        ),
        ({"reversible": False}, "stage '10% of users': there is no way back from it now"),
        (
            {"in_window": False},
            "stage '10% of users': is entered at any time instead of in a change window only",
        ),
        ({"entry": ("Ready.",)}, "stage '10% of users': asked before it: Ready."),
    ],
)
def test_a_stage_is_told_in_words(plan: Plan, fields: dict[str, Any], told: str) -> None:
    """One change, one sentence, with what it was and what it is."""
    assert diff(plan, with_stage(plan, 1, **fields)) == (told,)


def test_stages_that_come_and_go_are_told_with_their_place(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A share that is new, and the share of a guard that went."""
    old = plan_of(release_of(rollout={"shares": [0.1]}), "canary")
    new = plan_of(
        release_of(rollout={"shares": [0.1, 0.5]}, kpis=[release_of().kpis[0].model_dump()]), "canary"
    )
    lines = diff(old, new)
    assert "stage '50% of users' (50%, at least 20 minutes) is new, after '10% of users'" in lines
    assert "guard latency is gone" in lines
    assert "task 50-percent-expose (50% of users: see that 50% are served) is new" in lines
    assert any(line.startswith("it rests on other facts (") for line in lines)
    assert "stage '50% of users' is gone" in diff(new, old)


def test_another_order_is_a_change(plan: Plan) -> None:
    """The same stages the other way round are another plan."""
    assert diff(plan, changed(plan, stages=plan.stages[::-1])) == ("the order of the stages changed",)


def test_what_is_nested_is_told_with_its_path(plan: Plan) -> None:
    """Policy, rollback and guards are walked into."""
    guard = plan.guards[0].model_copy(update={"tolerance": 1.5})
    other = changed(
        plan,
        policy=plan.policy.model_copy(update={"alpha": 0.02}),
        rollback=plan.rollback.model_copy(update={"authority": (), "tested": False}),
        guards=(guard, *plan.guards[1:]),
    )
    assert diff(plan, other) == (
        "guard errors: tolerance: 1.5 instead of 1.1",
        "policy: alpha: 0.02 instead of 0.01",
        "rollback: authority: no longer jon",
        "rollback: tested: no instead of yes",
    )


def test_tasks_and_messages_are_told_by_name(plan: Plan) -> None:
    """Somebody sees who does something else now, and who hears other words."""
    from dataclasses import replace

    first, *tasks = plan.runbook
    message, *messages = plan.communication
    other = changed(
        plan,
        runbook=(replace(first, owner="kaya"), *tasks[:-1]),
        communication=(message.model_copy(update={"text": "Soon."}), *messages),
    )
    lines = diff(plan, other)
    assert f"task {first.id} ({first.title}): owner: kaya instead of Product Owner" in lines
    assert f"task {tasks[-1].id} ({tasks[-1].title}) is gone" in lines
    assert any(
        line.startswith("message to support, 1 day before '10-percent': text: Soon.") for line in lines
    )


FIELDS = [
    name for name in Plan.model_fields if name not in ("format", "stages", "night", "target", "traffic")
]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FIELDS), st.integers(0, 200))
def test_no_difference_goes_untold(plan: Plan, field: str, place: int) -> None:
    """Whatever is taken out of a plan or written over, there is a line for it."""
    value = getattr(plan, field)
    match value:
        case tuple() if value:
            place %= len(value)
            other: Any = value[:place] + value[place + 1 :]
        case str():
            other = f"{value}x"
        case int():
            other = value + 1
        case _:
            return
    assert diff(plan, plan.model_copy(update={field: other}))


def test_promises_that_differ_are_told_by_the_size_of_fault(plan: Plan) -> None:
    """With the words in which they are read; a difference that no word shows is told as one."""
    first, *others = plan.promises
    other = changed(plan, promises=(first.model_copy(update={"probability": 0.5}), *others))
    (line,) = diff(plan, other)
    assert line.startswith(f"promise of '10% of users' for {first.kpi}: ×{first.ratio:g}: 50% in ")
    assert " instead of " in line
    assert first.rollback_seconds is not None
    near = first.model_copy(update={"rollback_seconds": first.rollback_seconds * (1 + 1e-9)})
    (line,) = diff(plan, changed(plan, promises=(near, *others)))
    assert line.endswith(": other figures that read the same when rounded")


def test_what_the_whole_plan_promises_is_compared_in_words(plan: Plan) -> None:
    """No names of fields, and no figures to nine digits."""
    whole = plan.plan_promises
    other = changed(plan, plan_promises=(whole[0].model_copy(update={"probability": 0.5}), *whole[1:]))
    (line,) = diff(plan, other)
    assert line.startswith(f"promise before everyone has it for {whole[0].kpi}: ×{whole[0].ratio:g}: 50%")
    assert "_" not in line
    kept = tuple(one for one in whole if one.kpi != whole[0].kpi)
    assert f"promise before everyone has it for {whole[0].kpi} is gone" in diff(
        plan, changed(plan, plan_promises=kept)
    )
