"""Readings in: each moment's readings are absorbed together, then harm is looked for once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from rollway.judge.harm import contributions, drivers_of
from rollway.judge.kinds import KINDS
from rollway.judge.model import GuardRule, Reading, Rules
from rollway.judge.plausible import is_placed, is_sound
from rollway.judge.sight import look
from rollway.judge.state import Course, Finding, GuardState, JudgeState
from rollway.judge.words import e_value


def update(rules: Rules, state: JudgeState, readings: Iterable[Reading]) -> JudgeState:
    """The state after these readings, in any order; of one KPI only ends after its last one are taken.

    Readings of unknown KPIs are ignored, implausible ones are noted and are no evidence.
    """
    known = {rule.kpi for rule in rules.guards}
    placed = [
        replace(reading, end=float(reading.end))
        for reading in readings
        if reading.kpi in known and is_placed(reading)
    ]
    for _, moment in groupby(sorted(placed, key=attrgetter("end")), key=attrgetter("end")):
        state = _absorb_moment(rules, state, list(moment))
    return state


def _absorb_moment(rules: Rules, state: JudgeState, moment: list[Reading]) -> JudgeState:
    guards, course = list(state.guards), state.course
    index = {rule.kpi: i for i, rule in enumerate(rules.guards)}
    for reading in moment:
        i = index[reading.kpi]
        last = guards[i].sight.last_end
        if last is not None and reading.end <= last:
            continue
        guards[i] = _absorb_reading(rules, rules.guards[i], guards[i], reading)
        course = _follow(course, reading)
    if course is state.course:
        return state
    return _look_for_harm(rules, replace(state, guards=tuple(guards), course=course), moment[0].end)


def _absorb_reading(rules: Rules, rule: GuardRule, guard: GuardState, reading: Reading) -> GuardState:
    kind = KINDS[rule.kind]
    problem = reading.problem
    if problem is None and not (is_sound(reading) and kind.is_plausible(guard.evidence, reading)):
        problem = "implausible"
    if problem is not None:
        return GuardState(look(guard.sight, reading, problem, (0.0, 0.0)), guard.evidence)
    trials = (kind.trials(reading.candidate), kind.trials(reading.baseline))
    evidence = kind.absorb(rule, rules, guard.evidence, reading)
    return GuardState(look(guard.sight, reading, None, trials), evidence)


def _follow(course: Course, reading: Reading) -> Course:
    """Where the rollout is after the reading; a late reading does not turn it back."""
    first = reading.end if course.first is None else min(course.first, reading.end)
    if course.latest is not None and reading.end < course.latest:
        return replace(course, first=first)
    is_new = course.stage != reading.stage
    since = reading.end if is_new else course.stage_since
    return Course(first=first, latest=reading.end, stage=reading.stage, stage_since=since)


def _look_for_harm(rules: Rules, state: JudgeState, at: float) -> JudgeState:
    if state.finding is not None:
        return state
    log_e, parts = contributions(rules, state)
    if log_e < math.log(1 / rules.alpha):
        return state
    drivers = drivers_of(parts)
    rule, guard = next((r, g) for r, g in zip(rules.guards, state.guards, strict=True) if r.kpi == drivers[0])
    accusation = KINDS[rule.kind].accuse(rule, rules, guard.evidence, at)
    others = f"; also {', '.join(drivers[1:])}" if len(drivers) > 1 else ""
    reason = (
        f"{accusation}{others}; evidence e = {e_value(log_e)} against the threshold {1 / rules.alpha:.4g}"
    )
    return replace(state, finding=Finding(at, log_e, reason, drivers))
