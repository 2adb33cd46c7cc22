"""What holds for every plan, whatever the release and whatever the methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollway.choice import choose
from rollway.errors import RefusedError
from rollway.facts.model import MethodName, Release
from rollway.judge import Verdict
from rollway.planning import Plan, describe, make_plan
from rollway.planning.evidence import margins_before
from rollway.rollout import ClockTicked, CommandGiven, TargetObserved, advance, begin, live_share

METHODS: tuple[MethodName, ...] = get_args(MethodName)
maybe = st.sampled_from([True, False, None])
levels = st.sampled_from(["low", "medium", "high", None])
durations = st.sampled_from(["0s", "1s", "20m", "3d", "52w", None])
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def stated(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A section in which whatever is None is left out."""
    return st.fixed_dictionaries(values).map(
        lambda section: {key: value for key, value in section.items() if value is not None}
    )


kpi = stated(
    kind=st.sampled_from(["rate", "latency"]),
    say=st.sampled_from(["gate", "gate", "brake", "watch"]),
    tolerance=st.sampled_from([1.0, 1.1, 2.0, 7.0]),
    expected=st.sampled_from([0.0, 1e-9, 0.01, 0.5, 1.0, 3.0, None]),
    weight=st.sampled_from([0.1, 1.0, 5.0]),
    limit=st.sampled_from([0.01, 1.0, None]),
)
group = stated(
    name=names,
    users=st.sampled_from([0, 1, 40, 100_000, None]),
    representative=maybe,
    training_done=st.sampled_from([0.0, 0.9, 1.0, None]),
    informed=maybe,
)
sections: dict[str, st.SearchStrategy[Any]] = {
    "architecture": stated(
        requests_per_second=st.sampled_from([0.0, 1e-6, 0.5, 40.0, 1e5, None]),
        feature_flags=maybe,
        traffic_split=maybe,
        per_version_telemetry=maybe,
        telemetry=levels,
        automation=levels,
    ),
    "stakeholders": stated(
        users=st.sampled_from([0, 7, 5000, None]),
        sites=st.sampled_from([1, 840, None]),
        training_needed=maybe,
        groups=st.lists(group, max_size=4),
    ),
    "migration": stated(
        needed=maybe, reversible=maybe, dual_run_feasible=maybe, parallel_exit_rule=st.none() | names
    ),
    "risks": stated(
        reversible=maybe,
        items=st.lists(st.fixed_dictionaries({"id": names, "title": names}), max_size=2),
    ),
    "done": st.fixed_dictionaries({"tests": stated(rollback_tested=maybe, rollback_duration=durations)}),
    "rollout": stated(
        shares=st.lists(st.floats(1e-6, 1) | st.sampled_from([0.1, 0.5]), max_size=4),
        hold_back=st.sampled_from([0.0, 0.05, 0.5, 1.0, None]),
        bake=durations,
        patience=durations,
        check_every=st.sampled_from(["1s", "5m", "2d", None]),
        false_rollback=st.sampled_from([0.001, 0.5, None]),
    ),
}


@st.composite
def releases(draw: st.DrawFn) -> Release:
    body: dict[str, Any] = {key: draw(section) for key, section in sections.items()}
    body["release"] = {"name": "r", "version": "1"}
    kpis = draw(st.lists(kpi, max_size=3))
    body["kpis"] = [
        {**one, "name": f"kpi-{number}", "signal": {"type": "x"}} for number, one in enumerate(kpis)
    ]
    body["target"] = draw(st.sampled_from([None, {"type": "flag", "flag": "f"}, {"type": "people"}]))
    return Release.model_validate(body)


sequences = st.lists(st.sampled_from(METHODS), min_size=1, max_size=3, unique=True)
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
    assert [stage.exposure.share for stage in plan.stages] == sorted(s.exposure.share for s in plan.stages)
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
            assert set(stage.margins) in (set(), set(gates))
            assert 0 < live_share(stage) < 1
        if stage.advance == "ready":
            assert gates
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
        for kpi, tight in margins_before(release, 1.0).items():
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


HEALTHY = Verdict("healthy", 0.0, "", -1.0, 4.6, 3.0, "", (), baseline_ready=True)


@settings(bounded, max_examples=25)
@given(releases(), sequences)
def test_the_state_machine_carries_every_plan_to_its_end(release: Release, methods: list[MethodName]) -> None:
    """A healthy release and people who say go bring every plan to everyone."""
    plan = plan_by(release, methods)
    state, now = begin(), datetime(2026, 1, 5, tzinfo=UTC)
    for _ in range(6 * len(plan.stages) + 4):
        now += timedelta(days=400)
        verdict = replace(HEALTHY, stage=plan.stages[state.stage].id)
        state = advance(plan, state, ClockTicked(at=now, verdict=verdict)).state
        state = advance(plan, state, TargetObserved(at=now, share=state.desired_share)).state
        if not state.is_final and plan.stages[state.stage].advance == "person":
            go = CommandGiven(at=now, kind="promote", actor="po", reason="go")
            state = advance(plan, state, go).state
        if state.is_final:
            break
    assert state.phase == "done"
    assert state.desired_share == 1.0
