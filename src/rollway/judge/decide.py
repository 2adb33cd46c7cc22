"""The verdict: harmful before blind, blind before undecided, and healthy only when shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollway.judge import stops
from rollway.judge.arithmetic import information
from rollway.judge.evidence import Safety
from rollway.judge.exceedance import margin_of
from rollway.judge.harm import combine, drivers_of
from rollway.judge.kinds import ALONE, KINDS
from rollway.judge.mismatch import Mismatch
from rollway.judge.mismatch import log_e_of as mismatch_log_e
from rollway.judge.model import GuardRule, GuardStanding, GuardVerdict, Rules, Verdict, VerdictKind
from rollway.judge.processes import SUSPICIOUS_LOG_E
from rollway.judge.quick import quick
from rollway.judge.sight import Blindness, blindness, is_seen, trials_per_second
from rollway.judge.state import GuardState, JudgeState
from rollway.judge.words import (
    blind_text,
    e_value,
    loss_text,
    percent,
    safety_text,
    seconds,
    unseen_text,
)

NO_MARGIN = 0.0
NO_SAFETY = Safety(0.0, None, None)


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of asking: unix seconds, the plan's stage, the share that is served, and since when the
    stage runs (unix seconds; None where that is not known)."""

    now: float
    stage: str
    share: float
    since: float | None = None


