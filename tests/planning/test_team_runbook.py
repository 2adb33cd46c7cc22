"""A team's own runbook put together with the generated one, and the clock that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.runbook.books import book, step, task
from planning.runbook.strategies import runbooks
from rollway.choice import Choice
from rollway.errors import InputError
from rollway.facts.model import Release
from rollway.planning import Plan, diff, make_plan
from rollway.planning.runbooks import Runbook, check, make_schedule, person_loads, read_yaml, write_yaml
from rollway.planning.runbooks.plan_parts import runbook_of
from rollway.planning.runbooks.xlsx_in import read_xlsx
from rollway.planning.runbooks.xlsx_out import write_xlsx

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
MakeChoice = Callable[..., Choice]
NIGHT = Path(__file__).parents[2] / "examples" / "runbook" / "cutover.yaml"
WINDOW = {"days": ["sat"], "opens": "20:00", "closes": "06:00", "timezone": "Europe/Berlin"}
MIGRATION = {"needed": True, "reversible": True, "rehearsed": True, "duration": "3h"}
Planner = Callable[..., Plan]


@pytest.fixture
def planned(release_of: MakeRelease, choice_of: MakeChoice) -> Planner:
    """A big bang with a migration in a window of ten hours, with a team's runbook or without."""

    def make(own: Runbook | None = None, **changes: Any) -> Plan:
        facts = {"agreements": {"windows": [WINDOW]}, "migration": MIGRATION, "kpis": [], **changes}
        release = release_of(**facts)
        choice = choice_of(release, "big_bang")
        ranking = tuple(replace(ranked, vetoes=()) for ranked in choice.ranking)
        return make_plan(release, replace(choice, ranking=ranking), own)

    return make


def ids(plan: Plan, stage: str = "switch") -> list[str]:
    return [task.id for task in plan.runbook if (task.phase, task.stage) == ("during", stage)]


def test_the_teams_work_takes_the_place_of_the_generated_one(planned: Planner) -> None:
    """The team's tasks come in the night's stage, before anybody is served; generated data work gives way."""
    assert ids(planned()) == [
        "switch-entry",
        "switch-stop-writing",
        "switch-migrate",
        "switch-expose",
        "switch-decide",
    ]
    plan = planned(book(task("copy"), task("check", "copy")))
    assert ids(plan) == ["switch-entry", "copy", "check", "switch-expose", "switch-decide"]
    tasks = {one.id: one for one in plan.runbook}
    assert tasks["switch-expose"].after == ("switch-entry", "check")
    assert plan.stages[1].tasks == tuple(ids(plan))


def test_a_row_with_a_generated_id_says_more_about_that_task(planned: Planner) -> None:
    """What it states is taken; what it leaves open stays as generated."""
    row = task("switch-migrate", minutes=90, owner="ann", instruction="Run the job.", verification="")
    made = next(one for one in planned(book(row)).runbook if one.id == "switch-migrate")
    assert (made.owner, made.duration, made.instruction) == ("ann", 5400.0, "Run the job.")
    assert made.verification == "Source and target agree by count and sum."
    assert made.stage == "switch"


def test_a_task_may_name_its_stage(planned: Planner) -> None:
    """And one that does not exist is refused with what was meant."""
    assert "look" in ids(planned(book(task("look", stage="hypercare"))), "hypercare")
    with pytest.raises(InputError) as refused:
        planned(book(task("look", stage="hypercar")))
    assert "tasks.look.stage: there is no stage 'hypercar'; did you mean 'hypercare'?" in str(refused.value)


def test_the_teams_way_back_is_the_plans(planned: Planner) -> None:
    """Steps, data, authority and what stays are those of the file; the generated step gives way."""
    night = book(task("copy", undo=("drop",)), undo=(step("drop"),), cannot_undo=("Letters.",))
    rollback = planned(night).rollback
    assert [one.id for one in rollback.undo] == ["drop"]
    assert rollback.authority[0] == "ann"
    assert "Letters." in rollback.cannot_undo
    assert "Then the step of the runbook, from 'Drop' to 'Drop'." in rollback.steps
    assert rollback.tested


def test_after_the_teams_point_of_no_return_no_stage_promises_a_way_back(planned: Planner) -> None:
    """A file sent to the bank is not brought back by switching off the new version."""
    sent = task("send", reversible=False, decider="ann")
    plan = planned(book(sent))
    assert [stage.reversible for stage in plan.stages] == [True, True, False]
    assert plan.rollback.no_return == "send"
    assert any(gate.kind == "person" and gate.stage == "hypercare" for gate in plan.gates)


def test_a_go_no_go_of_the_team_holds_the_switch(planned: Planner) -> None:
    """Nobody is served before the team's gate was answered."""
    gate = task("ready", gate=True, decider="ann", criteria=("All is well.",))
    plan = planned(book(gate))
    assert [one.of for one in plan.gates if one.of == "ready"] == ["ready"]


def test_a_ring_in_the_file_is_told(planned: Planner) -> None:
    """Two tasks that wait for each other make no plan."""
    with pytest.raises(InputError, match="cannot work") as refused:
        planned(book(task("a", "b"), task("b", "a")))
    assert any("wait for each other" in line for line in refused.value.details)


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_the_plans_runbook_survives_a_trip_through_a_file(planned: Planner, form: str) -> None:
    """Exported, given again: the same plan to the last byte, with a team's runbook and without."""
    for own in (None, read_yaml(NIGHT.read_text(encoding="utf-8"), "night")[0]):
        plan = planned(own)
        out = runbook_of(plan)
        back, _ = read_yaml(write_yaml(out), "n") if form == "yaml" else read_xlsx(write_xlsx(out), "n")
        assert back == out
        assert diff(plan, planned(back)) == ()


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(own=runbooks())
def test_any_sound_runbook_gives_a_plan_that_exports_and_comes_back(planned: Planner, own: Runbook) -> None:
    """Whatever people wrote, nothing of it is lost on the way."""
    plan = planned(own)
    out = runbook_of(plan)
    assert not [finding for finding in check(out) if finding.level == "error"]
    back, _ = read_yaml(write_yaml(out), "n")
    assert planned(back).hash == plan.hash
    assert {one.id for one in own.tasks} <= {one.id for one in plan.runbook}


