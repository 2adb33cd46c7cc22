"""Guards that count in some stages only: what the facts say becomes stages, margins, promises and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from planning.ticks import run
from rollway.facts.model import MethodName, Release
from rollway.planning import Plan, describe, diff, foresight
from rollway.planning.edit import edited, misfits, with_values
from rollway.planning.promises import with_promises

MakeRelease = Callable[..., Release]
MakePlan = Callable[..., Plan]
ENOUGH_ROWS = 1000


def kpi(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}, **more}


def counted(plan: Plan, name: str) -> list[str]:
    guard = next(one for one in plan.guards if one.kpi == name)
    return [stage.id for stage in plan.stages if guard.counts_in(stage.id)]


@pytest.mark.parametrize(
    ("methods", "during", "stages"),
    [
        (["parallel"], ["parallel"], ["parallel-run"]),
        (["parallel"], ["everyone"], ["cutover", "old-kept"]),
        (["parallel"], ["parallel", "everyone"], ["parallel-run", "cutover", "old-kept"]),
        (["pilot"], ["pilot"], ["baseline", "pilot"]),
        (["pilot", "parallel"], ["parallel"], ["pilot", "parallel-run"]),
        (["pilot", "phased"], ["phased"], ["wave-2", "wave-3"]),
        (["canary"], ["everyone"], ["100-percent"]),
        (["blue_green"], ["everyone"], ["switch", "keep-warm"]),
    ],
)
def test_a_kpi_counts_in_the_parts_that_it_names(
    release_of: MakeRelease,
    plan_of: MakePlan,
    methods: list[MethodName],
    during: list[str],
    stages: list[str],
) -> None:
    """A method's name stands for it until everyone has the new version, `everyone` for what comes after; what
    comes before a parallel run takes part in it."""
    kpis = [kpi("errors"), kpi("differences", during=during)]
    plan = plan_of(release_of(kpis=kpis), *methods)
    assert set(stages) <= set(counted(plan, "differences"))
    assert not {"100-percent", "everyone"} & set(counted(plan, "differences")) or "everyone" in during
    assert counted(plan, "errors") == [stage.id for stage in plan.stages]
    if methods != ["pilot", "phased"]:
        assert counted(plan, "differences") == stages


def test_a_plan_that_names_no_part_is_the_plan_it_was(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Nothing of it is in the content, so its hash stays; naming every part there is says nothing either."""
    plain = plan_of(release_of(kpis=[kpi("errors")]), "canary")
    assert all("stages" not in guard for guard in plain.to_json()["guards"])
    every = plan_of(release_of(kpis=[kpi("errors", during=["canary", "everyone"])]), "canary")
    assert every.guards == plain.guards
    assert every.stages == plain.stages


