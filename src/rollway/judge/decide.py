"""The verdict: harmful before blind, blind before undecided, and healthy only when shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from rollway.judge.evidence import Safety
from rollway.judge.exceedance import margin_of
from rollway.judge.harm import contributions, drivers_of
from rollway.judge.kinds import KINDS
from rollway.judge.model import GuardRule, GuardVerdict, Rules, Verdict, VerdictKind
from rollway.judge.processes import SUSPICIOUS_LOG_E
from rollway.judge.sight import Blindness, blindness, is_seen
from rollway.judge.state import GuardState, JudgeState
from rollway.judge.words import blind_text, e_value, safety_text, unseen_text

# With fewer trials of the old version than this there is nothing to compare with yet.
NO_MARGIN = 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of asking: unix seconds, the plan's stage and the share that is served."""

    now: float
    stage: str
    share: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One guard as judged at a moment. `missing` says what keeps a gate from being healthy."""

    rule: GuardRule
    harm_log_e: float
    safety: Safety
    margin: float | None
    blind: Blindness | None
    missing: str

    @property
    def is_gate(self) -> bool:
        return self.rule.say == "gate"


def verdict(rules: Rules, state: JudgeState, *, now: float, stage: str, share: float) -> Verdict:
    """What the evidence says at `now` (unix seconds), in a stage, at the share that is served.

    harmful: the combined evidence has reached 1/alpha, now or earlier. blind: a gate has had no usable
    numbers for longer than `blind_seconds`. healthy: every gate is below its margin with evidence
    1/alpha_promote, every expected version was seen, and nothing is suspicious. undecided: otherwise.
    """
    moment = Moment(now, stage, share)
    log_e, parts = contributions(rules, state)
    judged = _judge_all(rules, state, moment)
    kind, reason, drivers, missing = _decide(rules, state, judged, log_e, parts)
    return Verdict(
        kind=kind,
        at=now,
        stage=stage,
        harm_log_e=state.finding.log_e if state.finding else log_e,
        harm_threshold=1 / rules.alpha,
        safe_threshold=1 / rules.alpha_promote,
        reason=reason,
        guards=tuple(
            _guard_verdict(rules, state, each, guard, parts)
            for each, guard in zip(judged, state.guards, strict=True)
        ),
        drivers=drivers,
        missing=missing,
        baseline_ready=_is_baseline_ready(rules, state, now),
    )


def _judge_all(rules: Rules, state: JudgeState, moment: Moment) -> tuple[Judged, ...]:
    clock = _clock(state, moment.stage)
    guards = zip(rules.guards, state.guards, strict=True)
    return tuple(_judge(rules, rule, guard, moment, clock) for rule, guard in guards)


def _judge(rules: Rules, rule: GuardRule, guard: GuardState, moment: Moment, clock: float | None) -> Judged:
    kind = KINDS[rule.kind]
    margin = margin_of(rules, moment.stage, rule.kpi)
    safety = kind.safety(rule, rules, guard.evidence, moment.stage)
    blind = blindness(
        guard.sight,
        now=moment.now,
        clock=clock,
        share=moment.share,
        blind_seconds=rules.blind_seconds,
    )
    missing = ""
    if not is_seen(guard.sight, moment.stage, moment.share):
        missing = unseen_text(rule.kpi, guard.sight, moment.stage, moment.share)
    elif margin is not None and safety.log_e < math.log(1 / rules.alpha_promote):
        missing = safety_text(rule.kpi, safety, margin, moment.share, rules.alpha_promote)
    return Judged(rule, kind.harm(rule, rules, guard.evidence), safety, margin, blind, missing)


def _clock(state: JudgeState, stage: str) -> float | None:
    """Since when a KPI may be called blind: the first reading or the stage's first, whichever is later."""
    course = state.course
    return course.stage_since if course.stage == stage else course.latest


def _decide(
    rules: Rules,
    state: JudgeState,
    judged: tuple[Judged, ...],
    log_e: float,
    parts: dict[str, float],
) -> tuple[VerdictKind, str, tuple[str, ...], tuple[str, ...]]:
    """Kind, reason, drivers, missing."""
    if state.finding is not None:
        return "harmful", state.finding.reason, state.finding.drivers, ()
    gates = [each for each in judged if each.is_gate]
    unseeing = [each for each in gates if each.blind is not None]
    if unseeing:
        texts = tuple(blind_text(each.rule.kpi, each.blind) for each in unseeing if each.blind)
        return "blind", texts[0], tuple(each.rule.kpi for each in unseeing), texts
    missing = tuple(each.missing for each in gates if each.missing)
    drivers = tuple(each.rule.kpi for each in gates if each.missing)
    if log_e >= SUSPICIOUS_LOG_E:
        text = (
            f"suspicious: evidence of harm e = {e_value(log_e)}, not below {math.exp(SUSPICIOUS_LOG_E):.0f}"
        )
        drivers = drivers_of(parts)
        return "undecided", f"{text} ({', '.join(drivers)})", drivers, (text, *missing)
    if not gates:
        text = "no gate is named, so nothing can show that the new version is safe"
        return "undecided", text, (), (text,)
    if missing:
        return "undecided", missing[0], drivers, missing
    return "healthy", _praise(rules, gates), tuple(each.rule.kpi for each in gates), ()


def _praise(rules: Rules, gates: list[Judged]) -> str:
    shown = [
        f"{each.rule.kpi} is below {each.margin:g} times the old version's (e = {e_value(each.safety.log_e)})"
        for each in gates
        if each.margin is not None
    ]
    if not shown:
        return "all gates have numbers, and this stage asks for no further proof"
    return f"{', '.join(shown)}; {1 / rules.alpha_promote:.4g} is needed"


def _guard_verdict(
    rules: Rules, state: JudgeState, judged: Judged, guard: GuardState, parts: dict[str, float]
) -> GuardVerdict:
    rule = judged.rule
    shown = KINDS[rule.kind].shown(rule, rules, guard.evidence)
    return GuardVerdict(
        kpi=rule.kpi,
        say=rule.say,
        kind=rule.kind,
        state=_guard_state(rules, state, judged, parts.get(rule.kpi, judged.harm_log_e)),
        harm_log_e=judged.harm_log_e,
        safe_log_e=judged.safety.log_e,
        margin=NO_MARGIN if judged.margin is None else judged.margin,
        tolerance=rule.tolerance,
        blind_reason=judged.blind.reason if judged.blind else None,
        **{field.name: getattr(shown, field.name) for field in fields(shown)},
    )


def _guard_state(rules: Rules, state: JudgeState, judged: Judged, part: float) -> VerdictKind:
    """What the guard says by itself; `part` is its evidence times its weight, or alone for a watch."""
    if part >= math.log(1 / rules.alpha) or (state.finding and judged.rule.kpi in state.finding.drivers):
        return "harmful"
    if judged.blind is not None:
        return "blind"
    return "undecided" if judged.missing or judged.harm_log_e >= SUSPICIOUS_LOG_E else "healthy"


def _is_baseline_ready(rules: Rules, state: JudgeState, now: float) -> bool:
    """Whether every gate has enough trials of the old version, and the last of them is fresh."""
    arms = [
        (guard.sight.baseline, KINDS[rule.kind].enough_baseline)
        for rule, guard in zip(rules.guards, state.guards, strict=True)
        if rule.say == "gate"
    ]
    return all(
        arm.total >= enough and arm.seen_at is not None and now - arm.seen_at <= rules.blind_seconds
        for arm, enough in arms
    )