def test_an_old_plan_has_a_runbook_too() -> None:
    """A plan from before runbooks had times can be shown, checked and exported."""
    old = Path(__file__).parent / "plans" / "before-people.json"
    out = runbook_of(Plan.from_text(old.read_text(encoding="utf-8")))
    assert not [finding for finding in check(out) if finding.level == "error"]
    assert read_yaml(write_yaml(out), "n")[0] == out


def test_waits_keep_nobody_busy_and_roles_are_no_people(planned: Planner) -> None:
    """A week of hypercare is no week of work, and 'Operations' is whoever is needed."""
    row = task("switch-decide", minutes=60, owner="bob", p90=3600.0)
    out = runbook_of(planned(book(row, task("copy", owner="ann"))))
    assert [load.person for load in person_loads(out, make_schedule(out))] == ["ann"]


def test_somebody_who_is_to_be_in_two_places_is_told(planned: Planner) -> None:
    """Whoever approves the plan sees it before the night does."""
    from rollway.planning.crew import conflict_words

    plan = planned(book(task("copy", owner="ann"), task("call", owner="ann")))
    assert list(conflict_words(plan)) == [
        "ann is to be in two places, Sat 22:00 to Sat 22:10 CET: copy and call"
    ]
    assert list(conflict_words(planned())) == []


def test_what_comes_before_a_stage_is_due_when_that_stage_comes(planned: Planner) -> None:
    """A task before the switch has slack until the switch, not until the end of hypercare."""
    out = runbook_of(planned())
    times = make_schedule(out).times["before-rollback"]
    assert times.latest_end == out.entered["go-no-go"]


# --- the clock --------------------------------------------------------------------------------------


def test_the_clock_says_until_when_one_can_turn_back(planned: Planner) -> None:
    """Finish, way back and last call from rehearsed times; what was assumed is told."""
    done = {"tests": {"rollback_tested": True, "rollback_duration": "1h"}}
    clock = planned(done=done).rollback.clock
    assert clock is not None
    assert (clock.stage, clock.window_seconds, clock.decision_seconds) == ("switch", 36_000.0, 900.0)
    assert 3.5 * 3600 < clock.finish_p50 < 4.5 * 3600 < clock.finish_p90
    assert clock.finish_in_window is not None
    assert clock.finish_in_window > 0.95
    assert clock.last_call is not None
    assert 7 * 3600 < clock.last_call < 9 * 3600
    assert any("15 minutes; nobody stated it" in line for line in clock.assumed)


def test_the_same_plan_has_the_same_clock(planned: Planner) -> None:
    """Drawn nights are seeded and rounded: same facts, same bytes."""
    assert planned().text() == planned().text()


def test_a_way_back_that_nobody_timed_is_told_as_assumed(planned: Planner) -> None:
    """It is taken to last as long as the longest task, and the plan says so."""
    clock = planned(
        done={"tests": {"rollback_tested": "unknown", "rollback_duration": "unknown"}}
    ).rollback.clock
    assert clock is not None
    assert any("Nobody timed the way back" in line for line in clock.assumed)
    assert clock.back_p50 == pytest.approx(3 * 3600, rel=0.1)


def test_a_night_that_is_too_short_is_a_note(planned: Planner) -> None:
    """Whoever approves reads that the window is too small before it is."""
    plan = planned(migration={**MIGRATION, "duration": "8h"})
    assert any("ends inside its window of 10 hours in" in note for note in plan.notes)
    assert plan.rollback.clock is not None
    assert plan.rollback.clock.finish_in_window is not None
    assert plan.rollback.clock.finish_in_window < 0.8


def test_without_times_there_is_no_clock(planned: Planner) -> None:
    """Nothing is reckoned from nothing."""
    assert planned(migration={"needed": False}).rollback.clock is None
    assert planned(migration={"needed": True}).rollback.clock is None


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(hours=st.floats(0.5, 5), more=st.floats(0.2, 3))
def test_more_work_never_means_a_later_finish_missed_less(
    planned: Planner, hours: float, more: float
) -> None:
    """A longer migration ends later and fits the window no better."""

    def clock(length: float) -> Any:
        return planned(migration={**MIGRATION, "duration": f"{length:.2f}h"}).rollback.clock

    short, long = clock(hours), clock(hours + more)
    assert long.finish_p50 > short.finish_p50
    assert long.finish_in_window <= short.finish_in_window


# --- data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("migration", "rule"),
    [
        ({"needed": False}, "keep"),
        ({"needed": True, "backward_compatible": True}, "keep"),
        ({"needed": True, "backward_compatible": False, "reversible": True}, "replay"),
        ({"needed": True, "backward_compatible": False, "reversible": False}, None),
        ({"needed": True}, None),
        ({}, None),
    ],
)
def test_what_becomes_of_data_is_said_or_said_to_be_unknown(
    release_of: MakeRelease, plan_of: MakePlan, migration: dict[str, bool], rule: str | None
) -> None:
    """Kept, carried back, or nobody knows; never guessed."""
    blank = {"needed": "unknown", **migration}
    rollback = plan_of(release_of(migration=blank, kpis=[]), "big_bang").rollback
    assert [part.rule for part in rollback.data] == ([] if rule is None else [rule])
    assert bool(rollback.data_unknown) is (rule is None)
