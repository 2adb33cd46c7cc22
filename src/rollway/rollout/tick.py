"""One evaluation of a rollout: observe, judge, decide, commit, act. In this order; see decision 0003.

Whatever fails while looking becomes something seen: a signal that raises is a source that is down, a target
that raises has failed, a judge that raises is blind. So the tick always commits, and the plan's policy acts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from rollway import judge
from rollway.errors import InputError, RollwayError
from rollway.judge import Reading, Verdict
from rollway.planning import Guard, Plan, Stage
from rollway.rollout import machine
from rollway.rollout.intervals import counts_since, is_of_here, is_of_one_split, stage_since
from rollway.rollout.model import (
    ClockTicked,
    CommandGiven,
    Effect,
    Entry,
    Event,
    EvidenceRead,
    RunTask,
    SetShare,
    State,
    TargetFailed,
    TargetObserved,
    TaskLost,
)
from rollway.rollout.pace import Moment, Pace
from rollway.rollout.ports import (
    NO_SAMPLES,
    Collected,
    Cursor,
    Interval,
    Loaded,
    Move,
    NoRunner,
    Rollouts,
    Signal,
    Target,
    TaskRunner,
    samples_control,
)
from rollway.rollout.rules import rules_of
from rollway.rollout.steps import compared_share, is_past_return, is_same, share_of_work, split_since

log = logging.getLogger("rollway.tick")

Outcome = Literal["moved", "stale", "final"]
"""moved: another tick is due; stale: somebody else was faster; final: nothing is left to do."""

TARGET = "#target"
"""The name among the notes under which the target's own stands."""

NOTES = "#notes"
"""The cursor under which the signals' last notes are kept, so that each is said once."""


