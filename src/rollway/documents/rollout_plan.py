"""The rollout plan: stages, calendar, guards, the way back, runbook, messages, risks and duties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollway.documents.pack import Pack
from rollway.documents.people_rows import people_values
from rollway.planning.calendar.in_plan import calendar_words
from rollway.planning.control_group import control_words
from rollway.planning.describe import (
    advance_words,
    counting_lines,
    limit_words,
    plan_promise_words,
    promise_words,
    promises_by_kpi,
    rule_words,
    sequence_words,
    share_bar,
)
from rollway.planning.evidence import SLOW_SHARE
from rollway.planning.model import Guard, Plan, Stage
from rollway.planning.roles import RACI
from rollway.planning.stages import NAMED
from rollway.planning.windows import describe_freeze, describe_window
from rollway.planning.words import length, listing, percent, times

TITLE = "Rollout plan"
MODES = {"shadow": "on a copy of the work", "dual": "both versions run"}


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage in words."""

    number: int
    stage: Stage
    bar: str
    share: str
    who: str
    bake: str
    advance: str
    rule: str
    margins: str
    patience: str


@dataclass(frozen=True, slots=True)
class GuardRow:
    """One guard in words."""

    guard: Guard
    measures: str
    tolerance: str
    limit: str
    usual: str
    weight: str
    source: str


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """What one stage sees of one KPI: a cell for each size of fault."""

    stage: str
    kpi: str
    cells: tuple[str, ...]


def values(pack: Pack) -> dict[str, Any]:
    """What the template `rollout-plan.md.j2` shows."""
    plan = pack.plan
    titles = {stage.id: stage.title for stage in plan.stages}
    return {
        "release": pack.release,
        "plan": plan,
        "name": plan.title or plan.name,
        "method": sequence_words(plan).capitalize(),
        "stages": tuple(_stage(plan, number, stage) for number, stage in enumerate(plan.stages, 1)),
        "shortest": length(sum(stage.bake_seconds for stage in plan.stages)),
        "calendar": "" if plan.calendar is None else calendar_words(plan.calendar),
        "windows": tuple(describe_window(window) for window in plan.windows),
        "freezes": tuple(describe_freeze(freeze) for freeze in plan.freezes),
        "guards": tuple(_guard(guard) for guard in plan.guards),
        "counted": counting_lines(plan),
        "policy": _policy_words(plan),
        "ratios": tuple(times(ratio) for ratio in fault_sizes(plan)),
        "promises": tuple(promise_rows(plan)),
        "has_chances": any(promise.probability is not None for promise in plan.promises),
        "has_latency": any(guard.kind == "latency" for guard in plan.guards),
        "slow_share": percent(SLOW_SHARE),
        "rollback_time": ""
        if plan.rollback.expected_seconds is None
        else length(plan.rollback.expected_seconds),
        **people_values(plan),
        "titles": titles,
        "raci": tuple(
            (
                duty.activity,
                duty.responsible,
                duty.accountable,
                listing(duty.consulted),
                listing(duty.informed),
            )
            for duty in RACI
        ),
    }


def _stage(plan: Plan, number: int, stage: Stage) -> StageRow:
    return StageRow(
        number=number,
        stage=stage,
        bar=share_bar(stage.exposure.live),
        share=percent(stage.exposure.live),
        who=_who(stage),
        bake=length(stage.bake_seconds) if stage.bake_seconds else "",
        advance=advance_words(stage),
        rule=rule_words(stage),
        margins=margin_words(stage, kpi_titles(plan)),
        patience=length(stage.patience_seconds),
    )


def _who(stage: Stage) -> str:
    exposure = stage.exposure
    if exposure.mode == "live":
        who = exposure.audience.removeprefix(NAMED) if exposure.share > 0 else "nobody yet"
        return f"{who}, {control_words(exposure)}" if exposure.control else who
    return f"{exposure.audience.removeprefix(NAMED)}, {MODES[exposure.mode]}"


def margin_words(stage: Stage, titles: Mapping[str, str]) -> str:
    """`Reports that fail ×1.5`, with the names by which people know the KPIs."""
    return listing(f"{titles.get(kpi, kpi)} {times(margin)}" for kpi, margin in stage.margins.items())


def kpi_titles(plan: Plan) -> dict[str, str]:
    return {guard.kpi: guard.title or guard.kpi for guard in plan.guards}


def _guard(guard: Guard) -> GuardRow:
    return GuardRow(
        guard=guard,
        measures="slow requests" if guard.kind == "latency" else "bad events",
        tolerance=times(guard.tolerance),
        limit=limit_words(guard),
        usual="" if guard.expected is None else percent(guard.expected),
        weight=f"{guard.weight:g}",
        source=guard.signal.type,
    )


def _policy_words(plan: Plan) -> tuple[str, ...]:
    policy = plan.policy
    blind = "goes back" if policy.on_blind == "rollback" else "holds and asks a person"
    return (
        f"The figures are looked at every {length(policy.tick_seconds).removeprefix('1 ')}.",
        f"A sound release is taken back by mistake with a probability of at most {percent(policy.alpha)}, "
        "over the whole rollout and all looks together.",
        f"A stage is passed with a gate worse than its margin with a probability of at most "
        f"{percent(policy.alpha_promote)}.",
        "Without usable figures nothing is promoted; "
        f"after {length(policy.blind_seconds)} without them Rollway {blind}.",
    )


def promise_rows(plan: Plan) -> list[PromiseRow]:
    """A row for each stage and KPI, and one for each KPI of the whole plan; cells as in `fault_sizes`."""
    titles = kpi_titles(plan)
    rows: list[PromiseRow] = []
    ratios = fault_sizes(plan)
    for (stage, kpi), promises in promises_by_kpi(plan).items():
        told = {promise.ratio: promise_words(promise) for promise in promises}
        rows.append(PromiseRow(stage, titles.get(kpi, kpi), tuple(told.get(ratio, "") for ratio in ratios)))
    for kpi in dict.fromkeys(promise.kpi for promise in plan.plan_promises):
        whole = {one.ratio: plan_promise_words(one) for one in plan.plan_promises if one.kpi == kpi}
        rows.append(
            PromiseRow(
                "Before everyone", titles.get(kpi, kpi), tuple(whole.get(ratio, "") for ratio in ratios)
            )
        )
    return rows


def fault_sizes(plan: Plan) -> tuple[float, ...]:
    """How many times as bad the faults are that the plan promises something about; ascending."""
    found = {promise.ratio for promise in plan.promises} | {promise.ratio for promise in plan.plan_promises}
    return tuple(sorted(found))
