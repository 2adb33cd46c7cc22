"""What holds for every plan, whatever the release and whatever the methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf, sqrt

import pytest
from hypothesis import HealthCheck, given, settings

from planning.strategies import releases, sequences
from rollway.choice import choose
from rollway.errors import RefusedError
from rollway.facts.model import MethodName, Release
from rollway.judge import Verdict
from rollway.planning import Guard, Plan, describe, foresight, make_plan
from rollway.planning.counting import counted_for, is_counted
from rollway.planning.evidence import margins_before
from rollway.rollout import (
    ClockTicked,
    CommandGiven,
    CommandKind,
    State,
    TargetObserved,
    advance,
    begin,
    live_share,
)
from rollway.rollout.gates import confirmations
from rollway.rollout.steps import next_stage


def is_compared(guard: Guard) -> bool:
    """Whether a ratio to the old version can be excluded for it."""
    return guard.kind in ("rate", "latency", "mean") and guard.baseline == "concurrent"


bounded = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def plan_by(release: Release, methods: Sequence[MethodName]) -> Plan:
    """A plan by these methods, whatever the vetoes say."""
    choice = choose(release)
    open_ranking = tuple(replace(ranked, vetoes=()) for ranked in choice.ranking)
    return make_plan(
        release, replace(choice, chosen=methods[-1], sequence=tuple(methods), ranking=open_ranking)
    )


@bounded
@given(releases(), sequences)
def test_the_stages_of_every_plan_can_be_run(release: Release, methods: list[MethodName]) -> None:
    """Exposure never falls and ends with everyone; ids differ; each stage can be undone and left."""
    plan = plan_by(release, methods)
    live = [live_share(stage) for stage in plan.stages]
    assert live == sorted(live)
    assert live[-1] == max(stage.exposure.share for stage in plan.stages)
    assert live[-1] == 1.0
    ids = [stage.id for stage in plan.stages]
    assert len(set(ids)) == len(ids)
    assert all(stage.undo for stage in plan.stages)
    assert all(stage.method in methods for stage in plan.stages)


@bounded
@given(releases(), sequences)
def test_evidence_is_asked_for_only_where_it_can_come(release: Release, methods: list[MethodName]) -> None:
    """A stage decides on evidence only with gates, and only where both versions serve users."""
    plan = plan_by(release, methods)
    gates = {guard.kpi: guard for guard in plan.guards if guard.say == "gate"}
    for stage in plan.stages:
        assert set(stage.margins) <= set(gates)
        assert all(margin > max(1.0, gates[name].tolerance) for name, margin in stage.margins.items())
        if stage.advance == "evidence":
            assert gates
            counted = {name: guard for name, guard in gates.items() if guard.counts_in(stage.id)}
            compared = {name for name, guard in counted.items() if is_compared(guard)}
            assert counted
            assert set(stage.margins) in (set(), compared)
            assert 0 < live_share(stage) < 1
        if stage.advance == "ready":
            assert any(guard.counts_in(stage.id) for guard in gates.values())
            assert live_share(stage) < 1


@bounded
@given(releases(), sequences)
def test_the_tight_margin_is_shown_before_everyone(release: Release, methods: list[MethodName]) -> None:
    """A hold-back may ask for no proof only where the proof was asked for before it."""
    plan = plan_by(release, methods)
    deciding = [stage for stage in plan.stages if stage.advance == "evidence"]
    if deciding:
        assert deciding[0].margins
    if deciding and plan.stages[-1].method == "canary":
        counted = counted_for(release, "canary")
        for kpi, tight in margins_before(counted, 1.0).items():
            assert min(stage.margins.get(kpi, inf) for stage in deciding) == tight


@bounded
@given(releases(), sequences)
def test_what_a_plan_names_exists(release: Release, methods: list[MethodName]) -> None:
    """Tasks, messages and promises belong to stages of the plan; tasks have ids of their own."""
    plan = plan_by(release, methods)
    stages = {stage.id for stage in plan.stages}
    tasks = [task.id for task in plan.runbook]
    assert len(set(tasks)) == len(tasks)
    assert {task.stage for task in plan.runbook} <= stages
    assert {message.stage for message in plan.communication} <= stages
    assert {promise.stage for promise in plan.promises} <= stages
    assert {name for stage in plan.stages for name in stage.tasks} <= set(tasks)
    assert all(promise.requests > 0 for promise in plan.promises)


@bounded
@given(releases(), sequences)
def test_a_guard_counts_where_its_kpi_says(release: Release, methods: list[MethodName]) -> None:
    """Each KPI counts in the stages of the parts that it names, in all of them where it names none, and is
    left out, with a note, where the plan has no such part. Nothing is promised where it does not count."""
    plan = plan_by(release, methods)
    guards = {guard.kpi: guard for guard in plan.guards}
    for kpi in release.kpis:
        counted = [stage.id for stage in plan.stages if is_counted(kpi, stage)]
        if not counted:
            assert kpi.name not in guards
            assert any(f"'{kpi.name}' is left out" in note for note in plan.notes)
            continue
        assert [stage.id for stage in plan.stages if guards[kpi.name].counts_in(stage.id)] == counted
    assert all(guards[promise.kpi].counts_in(promise.stage) for promise in plan.promises)


@bounded
@given(releases(), sequences)
def test_a_plan_survives_its_own_text(release: Release, methods: list[MethodName]) -> None:
    """The same facts give the same bytes, and the bytes give the same plan."""
    plan = plan_by(release, methods)
    again = plan_by(Release.model_validate(release.model_dump(mode="json")), methods)
    assert again.text() == plan.text()
    assert Plan.from_text(plan.text()).hash == plan.hash
    assert plan.hash[:12] in describe(plan)


@bounded
@given(releases())
def test_the_real_choice_is_planned_or_refused(release: Release) -> None:
    """Whatever is chosen, the answer is a plan or a refusal with details, and nothing else."""
    choice = choose(release)
    forbidden = choice.chosen is None or any(
        veto.state == "violated" for veto in choice.of(choice.chosen).vetoes
    )
    if not forbidden:
        assert make_plan(release, choice).sequence == choice.sequence
        return
    with pytest.raises(RefusedError) as refused:
        make_plan(release, choice)
    assert refused.value.details
    assert refused.value.hint


@bounded
@given(releases(), sequences)
def test_promises_are_chances_and_larger_faults_are_found_more_often(
    release: Release, methods: list[MethodName]
) -> None:
    """In 0..1, and never less for a larger fault, but for what drawn courses cannot tell."""
    plan = plan_by(release, methods)
    series: dict[tuple[str, str], list[float]] = {}
    for promise in plan.promises:
        if promise.probability is not None:
            assert 0 <= promise.probability <= 1
            assert promise.asked is not None
            assert promise.probability + promise.asked <= 1.001
            series.setdefault((promise.stage, promise.kpi), []).append(promise.probability)
    for whole in plan.plan_promises:
        assert 0 <= whole.exposed_share <= 1 if whole.exposed_share is not None else whole.exposed >= 0
        series.setdefault(("", whole.kpi), []).append(whole.probability)
    luck = 4 * 0.5 / sqrt(foresight.ROWS)
    assert all(b >= a - luck for chances in series.values() for a, b in pairwise(chances))


@bounded
@given(releases(), sequences)
def test_what_cannot_be_undone_has_a_decider_and_nothing_precedes_its_gate(
    release: Release, methods: list[MethodName]
) -> None:
    """Each stage without a way back has a gate with a name before it, each such task a decider; a stage that
    is expected to last is never told shorter than its bake."""
    plan = plan_by(release, methods)
    decided = {gate.stage for gate in plan.gates if gate.decider}
    crossed = False
    for stage in plan.stages:
        first_without, crossed = not stage.reversible and not crossed, crossed or not stage.reversible
        assert not first_without or stage.id in decided
        assert stage.expected_seconds is None or stage.expected_seconds >= stage.bake_seconds
    assert all(task.decider for task in plan.runbook if not task.reversible)
    places = {stage.id: number for number, stage in enumerate(plan.stages)}
    stage_of = {task.id: places[task.stage] for task in plan.runbook}
    for task in plan.runbook:
        assert all(stage_of[other] <= stage_of[task.id] for other in task.after)


HEALTHY = Verdict("healthy", 0.0, "", -1.0, 4.6, 3.0, "", (), baseline_ready=True)


def carried_out(plan: Plan) -> State:
    """Where a healthy release ends, with people who confirm what they are asked, and say go."""
    state, now = begin(), datetime(2026, 1, 5, tzinfo=UTC)
    for _ in range(6 * len(plan.stages) + 4 * len(plan.runbook) + 4):
        now += timedelta(days=400)
        verdict = replace(HEALTHY, stage=plan.stages[state.stage].id)
        told = TargetObserved(
            at=now,
            share=state.desired_share,
            mirrored=state.desired_mirrored,
            control=state.desired_control,
        )
        stage = next_stage(plan, state)
        said = confirmations(plan, state, "po", now, stage) if stage else ()
        for event in (*said, ClockTicked(at=now, verdict=verdict), told):
            state = advance(plan, state, event).state
        if plan.policy.tasks == "followed":
            state = with_tasks_done(plan, state, now)
        elif not state.is_final and plan.stages[state.stage].advance == "person":
            go = CommandGiven(at=now, kind="promote", actor="po", reason="go")
            state = advance(plan, state, go).state
        if state.is_final:
            break
    return state


def with_tasks_done(plan: Plan, state: State, now: datetime) -> State:
    for task in plan.runbook:
        doing = state.tasks.get(task.id)
        if doing is not None and doing.state == "ready":
            kind: CommandKind = "go" if task.gate or not task.reversible else "confirm"
            word = CommandGiven(at=now, kind=kind, actor="po", subject=task.id)
            state = advance(plan, state, word).state
    return state


@settings(bounded, max_examples=25)
@given(releases(), sequences)
def test_the_state_machine_carries_every_plan_to_its_end(release: Release, methods: list[MethodName]) -> None:
    """A healthy release and people who say go bring every plan to everyone."""
    state = carried_out(plan_by(release, methods).model_copy(update={"windows": ()}))
    assert state.phase == "done", state.standing
    assert state.desired_share == 1.0


@settings(bounded, max_examples=25)
@given(releases(), sequences)
def test_every_plan_can_be_followed_task_by_task(release: Release, methods: list[MethodName]) -> None:
    """No task waits for what comes after it: doing what is ready leads to the end, with every task over."""
    plan = plan_by(release, methods).model_copy(update={"windows": ()})
    followed = plan.policy.model_copy(update={"tasks": "followed"})
    state = carried_out(plan.model_copy(update={"policy": followed}))
    assert state.phase == "done", state.standing
    assert {name for name, doing in state.tasks.items() if doing.is_over} == {
        task.id for task in plan.runbook
    }
