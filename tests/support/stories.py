"""A small canary plan and the judge's words, for stories about rollouts."""

from __future__ import annotations

from datetime import UTC, datetime

from rollway.facts.model import SignalSpec
from rollway.judge import GuardVerdict, Verdict, VerdictKind
from rollway.judge.model import GuardStanding
from rollway.planning import Exposure, Guard, Plan, Policy, RollbackPlan, Stage

START = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


GATE = Guard(
    kpi="errors",
    title="Errors",
    kind="rate",
    say="gate",
    tolerance=1.25,
    weight=1.0,
    signal=SignalSpec(type="scrape"),
)


def stage(id_: str, share: float, advance: str = "evidence", **more: object) -> Stage:
    body = {
        "id": id_,
        "title": id_,
        "purpose": "",
        "method": "canary",
        "exposure": Exposure(share=share),
        "advance": advance,
        "bake_seconds": 10,
        "patience_seconds": 100,
        "margins": {"errors": 2.0} if advance == "evidence" else {},
        **more,
    }
    return Stage.model_validate(body)


def canary(*stages: Stage, **more: object) -> Plan:
    body = {
        "name": "reporting",
        "version": "2.4.0",
        "method": "canary",
        "sequence": ("canary",),
        "facts_hash": "0" * 64,
        "stages": stages
        or (stage("baseline", 0, "ready"), stage("ten", 0.1), stage("half", 0.5), stage("all", 1, "time")),
        "guards": (GATE,),
        "rollback": RollbackPlan(steps=("switch the flag off",)),
        "policy": Policy(tick_seconds=1, blind_seconds=40),
        **more,
    }
    return Plan.model_validate(body)


def verdict(kind: VerdictKind, at: datetime, stage_id: str, *, ready: bool = True) -> Verdict:
    return Verdict(
        kind=kind,
        at=at.timestamp(),
        stage=stage_id,
        harm_log_e=0.0,
        harm_threshold=4.6,
        safe_threshold=3.0,
        reason=f"it looks {kind}",
        guards=(),
        baseline_ready=ready,
    )


def standing(guard: Guard, state: GuardStanding) -> GuardVerdict:
    """What the judge makes of one guard, in a word."""
    nothing = dict.fromkeys(("candidate_trials", "candidate_bad", "baseline_trials", "baseline_bad"), 0)
    unknown = dict.fromkeys(("candidate_rate", "baseline_rate", "ratio", "ratio_low", "ratio_high"))
    body = {"harm_log_e": 0.0, "safe_log_e": 0.0, "margin": 0.0, "tolerance": guard.tolerance}
    return GuardVerdict(
        kpi=guard.kpi, say=guard.say, kind=guard.kind, state=state, **body, **nothing, **unknown
    )
