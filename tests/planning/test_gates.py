"""Training, messages and support bound to stages, and the gates that keep a stage shut till then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rollway.facts.model import Release
from rollway.planning import Plan
from rollway.planning.support import people_needed

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
OLD = Path(__file__).parent / "plans" / "before-people.json"

ZURICH = {
    "name": "Zürich",
    "users": 40,
    "language": "de-CH",
    "timezone": "Europe/Zurich",
    "training_done": 0.9,
    "informed": True,
    "champion": "Urs",
    "training_day": "2027-03-19",
}
GENEVA = {"name": "Genève", "users": 30, "language": "fr", "training_done": 0.6, "informed": False}
LUGANO = {"name": "Lugano", "users": 30, "language": "it"}
BANK = {"groups": [ZURICH, GENEVA, LUGANO], "training_needed": True}


def bank(**more: Any) -> dict[str, Any]:
    return {**BANK, **more}


def by_id(plan: Plan) -> dict[str, Any]:
    return {gate.id: gate for gate in plan.gates}


def test_a_plan_from_before_people_keeps_its_hash() -> None:
    """What was approved stays approved: new fields are left out where they say nothing."""
    plan = Plan.from_text(OLD.read_text(encoding="utf-8"))
    assert plan.hash == "f3841a0f2dd4f045b59be865340786d0e7fe9bed695ac8ea64406a877ca1a169"
    assert plan.text() == OLD.read_text(encoding="utf-8").strip()


def test_a_wave_opens_when_its_own_people_are_ready(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Each group is asked for at the stage in which it joins, and at no other."""
    plan = plan_of(release_of(stakeholders=bank(), kpis=[]), "phased")
    gates = by_id(plan)
    assert {gate.stage for gate in plan.gates if "Genève" in gate.groups} == {"geneve"}
    training = gates["geneve-training-geneve"]
    assert (training.minimum, training.known, training.is_met) == (0.85, 0.6, False)
    assert gates["zurich-training-zurich"].is_met is True
    assert gates["lugano-training-lugano"].is_met is None
    told = next(gate for gate in plan.gates if gate.kind == "message" and gate.groups == ("Genève",))
    assert told.of in {message.id for message in plan.communication}
    assert told.is_met is False


