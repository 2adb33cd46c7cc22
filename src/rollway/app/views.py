"""What people look at: plain JSON values for pages, the API and `--json`. Times are ISO 8601 in UTC."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rollway.app.service import Rollway
from rollway.app.waiting import late_at, unheard_json, waiting_json
from rollway.judge import Reading, sample_to_json
from rollway.planning import Plan
from rollway.rollout import State
from rollway.rollout.collecting import NOTES
from rollway.rollout.steps import is_past_return
from rollway.rollout.tasks import open_after
from rollway.store import Recorded

Json = dict[str, Any]

WHOLE = sys.maxsize
"""As many entries as a record has."""


def overview(rollway: Rollway) -> Json:
    """Every plan with where it stands, and every rollout; newest first."""
    begun = rollway.rollouts.summaries()  # before the plans: each of them has its plan there
    kept = rollway.plans.summaries()
    plans = {row.hash: Plan.from_text(row.body) for row in kept}
    rollouts = [_rollout_line(rollway, row, plans[row.plan_hash]) for row in begun]
    started = {line["plan"] for line in rollouts}
    return {
        "plans": [_plan_line(rollway, plans[row.hash], row.created_at, row.hash in started) for row in kept],
        "rollouts": rollouts,
    }


def _plan_line(rollway: Rollway, plan: Plan, created_at: datetime, is_started: bool) -> Json:
    approval = rollway.approval(plan)
    return {
        "hash": plan.hash,
        "name": plan.name,
        "version": plan.version,
        "title": plan.title,
        "method": plan.method,
        "sequence": list(plan.sequence),
        "stages": len(plan.stages),
        "prepared_by": plan.prepared_by,
        "created_at": created_at.isoformat(),
        "is_approved": approval.is_approved,
        "approved_by": list(approval.yes),
        "approval_missing": approval.missing,
        "is_started": is_started,
    }


def _rollout_line(rollway: Rollway, row: Any, plan: Plan) -> Json:
    state = State.model_validate_json(row.state)
    pending = () if state.is_final else rollway.rollouts.pending(row.id)
    return {
        "id": row.id,
        "plan": row.plan_hash,
        "phase": state.phase,
        "stage": state.stage,
        "desired_share": state.desired_share,
        "served_share": state.served_share,
        "standing": state.standing,
        "created_at": row.created_at.isoformat(),
        "moved_at": row.moved_at.isoformat(),
        "late_at": _iso(late_at(plan, state, row.moved_at)),
        "unheard": unheard_json(pending),
        "ended_at": _iso(state.ended_at),
    }


def rollout_view(rollway: Rollway, rollout: str, *, entries: int = 200) -> Json:
    """One rollout, whole: plan, stages with what became of them, verdict, guards, record (newest first).

    Raises NotFoundError.
    """
    loaded = rollway.load(rollout)
    plan, state = loaded.plan, loaded.state
    record = rollway.rollouts.record(rollout)
    newest = rollway.rollouts.verdicts(rollout, newest=1)
    verdict = newest[0]["body"] if newest else None
    entered = {entry.data["stage"]: entry.at for entry in record if entry.kind == "stage_entered"}
    own = rollway.own_words_of(loaded)
    return {
        "id": rollout,
        "seq": loaded.seq,
        "plan": plan.hash,
        "name": plan.name,
        "version": plan.version,
        "title": plan.title,
        "service": plan.service,
        "objective": plan.objective,
        "method": plan.method,
        "sequence": list(plan.sequence),
        "phase": state.phase,
        "is_final": state.is_final,
        "standing": state.standing,
        "heard": state.heard,
        "stage": state.stage,
        "stage_id": plan.stages[state.stage].id,
        "entered_at": _iso(state.entered_at),
        "desired_share": state.desired_share,
        "served_share": state.served_share,
        "served_mirrored": state.served_mirrored,
        "desired_control": state.desired_control,
        "served_control": state.served_control,
        "served_groups": None if state.served_groups is None else list(state.served_groups),
        "notes": dict(loaded.cursors.get(NOTES, {})),
        "override": state.override.model_dump() if state.override else None,
        "target_problem": state.target_problem,
        "started_at": _iso(state.started_at),
        "ended_at": _iso(state.ended_at),
        "tick_seconds": plan.policy.tick_seconds,
        "moved_at": loaded.moved_at.isoformat(),
        "late_at": _iso(late_at(plan, state, loaded.moved_at)),
        "unheard": unheard_json(loaded.pending),
        "stages": _stages(plan, state, record),
        "guards": [guard.model_dump(mode="json", exclude={"signal"}) for guard in plan.guards],
        "verdict": verdict,
        "verdict_at": newest[0]["at"].isoformat() if newest else None,
        "commands": _commands(plan, state),
        **waiting_json(rollout, plan, state, rollway.clock(), verdict=verdict, entered=entered, own=own),
        "record": [entry_json(entry) for entry in reversed(record[-entries:])],
        "record_length": len(record),
    }


def _stages(plan: Plan, state: State, record: Iterable[Recorded]) -> list[Json]:
    entered = {entry.data["stage"]: entry.at for entry in record if entry.kind == "stage_entered"}
    lines = []
    for index, stage in enumerate(plan.stages):
        if stage.id not in entered:
            became = "ahead"
        elif index < state.stage or (index == state.stage and state.phase == "done"):
            became = "passed"
        else:
            became = "current" if not state.phase.startswith("roll") else "undone"
        lines.append(
            {
                "id": stage.id,
                "title": stage.title,
                "purpose": stage.purpose,
                "audience": stage.exposure.audience,
                "share": stage.exposure.share,
                "mode": stage.exposure.mode,
                "control": stage.exposure.control,
                "groups": list(stage.exposure.groups),
                "advance": stage.advance,
                "bake_seconds": stage.bake_seconds,
                "patience_seconds": stage.patience_seconds,
                "margins": stage.margins,
                "became": became,
                "entered_at": _iso(entered.get(stage.id)),
            }
        )
    return lines


def _commands(plan: Plan, state: State) -> list[str]:
    """What a person may say now, in the order of a row of buttons."""
    if state.is_final:
        return []
    if state.phase == "waiting":
        return ["pause", "override_window", "rollback"]
    if state.phase == "rolling_back":
        return []
    stay = "resume" if state.phase == "paused" else "pause"
    if state.started_at is None:
        return [stay, "rollback"]
    on = [] if state.closing_at is not None and open_after(plan, state) else ["promote"]
    return [stay, *on, "roll_forward" if is_past_return(plan, state) else "rollback"]


def entry_json(entry: Recorded) -> Json:
    """One entry of the record."""
    return {
        "n": entry.n,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "actor": entry.actor,
        "text": entry.text,
        "data": entry.data,
        "hash": entry.hash,
    }


def series(rollway: Rollway, rollout: str, *, after_seq: int = -1, newest: int = 600) -> Json:
    """The verdicts as chart series, oldest first: for each KPI the ratio with its band, both arms' rates in
    the stage so far, and the evidence; plus the served share. `after_seq` asks for what is new only.

    Columns per KPI: candidate_rate, baseline_rate, ratio, ratio_low, ratio_high, harm_log_e, safe_log_e.
    """
    rollway.load(rollout)
    rows = rollway.rollouts.verdicts(rollout, after=after_seq, newest=newest)
    columns = (
        "candidate_rate",
        "baseline_rate",
        "ratio",
        "ratio_low",
        "ratio_high",
        "harm_log_e",
        "safe_log_e",
    )
    kpis: dict[str, dict[str, list[Any]]] = {}
    for row in rows:
        for guard in row["body"]["guards"]:
            lists = kpis.setdefault(guard["kpi"], {name: [] for name in columns})
            for name in columns:
                lists[name].append(guard[name])
    return {
        "seq": rows[-1]["seq"] if rows else after_seq,
        "at": [row["at"].timestamp() for row in rows],
        "share": [row["share"] for row in rows],
        "kind": [row["kind"] for row in rows],
        "harm_log_e": [row["body"]["harm_log_e"] for row in rows],
        "kpis": kpis,
    }


def readings_json(readings: Iterable[Reading]) -> list[Json]:
    """Readings as they were taken: the evidence behind the verdicts."""
    return [
        {
            "kpi": one.kpi,
            "start": one.start,
            "end": one.end,
            "stage": one.stage,
            "share": one.share,
            "candidate": sample_to_json(one.candidate),
            "baseline": sample_to_json(one.baseline),
            "problem": one.problem,
        }
        for one in readings
    ]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
