"""Overruling a plan: what it leaves behind, what is refused, and where a slip of the pen is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rollway.errors import InputError, RefusedError
from rollway.facts.model import Release
from rollway.facts.problems import ReleaseFileError
from rollway.planning import Plan
from rollway.planning.edit import REFUSED, changes, edited, misfits, with_values
from rollway.planning.edit_text import Draft, write_text

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(release_of: MakeRelease, plan_of: MakePlan) -> Plan:
    """A big bang with a migration that was rehearsed, and its window."""
    window = {"opens": "20:00", "closes": "06:00", "timezone": "Europe/Berlin"}
    migration = {"needed": True, "reversible": True, "rehearsed": True, "duration": "3h"}
    return plan_of(release_of(agreements={"windows": [window]}, migration=migration, kpis=[]), "big_bang")


def test_a_change_stays_in_the_plan_with_its_reason(plan: Plan) -> None:
    """Where, by whom, from what, to what and why; the hash is a new one, the rest is as it was."""
    made = edited(plan, with_values(plan, {"stages.hypercare.bake_seconds": "14d"}), "two pay runs", "jon")
    (one,) = made.overrides
    assert (one.path, one.by, one.because) == ("stages.hypercare.bake_seconds", "jon", "two pay runs")
    assert (one.before, one.after) == ("7 days", "14 days")
    assert made.hash != plan.hash
    assert [change.path for change in changes(plan.to_json(), made.to_json())] == [
        "stages.hypercare.bake_seconds",
        *(f"runbook.hypercare-decide.{name}" for name in ("duration", "p90", "instruction")),
        "overrides",
    ]


def test_overrides_add_up(plan: Plan) -> None:
    """A second change does not write the first one away."""
    once = edited(plan, with_values(plan, {"objective": "Faster"}), "clearer")
    twice = edited(once, with_values(once, {"operators": "[jon, kaya]"}), "holidays")
    assert [one.because for one in twice.overrides] == ["clearer", "holidays"]


@pytest.mark.parametrize("because", ["", "   \n"])
def test_without_a_reason_nothing_is_overruled(plan: Plan, because: str) -> None:
    """Somebody will ask why."""
    with pytest.raises(InputError, match="says why"):
        edited(plan, with_values(plan, {"objective": "Faster"}), because)


def test_without_a_change_there_is_no_new_plan(plan: Plan) -> None:
    """The same text gives no second hash."""
    with pytest.raises(InputError, match="nothing was changed"):
        edited(plan, plan.to_json(), "for fun")


@pytest.mark.parametrize(
    ("changes_", "told"),
    [
        ({"format": "rollway.plan/2"}, "format: it says how the plan is to be read"),
        ({"facts_hash": "0" * 64}, "facts_hash: it says which facts"),
        ({"prepared_by": "nobody"}, "prepared_by: whoever prepared a plan cannot approve it"),
        ({"approvals_required": "0"}, "approvals_required: who must agree is settled beforehand"),
        ({"approvers": "[jon]"}, "approvers: who must agree"),
        ({"rollback.steps": "[]"}, "rollback.steps: a plan without a way back is no plan"),
        ({"rollback.tested": "false"}, "rollback.tested: a test is made, not written"),
        ({"rollback.cannot_undo": "[]"}, "rollback.cannot_undo: what cannot be undone stays told"),
        ({"rollback.undo": "[]"}, "rollback.undo: the steps of the way back"),
        ({"stages.switch.undo": '""'}, "stages.switch.undo: a stage says how it is undone"),
        ({"overrides": "[]"}, "overrides: what was overruled before"),
    ],
)
def test_what_may_not_be_overruled_is_refused_with_its_reason(
    plan: Plan, changes_: dict[str, str], told: str
) -> None:
    """Nobody removes the way back, the format or the facts' hash by editing."""
    body = with_values(plan, changes_)
    with pytest.raises(RefusedError) as refused:
        edited(plan, body, "why not")
    assert any(line.strip().startswith(told) for line in refused.value.details), refused.value.details


def test_what_was_overruled_is_not_taken_out_again(plan: Plan) -> None:
    """The list of overrides is not edited."""
    made = edited(plan, with_values(plan, {"objective": "Faster"}), "clearer")
    with pytest.raises(RefusedError, match="overrides: what was overruled before"):
        edited(made, {**made.to_json(), "overrides": []}, "tidy")


