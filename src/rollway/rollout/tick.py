"""One evaluation of a rollout: observe, judge, decide, commit, act. In this order; see decision 0003."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from rollway import judge
from rollway.errors import RollwayError
from rollway.judge import Reading, Verdict
from rollway.planning import Guard, Plan
from rollway.rollout import machine
from rollway.rollout.model import (
    ClockTicked,
    Effect,
    Entry,
    Event,
    EvidenceRead,
    State,
    TargetFailed,
    TargetObserved,
)
from rollway.rollout.ports import Cursor, Interval, Loaded, Move, Rollouts, Signal, Target
from rollway.rollout.rules import rules_of

log = logging.getLogger("rollway.tick")

Outcome = Literal["moved", "stale", "final"]


class Connectors(Protocol):
    """Finds the signals and the target of a plan; kept between ticks, so that connections are reused."""

    def signal(self, rollout: str, guard: Guard) -> Signal: ...

    def target(self, rollout: str, plan: Plan) -> Target: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tick saw of the world before it decided."""

    events: tuple[Event, ...]
    readings: tuple[Reading, ...]
    cursors: dict[str, Cursor]
    judge: dict[str, object]
    verdict: Verdict | None


def tick(
    rollout: str, seq: int, *, rollouts: Rollouts, connectors: Connectors, clock: Callable[[], datetime]
) -> Outcome:
    """Evaluate a rollout once. A tick whose number has passed changes nothing, so repeating is harmless."""
    loaded = rollouts.load(rollout)
    if loaded is None or loaded.seq != seq:
        return "stale"
    if loaded.state.is_final:
        return "final"
    seen = _look(loaded, connectors, clock)
    now = clock()
    state, effects, entries = _decide(loaded, seen, now)
    share_moved = state.desired_share != loaded.state.desired_share
    move = Move(
        rollout=rollout,
        seq=seq,
        at=now,
        state=state,
        judge=seen.judge,
        cursors=seen.cursors,
        readings=seen.readings,
        verdict=seen.verdict,
        entries=entries,
        heard=tuple(pending.id for pending in loaded.pending),
        wake_after=machine.next_wake(loaded.plan, state, now, moved=share_moved),
    )
    if not rollouts.commit(move):
        return "stale"
    _act(loaded, effects, rollouts, connectors)
    return "moved"


def _look(loaded: Loaded, connectors: Connectors, clock: Callable[[], datetime]) -> Seen:
    commands = tuple(pending.event for pending in loaded.pending)
    is_waiting = loaded.state.phase == "waiting"
    if is_waiting or any(command.kind == "rollback" for command in commands):
        # A person's rollback does not wait for a target or a signal that may hang.
        return Seen(commands, (), loaded.cursors, loaded.judge, None)
    observed = _observe(loaded, connectors, clock)
    readings, cursors = _collect(loaded, connectors, clock)
    rules = rules_of(loaded.plan)
    state = judge.load(rules, loaded.judge) if loaded.judge else judge.begin(rules)
    state = judge.update(rules, state, readings)
    stage = loaded.plan.stages[loaded.state.stage]
    verdict = judge.verdict(
        rules, state, now=clock().timestamp(), stage=stage.id, share=loaded.state.served_share or 0.0
    )
    events = (observed, EvidenceRead(at=clock(), verdict=verdict), *commands)
    return Seen(events, readings, cursors, judge.dump(state), verdict)


def _observe(loaded: Loaded, connectors: Connectors, clock: Callable[[], datetime]) -> Event:
    if loaded.target_problem:
        return TargetFailed(at=clock(), problem=loaded.target_problem)
    try:
        share = connectors.target(loaded.id, loaded.plan).observe()
    except RollwayError as error:
        return TargetFailed(at=clock(), problem=error.message)
    return TargetObserved(at=clock(), share=share)


def _collect(
    loaded: Loaded, connectors: Connectors, clock: Callable[[], datetime]
) -> tuple[tuple[Reading, ...], dict[str, Cursor]]:
    stage = loaded.plan.stages[loaded.state.stage]
    interval = Interval(stage=stage.id, share=loaded.state.served_share or 0.0, now=clock().timestamp())
    readings: list[Reading] = []
    cursors = dict(loaded.cursors)
    for guard in loaded.plan.guards:
        collected = connectors.signal(loaded.id, guard).collect(cursors.get(guard.kpi), interval)
        cursors[guard.kpi] = collected.cursor
        if collected.reading is not None:
            readings.append(collected.reading)
    return tuple(readings), cursors


def _decide(loaded: Loaded, seen: Seen, now: datetime) -> tuple[State, tuple[Effect, ...], tuple[Entry, ...]]:
    state = loaded.state
    effects: tuple[Effect, ...] = ()
    entries: tuple[Entry, ...] = ()
    for event in (*seen.events, ClockTicked(at=now, verdict=seen.verdict)):
        step = machine.advance(loaded.plan, state, event)
        state = step.state
        # Shares are absolute: only the last one asked for matters.
        effects = step.effects or effects
        entries += step.entries
    return state, effects, entries


def _act(loaded: Loaded, effects: tuple[Effect, ...], rollouts: Rollouts, connectors: Connectors) -> None:
    for effect in effects:
        try:
            connectors.target(loaded.id, loaded.plan).apply(effect.share, fence=loaded.seq + 1)
        except RollwayError as error:
            log.warning("target of %s: %s", loaded.id, error.message)
            rollouts.note_target_problem(loaded.id, error.message)