class Connectors(Protocol):
    """Finds the signals and the target of a plan; kept between ticks, so that connections are reused."""

    def signal(self, rollout: str, guard: Guard) -> Signal: ...

    def target(self, rollout: str, plan: Plan) -> Target: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tick saw of the world before it decided. `is_whole` is false where it did not look at all."""

    events: tuple[Event, ...]
    judge: dict[str, object]
    cursors: dict[str, Cursor]
    readings: tuple[Reading, ...] = ()
    entries: tuple[Entry, ...] = ()
    verdict: Verdict | None = None
    is_whole: bool = True


def tick(
    rollout: str,
    seq: int,
    *,
    rollouts: Rollouts,
    connectors: Connectors,
    clock: Callable[[], datetime],
    runner: TaskRunner | None = None,
    pace: Pace | None = None,
    keep: Callable[[Loaded], None] | None = None,
) -> Outcome:
    """Evaluate a rollout once. A tick whose number has passed changes nothing, so repeating is harmless.

    `runner` runs the commands of automatic tasks; without one, a plan that has such tasks cannot be followed.
    `pace` knows how much time really passed between ticks; without one the clock is taken at its word.
    `keep` is given the rollout as it stands once that is written down.
    """
    runner = runner or NoRunner()
    loaded = rollouts.load(rollout)
    if loaded is None or loaded.seq != seq:
        return "stale"
    if loaded.state.is_final and not loaded.pending:
        return "final"
    moment = pace.read(clock) if pace else Moment(clock(), 0.0)
    now = Pace.time_of(moment, loaded.moved_at)
    compared = (pace.compare(rollout, seq, moment, at=now, moved_at=loaded.moved_at),) if pace else ()
    move, effects = evaluate(loaded, connectors, now, (*compared, *_lost(loaded, runner, now)))
    if not rollouts.commit(move):
        return "stale"
    if pace:
        pace.committed(rollout, seq, moment)
    if keep:
        keep(afterwards(loaded, move))
    _act(loaded, effects, rollouts, connectors, runner)
    return "final" if move.state.is_final else "moved"


def evaluate(
    loaded: Loaded, connectors: Connectors, now: datetime, first: tuple[Event, ...] = ()
) -> tuple[Move, tuple[Effect, ...]]:
    """Look at the world and decide: what is to be written down, and what is to be done after that. `first`
    is heard before what was seen."""
    seen = _look(loaded, connectors, now)
    state, effects, entries = _decide(loaded, seen, first, now)
    told_anew = _desired(state) != _desired(loaded.state)
    move = Move(
        rollout=loaded.id,
        seq=loaded.seq,
        at=now,
        state=state,
        # After a mend nothing that was seen before it counts.
        judge=seen.judge if state.mended_at == loaded.state.mended_at else {},
        cursors=seen.cursors,
        readings=seen.readings,
        verdict=seen.verdict,
        entries=entries,
        heard=tuple(pending.id for pending in loaded.pending),
        wake_after=machine.next_wake(loaded.plan, state, now, moved=told_anew, due_at=loaded.due_at),
    )
    return move, effects


def afterwards(loaded: Loaded, move: Move) -> Loaded:
    """The rollout as the next tick will find it, once this move is written down, if nobody says anything."""
    return replace(
        loaded,
        seq=move.seq + 1,
        state=move.state,
        judge=move.judge,
        cursors=move.cursors,
        target_problem="",
        pending=(),
        moved_at=move.at,
        due_at=None if move.wake_after is None else move.at + move.wake_after,
    )


def _desired(state: State) -> tuple[float, float, tuple[str, ...], float]:
    return state.desired_share, state.desired_mirrored, state.desired_groups, state.desired_control


def _lost(loaded: Loaded, runner: TaskRunner, now: datetime) -> tuple[Event, ...]:
    """The commands of tasks that nobody runs any more, and whose end nobody has told."""
    told = {one.event.subject for one in loaded.pending if not isinstance(one.event, CommandGiven)}
    found: list[Event] = []
    for is_undo, progress in ((False, loaded.state.tasks), (True, loaded.state.undo)):
        for name, doing in progress.items():
            if doing.state != "running" or not doing.attempt or name in told:
                continue
            since = doing.begun_at or now
            if not runner.knows(loaded.id, name, doing.attempt, since, is_undo=is_undo):
                found.append(TaskLost(at=now, subject=name, attempt=doing.attempt, is_undo=is_undo))
    return tuple(found)


def _look(loaded: Loaded, connectors: Connectors, now: datetime) -> Seen:
    commands = tuple(pending.event for pending in loaded.pending)
    stage = loaded.plan.stages[loaded.state.stage]
    if loaded.state.is_final or _is_urgent(loaded):
        # A person's rollback does not wait for a target or a signal that may hang.
        return Seen(commands, loaded.judge, loaded.cursors, is_whole=False)
    if loaded.state.phase == "waiting":
        return Seen(commands, loaded.judge, loaded.cursors)
    observed, told = _observe(loaded, connectors, now)
    if loaded.state.phase == "rolling_back":
        return Seen((observed, *commands), loaded.judge, loaded.cursors)
    since = _split_since(loaded.state, observed)
    readings, cursors, notes = _collect(loaded, stage, connectors, now, told, since)
    memory, verdict = _judge(loaded, stage, readings, now)
    events = (observed, EvidenceRead(at=now, verdict=verdict), *commands)
    return Seen(events, memory, cursors, readings, notes, verdict)


def _is_urgent(loaded: Loaded) -> bool:
    said = any(isinstance(one.event, CommandGiven) and one.event.kind == "rollback" for one in loaded.pending)
    is_open = not is_past_return(loaded.plan, loaded.state)
    return said and is_open and loaded.state.phase in ("running", "paused")


def _observe(loaded: Loaded, connectors: Connectors, now: datetime) -> tuple[Event, str]:
    """What the target serves, and what it says besides. As near as it can come to a share is that share."""
    try:
        target = connectors.target(loaded.id, loaded.plan)
        served, wanted = target.observe(), loaded.state.desired_share
        is_near = abs(served.share - target.nearest(wanted)) < machine.SAME_SHARE
    except Exception as error:
        return TargetFailed(at=now, problem=_problem(error, f"the target of {loaded.id}")), ""
    if loaded.target_problem and not is_near:
        # What is served counts, not the answer: one that came too late may have done what it was told.
        return TargetFailed(at=now, problem=loaded.target_problem), ""
    observed = TargetObserved(
        at=now,
        share=wanted if is_near else served.share,
        mirrored=served.mirrored,
        control=served.control,
        groups=served.groups,
        refusal=served.refusal,
        candidate_ready=served.candidate_ready,
        baseline_ready=served.baseline_ready,
    )
    return observed, served.note


def _collect(
    loaded: Loaded, stage: Stage, connectors: Connectors, now: datetime, told: str, since: datetime | None
) -> tuple[tuple[Reading, ...], dict[str, Cursor], tuple[Entry, ...]]:
    """The signals' readings and cursors, and what is to be said: `told` by the target, and by the signals.

    Who was given a version before users were split as they are `since`, or meanwhile, tells nothing of that.
    """
    interval = Interval(stage=stage.id, share=compared_share(loaded.state), now=now.timestamp())
    readings: list[Reading] = []
    entries: list[Entry] = []
    cursors = dict(loaded.cursors)
    said = cursors.get(NOTES, {})
    notes: Cursor = {TARGET: told} if told else {}
    if told and told != said.get(TARGET):
        entries.append(Entry(kind="target", text=f"The target says: {told}"))
    for guard in loaded.plan.guards:
        if not guard.counts_in(stage.id):
            # Asked again later, it begins anew: what happens meanwhile is of no stage in which it counts.
            cursors.pop(guard.kpi, None)
            rest = _rest_of_before(loaded, guard, connectors, interval)
            if rest is not None:
                cursors[guard.kpi] = rest.cursor
                readings += () if rest.reading is None else (rest.reading,)
            continue
        collected = _collect_one(loaded, guard, connectors, interval)
        cursors[guard.kpi] = collected.cursor
        one = collected.reading
        if (
            one is not None
            and is_of_one_split(guard, one, since)
            and is_of_here(loaded.plan, loaded.state, guard, one)
        ):
            readings.append(one)
        if collected.note:
            notes[guard.kpi] = collected.note
        if collected.note and collected.note != said.get(guard.kpi):
            entries.append(Entry(kind="signal", text=f"{guard.kpi}: {collected.note}"))
    return tuple(readings), {**cursors, NOTES: notes}, tuple(entries)


def _split_since(state: State, observed: Event) -> datetime | None:
    """When users were first seen to be split as they are; None where the target may have changed it since."""
    if isinstance(observed, TargetObserved):
        return split_since(state, observed)
    is_share = is_same(state.desired_share, state.served_share or 0.0)
    return state.split_at if is_share and is_same(state.desired_control, state.served_control) else None


def _rest_of_before(
    loaded: Loaded, guard: Guard, connectors: Connectors, interval: Interval
) -> Collected | None:
    """What a source that is asked with a delay still tells of the stage before, in which the guard counted;
    None once that is all. Its reading is None while it tells of an earlier stage, in which it did not."""
    state, entered = loaded.state, stage_since(loaded.state)
    if not state.stage or entered is None or guard.kpi not in loaded.cursors:
        return None
    before = loaded.plan.stages[state.stage - 1]
    if not guard.counts_in(before.id):
        return None
    share = share_of_work(before.exposure.live, before.exposure.mirrored, before.exposure.control)
    rest = _collect_one(loaded, guard, connectors, replace(interval, stage=before.id, share=share))
    reading, left_at = rest.reading, entered.timestamp()
    if reading is None or reading.problem is not None or reading.start >= left_at:
        return None
    if reading.end > left_at + loaded.plan.policy.tick_seconds:
        return None
    is_earlier = reading.start < counts_since(loaded.plan, state, guard)
    return replace(rest, reading=None) if is_earlier else rest


def _collect_one(loaded: Loaded, guard: Guard, connectors: Connectors, interval: Interval) -> Collected:
    cursor = loaded.cursors.get(guard.kpi)
    try:
        return connectors.signal(loaded.id, guard).collect(cursor, interval)
    except Exception as error:
        note = _problem(error, f"the signal of {guard.kpi}")
        now = interval.now
        reading = Reading(guard.kpi, now, now, interval.stage, interval.share, problem="source_down")
        return Collected(reading=reading, cursor=cursor or {}, note=note)


def _judge(
    loaded: Loaded, stage: Stage, readings: tuple[Reading, ...], now: datetime
) -> tuple[dict[str, object], Verdict]:
    share = compared_share(loaded.state)
    try:
        rules = rules_of(loaded.plan)
        state = judge.load(rules, loaded.judge) if loaded.judge else judge.begin(rules)
        state = judge.update(rules, state, readings)
        begun = loaded.state.told_at
        since = None if begun is None else begun.timestamp()
        said = judge.verdict(rules, state, now=now.timestamp(), stage=stage.id, share=share, since=since)
        return judge.dump(state), said
    except Exception as error:
        reason = f"the judge failed: {_problem(error, f'the judge of {loaded.id}')}"
        blind = Verdict("blind", now.timestamp(), stage.id, 0.0, 0.0, 0.0, reason, guards=())
        return loaded.judge, blind


def _problem(error: Exception, what: str) -> str:
    if isinstance(error, RollwayError):
        return error.message
    log.exception("%s raised", what)
    return f"{type(error).__name__}: {error}"


def _decide(
    loaded: Loaded, seen: Seen, first: tuple[Event, ...], now: datetime
) -> tuple[State, tuple[Effect, ...], tuple[Entry, ...]]:
    state = loaded.state
    effects: tuple[Effect, ...] = ()
    entries = seen.entries
    time_passed = ClockTicked(at=now, verdict=seen.verdict, is_approved=loaded.is_approved)
    for event in (*first, *seen.events, *((time_passed,) if seen.is_whole else ())):
        step = machine.advance(loaded.plan, state, event)
        state = step.state
        effects = machine.with_effects(effects, step.effects)
        entries += step.entries
    return state, effects, entries


def _act(
    loaded: Loaded,
    effects: tuple[Effect, ...],
    rollouts: Rollouts,
    connectors: Connectors,
    runner: TaskRunner,
) -> None:
    for effect in effects:
        if isinstance(effect, RunTask):
            _run(loaded, effect, runner)
            continue
        try:
            tell_target(connectors.target(loaded.id, loaded.plan), effect, loaded.seq + 1)
        except Exception as error:
            rollouts.note_target_problem(
                loaded.id, loaded.seq + 1, _problem(error, f"the target of {loaded.id}")
            )


def _run(loaded: Loaded, effect: RunTask, runner: TaskRunner) -> None:
    try:
        runner.run(loaded.id, effect)
    except Exception:
        # It stands in the record as begun; nobody knows of it, so that people are asked.
        log.exception("the command of %s in %s could not be begun", effect.subject, loaded.id)


def tell_target(target: Target, effect: SetShare, fence: int) -> None:
    """Tell it what it is to serve. Raises whatever it raises, and InputError for what it cannot do."""
    # Only targets that know groups take them, and only those that can sample a control group are told one.
    more: dict[str, Any] = {"groups": effect.groups} if getattr(target, "serves_groups", False) else {}
    if samples_control(target):
        more["control"] = effect.control
    elif effect.control:
        raise InputError(NO_SAMPLES)
    target.apply(effect.share, mirrored=effect.mirrored, fence=fence, **more)
