"""Readings in: each moment's readings are absorbed together, then harm is looked for once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from rollway.judge import stops, waiting
from rollway.judge.harm import at_most, contributions, drivers_of
from rollway.judge.kinds import KINDS
from rollway.judge.kinds.past import LEAST_PAST
from rollway.judge.model import GuardRule, Past, Problem, Reading, Rules
from rollway.judge.plausible import is_placed, is_plain, is_sound
from rollway.judge.sight import is_apart, look
from rollway.judge.state import Course, Finding, GuardState, JudgeState
from rollway.judge.words import e_value

NO_TRIALS = (0.0, 0.0)
# By so much a bound on evidence may be off, in nats.
ROUNDING = 1e-6


def update(rules: Rules, state: JudgeState, readings: Iterable[Reading]) -> JudgeState:
    """The state after these readings, in any order; of one KPI only ends after its last one are judged.

    Readings of unknown KPIs, and of stages in which a KPI does not count, are ignored; implausible ones are
    noted and are no evidence. What is not complete, or ends after a watermark, waits (see `waiting`); what
    comes too late is counted.
    """
    index = {rule.kpi: i for i, rule in enumerate(rules.guards)}
    placed = [
        reading if type(reading.end) is float else replace(reading, end=float(reading.end))
        for reading in readings
        if reading.kpi in index
        and is_placed(reading)
        and (not (stages := rules.guards[index[reading.kpi]].stages) or reading.stage in stages)
    ]
    if placed and _is_held(state, placed):
        state, placed = _hold(rules, state, placed)
    if len(placed) == 1:
        return _absorb_moment(rules, index, state, placed)
    for moment in _moments(placed):
        state = _absorb_moment(rules, index, state, moment)
    return state


def _is_held(state: JudgeState, placed: list[Reading]) -> bool:
    """Whether there is anything to wait for."""
    for reading in placed:
        if waiting.may_wait(reading):
            return True
    for guard in state.guards:  # noqa: SIM110  # asked for every reading: a generator costs more than the rest
        if guard.waiting.readings:
            return True
    return False


def _moments(readings: list[Reading]) -> Iterator[list[Reading]]:
    """Readings of one end together, in order of time."""
    if all(reading.end == readings[0].end for reading in readings):
        if readings:
            yield readings
        return
    for _, moment in groupby(sorted(readings, key=attrgetter("end")), key=attrgetter("end")):
        yield list(moment)


def _hold(rules: Rules, state: JudgeState, readings: list[Reading]) -> tuple[JudgeState, list[Reading]]:
    """The state with what waits, and all that may be judged now."""
    guards, course = list(state.guards), state.course
    index = {rule.kpi: i for i, rule in enumerate(rules.guards)}
    for reading in sorted(readings, key=attrgetter("end")):
        i = index[reading.kpi]
        cleaned = _cleaned(rules.guards[i], guards[i], reading)
        queue = waiting.put(guards[i].waiting, cleaned, guards[i].sight.last_end)
        guards[i] = replace(guards[i], waiting=queue)
        course = _follow(course, cleaned)
    taken: list[Reading] = []
    for i, guard in enumerate(guards):
        queue, released = waiting.take(guard.waiting)
        guards[i] = replace(guard, waiting=queue)
        taken += released
    return replace(state, guards=tuple(guards), course=course), taken


def _cleaned(rule: GuardRule, guard: GuardState, reading: Reading) -> Reading:
    """The reading as it may wait: what cannot be right is not kept, only that it came."""
    problem = reading.problem or _problem(rule, guard, reading)
    if problem is None and all(is_plain(one) for one in (reading.candidate, reading.baseline)):
        return reading
    return Reading(
        kpi=reading.kpi,
        start=reading.end,
        end=reading.end,
        stage=reading.stage,
        share=0.0,
        problem=problem or "implausible",
        is_complete=reading.is_complete,
    )


def _absorb_moment(
    rules: Rules, index: dict[str, int], state: JudgeState, moment: list[Reading]
) -> JudgeState:
    guards, course = list(state.guards), state.course
    absorbed: list[Reading] = []
    for reading in moment:
        i = index[reading.kpi]
        last = guards[i].sight.last_end
        if last is not None and reading.end <= last:
            queue = waiting.too_late(guards[i].waiting, reading.end)
            if queue is not guards[i].waiting:
                guards[i] = replace(guards[i], waiting=queue)
                state = replace(state, guards=tuple(guards))
            continue
        guards[i] = _absorb_reading(rules, rules.guards[i], guards[i], reading)
        course = _follow(course, reading)
        absorbed.append(reading)
    if not absorbed:
        return state
    state = JudgeState(tuple(guards), course, state.finding)
    return _look_for_stops(rules, index, _look_for_harm(rules, state, moment[0].end), absorbed)


def _absorb_reading(rules: Rules, rule: GuardRule, guard: GuardState, reading: Reading) -> GuardState:
    queue = waiting.judged(guard.waiting, reading.end)
    problem = reading.problem or _problem(rule, guard, reading)
    if problem is not None:
        return GuardState(look(guard.sight, reading, problem, NO_TRIALS), guard.evidence, queue, guard.stops)
    kind = KINDS[rule.kind]
    trials = (kind.trials(reading.candidate), kind.trials(reading.baseline))
    evidence = kind.absorb(rule, rules, guard.evidence, reading)
    stopping = stops.add(guard.stops, rule, reading)
    return GuardState(look(guard.sight, reading, None, trials), evidence, queue, stopping)


def _problem(rule: GuardRule, guard: GuardState, reading: Reading) -> Problem | None:
    """Why a reading that says it has none cannot be used."""
    is_right = is_sound(reading) and waiting.are_watermarks(reading) and is_apart(guard.sight, reading)
    if not (is_right and KINDS[rule.kind].is_plausible(rule, guard.evidence, reading)):
        return "implausible"
    if rule.kind != "past":
        return None
    past = reading.baseline.values if isinstance(reading.baseline, Past) else ()
    return "no_past" if len(past) < LEAST_PAST else None


def _follow(course: Course, reading: Reading) -> Course:
    """Where the rollout is after the reading; a late reading does not turn it back."""
    end, stage = reading.end, reading.stage
    first = end if course.first is None or end < course.first else course.first
    if course.latest is not None and end < course.latest:
        return replace(course, first=first)
    return Course(first, end, stage, end if course.stage != stage else course.stage_since)


def _look_for_harm(rules: Rules, state: JudgeState, at: float) -> JudgeState:
    needed = -math.log(rules.alpha)
    if state.finding is not None or at_most(rules, state) < needed - ROUNDING:
        return state
    log_e, parts = contributions(rules, state)
    if log_e < needed:
        return state
    drivers = drivers_of(parts)
    rule, guard = next((r, g) for r, g in zip(rules.guards, state.guards, strict=True) if r.kpi == drivers[0])
    accusation = KINDS[rule.kind].accuse(rule, rules, guard.evidence, at)
    others = f"; also {', '.join(drivers[1:])}" if len(drivers) > 1 else ""
    reason = (
        f"{accusation}{others}; evidence e = {e_value(log_e)} against the threshold {1 / rules.alpha:.4g}"
    )
    return replace(state, finding=Finding(at, log_e, reason, drivers))


def _look_for_stops(
    rules: Rules, index: dict[str, int], state: JudgeState, moment: list[Reading]
) -> JudgeState:
    """The hard stops, where the statistics have found nothing; only a reading with numbers can stop."""
    if state.finding is not None:
        return state
    near = [
        each
        for each in moment
        if stops.is_near(rules.guards[index[each.kpi]], state.guards[index[each.kpi]].stops)
    ]
    if not near:
        return state
    for reading in sorted(near, key=lambda each: index[each.kpi]):
        i = index[reading.kpi]
        rule, guard = rules.guards[i], state.guards[i]
        if reading.problem is not None or guard.sight.problem is not None:
            continue
        reason = stops.found(rule, guard.stops, reading)
        if reason:
            log_e, _ = contributions(rules, state)
            return replace(state, finding=Finding(reading.end, log_e, reason, (rule.kpi,), is_stop=True))
    return state