def test_no_way_back_is_not_written_away(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Saying that a stage can be undone makes nothing undone."""
    plan = plan_of(release_of(migration={"needed": True, "reversible": False}, kpis=[]), "big_bang")
    with pytest.raises(RefusedError, match=r"stages\.switch\.reversible: saying that there is a way back"):
        edited(plan, with_values(plan, {"stages.switch.reversible": "true"}), "trust us")


def test_the_clock_follows_the_tasks(plan: Plan) -> None:
    """A longer task makes the last call earlier, and the plan says so without being asked."""
    longer = edited(plan, with_values(plan, {"runbook.switch-migrate.rehearsed": "[21600]"}), "more data")
    assert plan.rollback.clock is not None
    assert longer.rollback.clock is not None
    assert longer.rollback.clock.finish_p50 > plan.rollback.clock.finish_p50
    assert any("inside its window" in note for note in longer.notes)


def test_a_stage_goes_with_what_is_done_in_it(plan: Plan) -> None:
    """Its work is gone, nothing waits for it; what was asked before it is asked before the next."""
    made = edited(plan, with_values(plan, {"stages.go-no-go": ""}), "decided in the board")
    assert [stage.id for stage in made.stages] == ["switch", "hypercare"]
    tasks = {task.id: task for task in made.runbook}
    assert "go-no-go-decide" not in tasks
    assert tasks["switch-entry"].after == ()
    assert tasks["before-rollback"].stage == "switch"
    assert {gate.id for gate in made.gates} == {gate.id for gate in plan.gates}
    assert [one.path for one in made.overrides] == ["stages.go-no-go"]


def test_a_plan_that_could_not_be_carried_out_is_not_made(plan: Plan) -> None:
    """The rules of soundness hold for people too."""
    with pytest.raises(ValidationError) as refused:
        edited(plan, with_values(plan, {"runbook.switch-decide.decider": '""'}), "nobody")
    ((where, told),) = misfits(refused.value)
    assert where[0] == "runbook"
    assert "decided by nobody" in told


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("stages.swich.bake_seconds", "there is no 'swich' in 'stages'"),
        ("stagse.switch", "there is no 'stagse'"),
        ("objective.x", "'objective' is a plain value"),
        ("colour", "a plan has no 'colour'"),
        ("runbook.999.owner", "there is no '999' in 'runbook'"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(plan: Plan, path: str, told: str) -> None:
    """With what was meant, where that can be guessed."""
    with pytest.raises(InputError, match=told):
        with_values(plan, {path: "1"})


# --- the text ---------------------------------------------------------------------------------------


def test_the_text_unchanged_changes_nothing(plan: Plan) -> None:
    """Whoever opens it and closes it has done nothing."""
    draft = Draft(plan, write_text(plan), "plan.yaml")
    assert list(changes(plan.to_json(), draft.body)) == []
    assert draft.because == ""


def test_the_text_hides_what_cannot_be_overruled(plan: Plan) -> None:
    """Nobody is tempted; and whoever writes it all the same is told why not."""
    text = write_text(plan)
    for name in REFUSED:
        assert f"\n{name}:" not in text
    body = Draft(plan, text + "facts_hash: abc\n", "plan.yaml").body
    with pytest.raises(RefusedError, match="facts_hash"):
        edited(plan, body, "x")


def test_a_slip_of_the_pen_has_its_place_in_the_text(plan: Plan) -> None:
    """Line and column of the value that is wrong, for errors of form and of sense."""
    text = write_text(plan).replace("bake_seconds: 3600.0", "bake_seconds: an hour")
    line = 1 + text[: text.index("an hour")].count("\n")
    draft = Draft(plan, text, "plan.yaml")
    with pytest.raises(ValidationError) as refused:
        edited(plan, draft.body, "x")
    (problem,) = draft.problems(dict(misfits(refused.value))).problems
    assert (problem.line, problem.path) == (line, "stages.1.bake_seconds")
    with pytest.raises(ReleaseFileError, match=r"plan.yaml:\d+:\d+"):
        Draft(plan, "stages: [", "plan.yaml")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("stages.switch.bake_secs", "did you mean 'bake_seconds'?"),
        ("runbook.switch-decide.decide", "did you mean 'decider'?"),
        ("policy.zzz", "there are: "),
    ],
)
def test_a_field_that_there_is_not_is_told_with_what_may_be_meant(plan: Plan, path: str, meant: str) -> None:
    """In stages, in tasks and elsewhere; not in the words of a library."""
    with pytest.raises(ValidationError) as refused:
        edited(plan, with_values(plan, {path: "30"}), "x")
    ((where, told),) = misfits(refused.value)
    assert where[-1] == path.rsplit(".", 1)[-1]
    assert told.startswith("there is no such field; ")
    assert meant in told


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_text_that_people_write_comes_back(plan: Plan, data: st.DataObject) -> None:
    """Whatever stands in a title, an instruction or a message is read again as it was written."""
    told = data.draw(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=40))
    body: dict[str, Any] = copy.deepcopy(plan.to_json())
    body["runbook"][0]["instruction"] = told
    body["communication"][0]["text"] = told
    other = Plan.model_validate(body)
    assert Draft(other, write_text(other), "plan.yaml").body == other.to_json()