def test_a_kpi_of_a_part_that_the_plan_lacks_is_left_out_and_told(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """Facts are stated before a method is chosen; the plan says what it could not use."""
    release = release_of(kpis=[kpi("errors"), kpi("differences", during=["parallel"])])
    plan = plan_of(release, "canary")
    assert [guard.kpi for guard in plan.guards] == ["errors"]
    told = "'differences' is left out: it counts during the parallel run only, which this plan does not have."
    assert told in plan.notes


def test_without_a_gate_that_counts_a_person_decides(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """The only gate counts when everyone has it: each step before that is a person's, as without a gate."""
    plan = plan_of(release_of(kpis=[kpi("errors", during=["everyone"])]), "canary")
    assert {stage.advance for stage in plan.stages[:-1]} == {"person"}
    assert not any(stage.margins for stage in plan.stages)
    assert plan.promises == ()


def test_a_margin_is_asked_of_gates_that_count_only(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """A gate of the pilot shows nothing in the waves after it."""
    kpis = [kpi("errors"), kpi("survey", during=["pilot"])]
    plan = plan_of(release_of(kpis=kpis), "pilot", "phased")
    for stage in plan.stages:
        if stage.margins:
            assert set(stage.margins) == ({"errors", "survey"} if stage.method == "pilot" else {"errors"})
    assert {promise.stage for promise in plan.promises if promise.kpi == "survey"} <= {"pilot"}


def test_the_plan_hints_where_a_gate_may_be_blind_after_the_cutover(
    release_of: MakeRelease, plan_of: MakePlan
) -> None:
    """It is not guessed which KPI compares outputs; people are told what to say of it."""
    open_ended = plan_of(release_of(kpis=[kpi("differences")]), "parallel")
    assert any("`during: [parallel]`" in note and "differences" in note for note in open_ended.notes)
    said = plan_of(release_of(kpis=[kpi("errors"), kpi("differences", during=["parallel"])]), "parallel")
    assert not any("during: [parallel]" in note for note in said.notes)


def test_the_plan_says_where_no_kpi_counts(release_of: MakeRelease, plan_of: MakePlan) -> None:
    """Whoever limits the only KPI to the parallel run is told that nothing watches the cutover."""
    plan = plan_of(release_of(kpis=[kpi("differences", during=["parallel"])]), "parallel")
    told = "No KPI counts in 'Cutover' and 'Old version kept': there nothing takes the release back by its "
    assert f"{told}numbers." in plan.notes
    watched = plan_of(release_of(kpis=[kpi("errors"), kpi("differences", during=["parallel"])]), "parallel")
    assert not any(note.startswith("No KPI counts") for note in watched.notes)


# --- words, and people who change it ----------------------------------------------------------------


@pytest.fixture
def parallel(release_of: MakeRelease, plan_of: MakePlan) -> Plan:
    """A parallel run with a gate for all of it and one for the comparison."""
    return plan_of(release_of(kpis=[kpi("errors"), kpi("differences", during=["parallel"])]), "parallel")


def test_show_and_diff_say_where_it_counts(parallel: Plan) -> None:
    """By the stages' titles, and in a sentence where it changes."""
    assert "counts in 'Both versions run' only" in " ".join(describe(parallel).replace("│", "").split())
    guards = (parallel.guards[0], parallel.guards[1].model_copy(update={"stages": ()}))
    wider = parallel.model_copy(update={"guards": guards})
    told = "guard differences: counts in every stage instead of parallel-run"
    assert told in diff(parallel, wider)
    assert "guard differences: counts in parallel-run instead of every stage" in diff(wider, parallel)


def test_people_may_overrule_where_a_guard_counts(parallel: Plan) -> None:
    """By the stages' ids; one that is not there is refused with its place."""
    more = edited(parallel, with_values(parallel, {"guards.errors.stages": "[cutover]"}), "only then")
    assert counted(more, "errors") == ["cutover"]
    with pytest.raises(ValidationError) as refused:
        edited(parallel, with_values(parallel, {"guards.errors.stages": "[cutovr]"}), "a slip")
    ((where, told),) = misfits(refused.value)
    assert where == ("guards", 0, "stages", 0)
    assert "'cutovr' that the plan does not have" in told


def test_an_overruled_plan_says_as_well_where_no_kpi_counts(parallel: Plan) -> None:
    """Whoever limits the last KPI is told what is not watched any more; and no longer once it is again."""
    told = "No KPI counts in 'Cutover' and 'Old version kept': there nothing takes the release back by its "
    told += "numbers."
    less = edited(parallel, with_values(parallel, {"guards.errors.stages": "[parallel-run]"}), "quiet")
    assert told in less.notes
    more = edited(less, with_values(less, {"guards.errors.stages": "[parallel-run, cutover]"}), "not so")
    assert told not in more.notes
    assert any(note.startswith("No KPI counts in 'Old version kept':") for note in more.notes)
    every = edited(more, with_values(more, {"guards.errors.stages": "[]"}), "all of it")
    assert every.notes == parallel.notes


def test_a_guard_never_counts_everywhere_because_its_stage_was_taken_out(parallel: Plan) -> None:
    """A stage that goes is forgotten by guards of other stages; a guard of nothing else must go too."""
    both = edited(
        parallel, with_values(parallel, {"guards.differences.stages": "[parallel-run, old-kept]"}), "both"
    )
    assert counted(edited(both, with_values(both, {"stages.old-kept": ""}), "at once"), "differences") == [
        "parallel-run"
    ]
    with pytest.raises(ValidationError, match="'parallel-run' that the plan does not have"):
        edited(parallel, with_values(parallel, {"stages.parallel-run": ""}), "no time")


# --- promises ---------------------------------------------------------------------------------------


@pytest.fixture
def late(release_of: MakeRelease, plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """A canary by 10%, 50% and 95% whose gate counts in some of these stages; time opens the others."""
    monkeypatch.setattr(foresight, "ROWS", ENOUGH_ROWS)

    def make(*stages: str) -> Plan:
        facts = {"architecture": {"requests_per_second": 5.0}, "rollout": {"check_every": "30s"}}
        plan = plan_of(release_of(kpis=[kpi("errors")], **facts), "canary")
        guard = plan.guards[0].model_copy(update={"stages": ("baseline", *stages)})
        found = tuple(
            stage
            if guard.counts_in(stage.id) or stage.advance != "evidence"
            else stage.model_copy(update={"advance": "time", "margins": {}})
            for stage in plan.stages
        )
        made = Plan.model_validate({**dict(plan), "guards": (guard,), "stages": found, "promises": ()})
        return with_promises(made)

    return make


@pytest.mark.parametrize(
    ("stages", "fault_in", "stage"),
    [(("50-percent", "hold-back"), 2, "50-percent"), (("10-percent", "50-percent"), 2, "50-percent")],
)
def test_a_stage_in_which_the_guard_counts_finds_as_many_faults_as_it_promises(
    late: Callable[..., Plan], stages: tuple[str, ...], fault_in: int, stage: str
) -> None:
    """Beside courses drawn and judged tick by tick; nothing is promised of the others."""
    plan = late(*stages)
    assert {promise.stage for promise in plan.promises} <= set(stages)
    told = next(one for one in plan.promises if (one.stage, one.ratio) == (stage, 1.5))
    real = run(plan, per_second=5.0, ratio=1.5, fault_in=fault_in, only_there=True, runs=600, seed=5)
    met_it = (real.found == fault_in) | (real.found == -1)
    assert told.probability == pytest.approx(np.mean(real.found[met_it] == fault_in), abs=0.07)
    assert told.served == pytest.approx(np.mean(real.served[met_it]), rel=0.1)


@pytest.mark.parametrize("stages", [("50-percent", "hold-back"), ("10-percent", "hold-back")])
def test_the_whole_plan_promises_what_the_counted_stages_find(
    late: Callable[..., Plan], stages: tuple[str, ...]
) -> None:
    """A fault from the start passes the stages in which the guard does not count, and users meet it there."""
    plan = late(*stages)
    told = next(one for one in plan.plan_promises if one.ratio == 1.5)
    real = run(plan, per_second=5.0, ratio=1.5, fault_in=0, only_there=False, runs=600, seed=3)
    assert told.probability == pytest.approx(np.mean(real.found >= 0), abs=0.07)
    assert told.served == pytest.approx(np.mean(real.served), rel=0.12)