@quick
@dataclass(frozen=True, slots=True)
class Judged:
    """One guard as judged at a moment. `missing` says what keeps a gate from being healthy; `needed` and
    `wait` about how many more requests and seconds that takes, None where unknown; `counts`: whether it does
    in this stage."""

    rule: GuardRule
    harm_log_e: float
    safety: Safety
    margin: float | None
    blind: Blindness | None
    missing: str
    needed: float | None
    wait: float | None
    counts: bool = True

    @property
    def is_gate(self) -> bool:
        """Whether it is a gate that counts here."""
        return self.counts and self.rule.say == "gate"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is decided, why, by which KPIs, by which rule, what was missing, and how long it may take."""

    kind: VerdictKind
    reason: str
    drivers: tuple[str, ...]
    rule: str
    missing: tuple[str, ...] = ()
    wait: float | None = None


def verdict(
    rules: Rules, state: JudgeState, *, now: float, stage: str, share: float, since: float | None = None
) -> Verdict:
    """What the evidence says at `now` (unix seconds), in a stage, at the share that is served. `since`: when
    the stage began; the silence of a KPI that did not count before is counted from there.

    harmful: the combined evidence has reached 1/alpha, or a hard stop was met, now or earlier. blind: a
    gate has had no usable numbers for longer than `blind_seconds`. healthy: every gate is below its margin
    with evidence 1/alpha_promote, every expected version was seen, nothing is suspicious, and users are
    split as planned. undecided: otherwise.
    """
    moment = Moment(now, stage, share, since)
    judged = _judge_all(rules, state, moment)
    log_e, parts = combine(rules, {each.rule.kpi: each.harm_log_e for each in judged})
    mismatch, its_log_e = _mismatch(rules, state, stage)
    answer = _decide(rules, state, judged, log_e, parts, mismatch)
    guards = zip(judged, state.guards, strict=True)
    return Verdict(
        kind=answer.kind,
        at=now,
        stage=stage,
        harm_log_e=state.finding.log_e if state.finding else log_e,
        harm_threshold=1 / rules.alpha,
        safe_threshold=1 / rules.alpha_promote,
        reason=answer.reason,
        guards=tuple(_guard_verdict(rules, state, each, guard, parts) for each, guard in guards),
        drivers=answer.drivers,
        missing=answer.missing + _losses(rules, state),
        baseline_ready=_is_baseline_ready(rules, state, moment),
        rule=answer.rule,
        mismatch=mismatch,
        mismatch_log_e=its_log_e,
        is_stop=state.finding is not None and state.finding.is_stop,
        wait_seconds=answer.wait,
    )


# --- one guard ------------------------------------------------------------------------------------


def _judge_all(rules: Rules, state: JudgeState, moment: Moment) -> tuple[Judged, ...]:
    clock = _clock(rules, state, moment)
    guards = zip(rules.guards, state.guards, strict=True)
    return tuple(
        _judge(rules, rule, guard, moment, _own_clock(rule, state, moment, clock))
        if rule.counts_in(moment.stage)
        else _uncounted(rules, rule, guard)
        for rule, guard in guards
    )


def _uncounted(rules: Rules, rule: GuardRule, guard: GuardState) -> Judged:
    """A guard that does not count in this stage: only the evidence of harm that it has gathered is left.

    Evidence that stays as it is can be expected to grow no more than any, so the bound on false rollbacks
    holds over all stages together.
    """
    harm = KINDS[rule.kind].harm(rule, rules, guard.evidence)
    return Judged(rule, harm, NO_SAFETY, None, None, "", None, None, counts=False)


def _judge(rules: Rules, rule: GuardRule, guard: GuardState, moment: Moment, clock: float | None) -> Judged:
    kind, alone = KINDS[rule.kind], rule.kind in ALONE
    margin = margin_of(rules, moment.stage, rule.kpi)
    safety = kind.safety(rule, rules, guard.evidence, moment.stage)
    blind = blindness(
        guard.sight,
        now=moment.now,
        clock=clock,
        share=moment.share,
        blind_seconds=rules.blind_seconds,
        waiting=guard.waiting.newest,
        alone=alone,
    )
    needed = wait = None
    missing = stops.warning(rule, guard.stops)
    if not is_seen(guard.sight, moment.stage, moment.share, alone=alone):
        missing = unseen_text(rule.kpi, guard.sight, moment.stage, moment.share, alone=alone)
    elif margin is not None and safety.log_e < math.log(1 / rules.alpha_promote):
        null = margin if rule.direction == "more_is_worse" else 1 / margin
        needed = _needed(safety, null, moment.share, rules.alpha_promote)
        wait = _wait(needed, trials_per_second(guard.sight, moment.stage))
        missing = safety_text(rule.kpi, safety, margin, rules.alpha_promote, needed, wait)
    harm = kind.harm(rule, rules, guard.evidence)
    return Judged(rule, harm, safety, margin, blind, missing, needed, wait)


def _needed(safety: Safety, null: float, share: float, alpha_promote: float) -> float | None:
    """About how many more trials of the new version until the ratio `null` is excluded, if both versions
    are alike."""
    needed = safety.needed
    if needed is None and not safety.obstacle:
        told = information(base_rate=safety.base_rate or 0.0, truth=1.0, null=null, share=share)
        needed = (math.log(1 / alpha_promote) - safety.log_e) / told if told > 0 else None
    return needed if needed is not None and math.isfinite(needed) else None


def _wait(needed: float | None, per_second: float) -> float | None:
    """How long that takes (seconds); None where it would not happen."""
    if needed is None or per_second <= 0:
        return None
    wait = needed / per_second
    return wait if math.isfinite(wait) else None


def _clock(rules: Rules, state: JudgeState, moment: Moment) -> float | None:
    """Since when a KPI may be called blind: the first reading or the stage's first, whichever is later.

    One KPI's reading from the future must not keep the others from being called blind until then.
    """
    course = state.course
    clock = course.stage_since if course.stage == moment.stage else course.latest
    is_ahead = clock is not None and clock - moment.now > rules.blind_seconds
    return course.first if is_ahead else clock


def _own_clock(rule: GuardRule, state: JudgeState, moment: Moment, clock: float | None) -> float | None:
    """The same for one KPI: where it does not count it is not asked, and that is no silence."""
    is_new_here = bool(rule.stages) and state.course.stage != moment.stage
    if not is_new_here or moment.since is None:
        return clock
    return moment.since if clock is None else max(clock, moment.since)


# --- all guards together --------------------------------------------------------------------------


def _mismatch(rules: Rules, state: JudgeState, stage: str) -> tuple[str, float]:
    """What is wrong with the split of users in this stage, and the evidence of it."""
    log_e, text = 0.0, ""
    for rule, guard in zip(rules.guards, state.guards, strict=True):
        test = guard.evidence
        if not isinstance(test, Mismatch):
            continue
        is_found = bool(test.found) and test.found_stage == stage
        now = test.found_log_e if is_found else mismatch_log_e(test, rules.planned_seconds)
        log_e = max(log_e, now)
        if is_found and not text:
            text = f"{rule.kpi}: {test.found} (e = {e_value(now)}, {1 / rules.alpha_mismatch:.4g} is enough)"
    return text, log_e


def _decide(
    rules: Rules,
    state: JudgeState,
    judged: tuple[Judged, ...],
    log_e: float,
    parts: dict[str, float],
    mismatch: str,
) -> Answer:
    if state.finding is not None:
        rule = STOP_RULE if state.finding.is_stop else _harm_rule(rules)
        return Answer("harmful", state.finding.reason, state.finding.drivers, rule, wait=0.0)
    gates = [each for each in judged if each.is_gate]
    unseeing = [each for each in gates if each.blind is not None]
    if unseeing:
        texts = tuple(blind_text(each.rule.kpi, each.blind) for each in unseeing if each.blind)
        drivers = tuple(each.rule.kpi for each in unseeing)
        return Answer("blind", texts[0], drivers, _blind_rule(rules), texts)
    doubts = _doubts(judged, log_e, parts, mismatch)
    missing = (*(text for text, _ in doubts), *(each.missing for each in gates if each.missing))
    if missing or not gates:
        drivers = doubts[0][1] if doubts else tuple(each.rule.kpi for each in gates if each.missing)
        missing = missing or (_no_gate(judged),)
        wait = None if doubts else _longest([each for each in gates if each.missing])
        return Answer("undecided", missing[0], drivers, _open_rule(rules), missing, wait)
    drivers = tuple(each.rule.kpi for each in gates)
    return Answer("healthy", _praise(rules, gates), drivers, _healthy_rule(rules), wait=0.0)


def _no_gate(judged: tuple[Judged, ...]) -> str:
    is_named = any(each.rule.say == "gate" for each in judged)
    lacking = "no gate counts in this stage" if is_named else "no gate is named"
    return f"{lacking}, so nothing can show that the new version is safe"


def _doubts(
    judged: tuple[Judged, ...], log_e: float, parts: dict[str, float], mismatch: str
) -> list[tuple[str, tuple[str, ...]]]:
    """What forbids calling the release healthy whatever the gates have shown, and which KPIs say so."""
    doubts: list[tuple[str, tuple[str, ...]]] = []
    if mismatch:
        drivers = tuple(each.rule.kpi for each in judged if each.rule.kind == "assignment")
        doubts.append((mismatch, drivers))
    if log_e >= SUSPICIOUS_LOG_E:
        drivers = drivers_of(parts)
        least = math.exp(SUSPICIOUS_LOG_E)
        text = f"suspicious: evidence of harm e = {e_value(log_e)}, not below {least:.0f}"
        doubts.append((f"{text} ({', '.join(drivers)})", drivers))
    return doubts


def _longest(gates: list[Judged]) -> float | None:
    """The longest wait of all gates; None where one of them is not on its way."""
    waits = [None if _is_beyond(each) else each.wait for each in gates]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(waits) else None


def _is_beyond(each: Judged) -> bool:
    """Whether the ratio stands at the margin or above, so that more traffic alone decides nothing."""
    return each.margin is not None and each.safety.ratio is not None and each.safety.ratio >= each.margin


def _praise(rules: Rules, gates: list[Judged]) -> str:
    shown = [
        f"{each.rule.kpi} {_cleared(each.rule, each.margin)} (e = {e_value(each.safety.log_e)})"
        for each in gates
        if each.margin is not None
    ]
    if not shown:
        return "all gates have numbers, and this stage asks for no further proof"
    return f"{', '.join(shown)}; {1 / rules.alpha_promote:.4g} is needed"


def _cleared(rule: GuardRule, margin: float) -> str:
    """What a gate's evidence of safety has shown, under the rule's own kind of margin."""
    if rule.kind == "past":
        limit = percent(rule.limit or 0.0)
        return f"is below its limit of {limit} (weak: nothing ran beside the new version)"
    is_reversed = rule.direction == "less_is_worse"
    if rule.tolerance_difference > 0:
        return f"is less than {margin:g} {'below' if is_reversed else 'above'} the old version's"
    if is_reversed:
        return f"is above the old version's divided by {margin:g}"
    return f"is below {margin:g} times the old version's"


def _losses(rules: Rules, state: JudgeState) -> tuple[str, ...]:
    guards = zip(rules.guards, state.guards, strict=True)
    texts = [loss_text(rule.kpi, guard.waiting.late, guard.waiting.lost) for rule, guard in guards]
    return tuple(text for text in texts if text)


# --- the rules in words ---------------------------------------------------------------------------

STOP_RULE = (
    "Harmful: a hard stop, which is a plain rule and no test; it is exempt from the bound on false rollbacks."
)


def _harm_rule(rules: Rules) -> str:
    return (
        "Harmful once the weighted average of all evidence of harm reaches "
        f"{1 / rules.alpha:.4g}, at any look: at most {percent(rules.alpha)} of releases within tolerance "
        "are taken back."
    )


def _blind_rule(rules: Rules) -> str:
    return f"Blind while a gate has had no usable numbers for more than {seconds(rules.blind_seconds)}."


def _healthy_rule(rules: Rules) -> str:
    return (
        f"Healthy when every gate is below its margin with evidence of {1 / rules.alpha_promote:.4g}, both "
        f"versions were seen, users are split as planned, and evidence of harm is below "
        f"{math.exp(SUSPICIOUS_LOG_E):.0f}."
    )


def _open_rule(rules: Rules) -> str:
    return f"Undecided: not harmful, and not shown to be healthy. {_healthy_rule(rules)}"


# --- what is shown --------------------------------------------------------------------------------


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
        needed_trials=judged.needed,
        wait_seconds=judged.wait,
        late_readings=guard.waiting.late,
        lost_readings=guard.waiting.lost,
        candidate_trials=shown.candidate_trials,
        candidate_bad=shown.candidate_bad,
        baseline_trials=shown.baseline_trials,
        baseline_bad=shown.baseline_bad,
        candidate_rate=shown.candidate_rate,
        baseline_rate=shown.baseline_rate,
        ratio=shown.ratio,
        ratio_low=shown.ratio_low,
        ratio_high=shown.ratio_high,
        cut_seconds=shown.cut_seconds,
        candidate_mean=shown.candidate_mean,
        baseline_mean=shown.baseline_mean,
        difference=shown.difference,
        difference_low=shown.difference_low,
        difference_high=shown.difference_high,
        is_weak=shown.is_weak,
    )


def _guard_state(rules: Rules, state: JudgeState, judged: Judged, part: float) -> GuardStanding:
    """What the guard says by itself; `part` is its evidence times its weight, or alone for a watch."""
    if part >= math.log(1 / rules.alpha) or (state.finding and judged.rule.kpi in state.finding.drivers):
        return "harmful"
    if not judged.counts:
        return "uncounted"
    if judged.blind is not None:
        return "blind"
    return "undecided" if judged.missing or judged.harm_log_e >= SUSPICIOUS_LOG_E else "healthy"


def _is_baseline_ready(rules: Rules, state: JudgeState, moment: Moment) -> bool:
    """Whether every gate that counts here has enough trials of the old version, and the last is fresh."""
    arms = [
        (guard.sight.baseline, KINDS[rule.kind].enough_baseline)
        for rule, guard in zip(rules.guards, state.guards, strict=True)
        if rule.say == "gate" and rule.counts_in(moment.stage) and KINDS[rule.kind].enough_baseline > 0
    ]
    return all(
        arm.total >= enough and arm.seen_at is not None and moment.now - arm.seen_at <= rules.blind_seconds
        for arm, enough in arms
    )