def test_everybody_is_asked_for_where_a_random_share_may_hit_anybody(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """A canary's first share waits for all groups, if the change needs training; else for none."""
    plan = plan_of(release_of(stakeholders=bank(), rollout={"shares": [0.1]}), "canary")
    trained = [gate for gate in plan.gates if gate.kind == "training"]
    assert {gate.stage for gate in trained} == {"10-percent"}
    assert [gate.groups for gate in trained] == [("Zürich",), ("Genève",), ("Lugano",)]
    unasked = release_of(stakeholders={**bank(), "training_needed": "unknown"}, rollout={"shares": [0.1]})
    assert not [gate for gate in plan_of(unasked, "canary").gates if gate.kind == "training"]


def test_an_own_minimum_is_taken(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """People may ask for more, or less, than the usual share."""
    plan = plan_of(release_of(stakeholders=bank(training_minimum=0.95), kpis=[]), "phased")
    assert by_id(plan)["zurich-training-zurich"].is_met is False
    assert {row.minimum for row in plan.training} == {0.95}


def test_essential_tasks_and_third_parties_hold_the_first_exposure(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Nobody is served before the rollback is tested, support is briefed and the supplier is ready."""
    parties = [{"name": "Cards", "kind": "supplier", "ready": False}]
    release = release_of(
        architecture={"third_parties": parties}, stakeholders={"support_briefed": True}, kpis=[]
    )
    plan = plan_of(release, "big_bang")
    gates = {gate.of: gate for gate in plan.gates if gate.of}
    assert {gate.stage for gate in gates.values()} == {"switch"}
    assert (gates["before-rollback"].kind, gates["before-rollback"].is_met) == ("task", True)
    assert gates["before-support"].is_met is True
    assert (gates["Cards"].kind, gates["Cards"].is_met) == ("dependency", False)
    assert any("could not open today. Cards (supplier) is ready: not yet" in note for note in plan.notes)


def test_migrated_data_comes_before_anybody_is_served(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The stage of the switch opens when the migration is done."""
    plan = plan_of(release_of(migration={"needed": True, "reversible": True}, kpis=[]), "big_bang")
    assert by_id(plan)["switch-task-switch-migrate"].of == "switch-migrate"


def test_the_point_of_no_return_has_a_decider(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Where there is no way back a named role says go, in the gate and in the task."""
    release = release_of(migration={"needed": True, "reversible": False}, kpis=[])
    plan = plan_of(release, "big_bang")
    (gate,) = [gate for gate in plan.gates if gate.kind == "person"]
    assert (gate.stage, gate.decider) == ("switch", "Business owner")
    (task,) = [task for task in plan.runbook if not task.reversible]
    assert (task.id, task.decider, plan.rollback.no_return) == ("switch-expose", "Business owner", "switch")


def test_many_groups_share_a_gate(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Eight hundred shops do not make eight hundred gates; the weakest of them counts."""
    shops = [{"name": f"Shop {n}", "users": 5, "training_done": 1.0 if n else 0.4} for n in range(40)]
    plan = plan_of(release_of(stakeholders={"groups": shops, "training_needed": True}, kpis=[]), "big_bang")
    (gate,) = [gate for gate in plan.gates if gate.kind == "training"]
    assert (len(gate.groups), gate.known, gate.is_met) == (40, 0.4, False)
    letters = [message for message in plan.communication if message.kind == "notice"]
    assert [message.audience for message in letters] == ["40 groups: Shop 0, Shop 1 and 38 more"]


def test_a_message_is_for_its_readers_clocks_and_language(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Time zone and language are the recipients'; a text in it is used, a missing one is named."""
    wordings = [{"message": "notice", "language": "de", "text": "Bald ist es soweit."}]
    plan = plan_of(release_of(stakeholders=bank(wordings=wordings), kpis=[]), "phased")
    letters = {(one.group, one.kind): one for one in plan.communication if one.group}
    swiss = letters["Zürich", "notice"]
    assert (swiss.text, swiss.to_write, swiss.language) == ("Bald ist es soweit.", False, "de-CH")
    assert (swiss.local_time, swiss.timezone, swiss.offset_seconds) == ("09:00", "Europe/Zurich", -7 * 86400)
    assert letters["Zürich", "reminder"].to_write
    assert "Ask Urs first." in letters["Zürich", "reminder"].text
    assert letters["Genève", "notice"].to_write
    assert any("still to be written in 'fr'" in note for note in plan.notes)
    assert len({one.id for one in plan.communication}) == len(plan.communication)


def test_training_is_planned_for_each_group(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """How many are trained, how many must be, by when, and who is asked there first."""
    plan = plan_of(release_of(stakeholders=bank(), kpis=[]), "phased")
    first = plan.training[0]
    assert (first.stage, first.group, first.trained, first.champion) == ("zurich", "Zürich", 0.9, "Urs")
    assert str(first.day) == "2027-03-19"
    task = next(task for task in plan.runbook if task.id == "geneve-training")
    assert (task.phase, task.stage, task.title) == ("before", "geneve", "Train Genève")


@pytest.mark.parametrize(
    ("at", "change", "told"),
    [
        ("gates.0.stage", "gone", "there is no stage 'gone'"),
        ("gates.0.of", "gone", "there is no task 'gone'"),
        ("gates.0.id", "switch-task-before-support", "is taken by gates.0"),
        ("runbook.0.after", ["gone"], "there is no task 'gone'"),
        ("runbook.0.after", ["before-criteria"], "these tasks wait for each other"),
        ("runbook.0.undo", ["gone"], "there is no undo step 'gone'"),
        ("runbook.0.reversible", False, "nobody decides it"),
        ("runbook.0.timezone", "Mars/Base", "no time zone 'Mars/Base'"),
        ("night.stage", "gone", "there is no stage 'gone'"),
        ("training.0.stage", "gone", "there is no stage 'gone'"),
        ("support.0.stage", "gone", "there is no stage 'gone'"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    release_of: MakeRelease, plan_of: MakePlan, at: str, change: Any, told: str
) -> None:
    """A gate that nobody could meet, a task that waits for itself: refused when the plan is read."""
    body = json.loads(plan_of(release_of(stakeholders=bank(users=100), kpis=[]), "big_bang").text())
    place: Any = body
    *way, last = at.split(".")
    for part in way:
        place = place[int(part) if part.isdigit() else part]
    place[last] = change
    with pytest.raises(ValidationError) as refused:
        Plan.model_validate(body)
    assert any(told in one["msg"] for one in refused.value.errors()), refused.value


# --- support ----------------------------------------------------------------------------------------


def test_a_desk_that_is_too_small_is_a_finding(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Users, questions and handling time against the people there are, wave by wave."""
    desk = {"people": 2, "requests_per_user_day": 1.5, "handling_time": "20m"}
    plan = plan_of(release_of(stakeholders=bank(users=100, support_desk=desk), kpis=[]), "phased")
    assert [(row.joining, row.settling) for row in plan.support] == [(40, 40), (30, 70), (30, 100)]
    # 100 users x 1.5 a day x 15 percent in the busiest hour = 22.5 an hour, 7.5 erlangs
    last = plan.support[-1]
    assert (last.requests_per_hour, last.needed, last.available) == (22.5, 11, 2)
    assert any("Support has 2 people" in note and "Lugano needs 11" in note for note in plan.notes)


def test_what_nobody_said_of_support_is_not_guessed(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Without questions per user there is no need in figures, and no finding."""
    plan = plan_of(release_of(stakeholders=bank(users=100), kpis=[]), "phased")
    assert {row.needed for row in plan.support} == {None}
    assert not any("Support has" in note for note in plan.notes)


def test_users_who_joined_long_ago_ask_no_more_than_ever(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """After a week a wave has settled and is not counted."""
    release = release_of(stakeholders=bank(users=100), rollout={"bake": "8d"}, kpis=[])
    assert [row.settling for row in plan_of(release, "phased").support] == [40, 30, 30]


def test_the_need_is_that_of_erlangs_table() -> None:
    """The recursion gives what Erlang's own sums give, for a small desk and a large one."""
    assert people_needed(200, 180) == _by_table(10, 180)
    assert people_needed(20, 180) == _by_table(1, 180)
    assert people_needed(0, 600) == 0


def _by_table(load: float, handling: float) -> int:
    """Erlang C by its sums, as in textbooks."""
    from math import exp, factorial

    for people in range(int(load) + 1, 100):
        queue = load**people / factorial(people) * people / (people - load)
        waits = queue / (sum(load**k / factorial(k) for k in range(people)) + queue)
        if waits * exp(-(people - load) * 120 / handling) <= 0.2:
            return people
    raise AssertionError


@given(st.floats(0.1, 50_000), st.floats(30, 3600))
def test_more_questions_never_need_fewer_people(rate: float, handling: float) -> None:
    """And there are always more people than erlangs."""
    needed = people_needed(rate, handling)
    assert needed > rate / 3600 * handling - 1e-6
    assert people_needed(rate * 1.1, handling) >= needed
