"""One rehearsed rollout: the real state machine and the real judge on a simulated service and target.

Nothing is decided here. Each moment is a tick in the engine's order (observe, collect, judge, decide, act);
`leaps` passes over the ticks at which nothing can be decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import numpy as np

from rollway import judge
from rollway.judge import JudgeState, Reading, Rules, Verdict
from rollway.planning import Plan, Stage
from rollway.planning.calendar.in_plan import plan_state
from rollway.rehearsal import hands
from rollway.rehearsal import sham as shams
from rollway.rehearsal.draws import Drawn, Place, draw, reading
from rollway.rehearsal.scenario import Fault, Scenario, Trouble
from rollway.rehearsal.sham import Sham, Split
from rollway.rollout import machine
from rollway.rollout.model import (
    ClockTicked,
    CommandGiven,
    CommandKind,
    Effect,
    Entry,
    Event,
    EvidenceRead,
    SetShare,
    State,
    TargetFailed,
    TargetObserved,
    TaskRan,
)
from rollway.rollout.rules import rules_of
from rollway.rollout.steps import compared_share, split_since
from rollway.rollout.tasks import decision_of

PERSON = hands.PERSON
Ending = Literal["done", "evidence", "hard stop", "blind", "patience", "person", "held", "not over"]
"""done: everyone has it. evidence, hard stop, blind, patience, person: why it was taken back. held: past the
point of no return, waiting for people. not over: it did not end within the time that is rehearsed."""
Wait = Literal["a change window", "the target", "a person", "numbers", "evidence"]


@dataclass(frozen=True)
class Script:
    """What all runs of a scenario share."""

    plan: Plan
    scenario: Scenario

    @cached_property
    def rules(self) -> Rules:
        return rules_of(self.plan)

    @cached_property
    def tick_seconds(self) -> float:
        return self.plan.policy.tick_seconds


@dataclass(slots=True)
class Run:
    """One run so far; times are unix seconds. All parts but `rng` are values, so a copy is a branch.

    told_at: when each stage was told to the target. path: the share really served, from each moment on.
    exposed, met: requests that the new version served, and those while the fault was there. waits: seconds
    beyond the bake time, by stage and what was waited for. log_e: the evidence of harm when a leap last
    looked at it, in nats; jolts: the squares of its latest moves, added up, and in how many ticks they came.
    """

    script: Script
    rng: np.random.Generator
    at: float
    state: State
    judged: JudgeState
    sham: Sham = field(default_factory=Sham)
    collected: float | None = None
    unread: tuple[Drawn, ...] = ()
    told_at: dict[str, float] = field(default_factory=dict)
    path: list[tuple[float, float]] = field(default_factory=list)
    waits: dict[tuple[str, Wait], float] = field(default_factory=dict)
    entries: list[tuple[float, Entry]] = field(default_factory=list)
    exposed: float = 0.0
    met: float = 0.0
    found: float | None = None
    ending: Ending | None = None
    paused_at: float | None = None
    retry_at: float = 0.0
    luck: tuple[int, float] = (-1, 1.0)
    moved: bool = False
    ticks: int = 0
    verdict: Verdict | None = None
    log_e: float = 0.0
    jolts: tuple[float, float] = (0.0, 0.0)

    def copy(self) -> Run:
        return replace(
            self,
            told_at=dict(self.told_at),
            path=list(self.path),
            waits=dict(self.waits),
            entries=list(self.entries),
        )

    @property
    def stage(self) -> Stage:
        return self.script.plan.stages[self.state.stage]

    @property
    def is_over(self) -> bool:
        is_final = self.state.is_final or self.state.closing_at is not None
        return self.ending is not None and (is_final or self.ending in ("held", "not over"))

    @property
    def elapsed(self) -> float:
        """Seconds since the stage was read back; 0 before."""
        entered = self.state.entered_at
        return 0.0 if entered is None else self.at - entered.timestamp()


def begin(script: Script, at: float, rng: np.random.Generator) -> Run:
    """A rollout that was started at a moment (unix seconds) and has done nothing yet."""
    state = hands.gates_met(script.plan, at)
    return Run(script, rng, at, state, judge.begin(script.rules), path=[(at, 0.0)])


# --- the world at a moment --------------------------------------------------------------------------


def onset(run: Run) -> float | None:
    """When the fault begins, or began; None while its stage has not come."""
    fault = run.script.scenario.fault
    if fault is None or fault.stage not in run.told_at:
        return None
    return run.told_at[fault.stage] + fault.after_seconds


def troubles_at(run: Run, now: float) -> tuple[Trouble, ...]:
    return tuple(
        trouble
        for trouble in run.script.scenario.troubles
        if trouble.stage in run.told_at
        and 0 <= now - run.told_at[trouble.stage] - trouble.after_seconds < trouble.seconds
    )


def served(run: Run, until: float) -> tuple[Drawn, ...]:
    """What both versions serve from now until then, with what was served before and not read yet."""
    begins, due = onset(run), run.sham.due
    cuts = sorted({at for at in (begins, due and due[1]) if at is not None and run.at < at < until})
    total = run.unread
    for start, end in zip((run.at, *cuts), (*cuts, until), strict=True):
        fault = run.script.scenario.fault if begins is not None and start >= begins else None
        split = shams.at_moment(run.sham, start).serving
        place = Place(start, end, split.share, fault, split.control)
        drawn = draw(run.rng, run.script.scenario.world, place, _luck(run, start))
        total = drawn if not total else tuple(map(_sum, total, drawn))
    return total


def _sum(a: Drawn, b: Drawn) -> Drawn:
    return Drawn(a.measure, a.candidate + b.candidate, a.baseline + b.baseline)


def _luck(run: Run, at: float) -> float:
    """The new version's own luck, drawn anew for each block of time."""
    noise = run.script.scenario.world.noise
    if noise.spread == 0:
        return 1.0
    block = int(at // noise.block_seconds)
    if run.luck[0] != block:
        run.luck = (block, float(np.exp(run.rng.normal(-(noise.spread**2) / 2, noise.spread))))
    return run.luck[1]


def account(run: Run, until: float) -> None:
    """Add what the new version serves from now until then, and how much of it meets the fault."""
    begins, due, traffic = onset(run), run.sham.due, run.script.scenario.world.traffic
    cuts = sorted({at for at in (begins, due and due[1]) if at is not None and run.at < at < until})
    for start, end in zip((run.at, *cuts), (*cuts, until), strict=True):
        share = shams.at_moment(run.sham, start).serving.share
        requests = share * traffic.expected(start, end) if share else 0.0
        run.exposed += requests
        run.met += requests if begins is not None and start >= begins else 0.0


# --- one tick ---------------------------------------------------------------------------------------


def tick(run: Run, now: float, drawn: tuple[Drawn, ...] | None = None) -> None:
    """Everything that the engine does in one tick at `now`; `drawn` is what was served since the last one."""
    commands = _commands(run, now)
    before = run.state
    if before.phase == "waiting" or before.is_final:
        _pass_time(run, now)
        _decide(run, commands, None)
        return
    if drawn is None:
        drawn = served(run, now)
    _pass_time(run, now)
    run.sham = shams.at_moment(run.sham, now)
    observed = _observe(run)
    if before.phase == "rolling_back":
        run.unread = drawn
        _decide(run, (observed, *commands), None)
        return
    readings = collect(run, drawn)
    run.judged = judge.update(run.script.rules, run.judged, readings)
    share = compared_share(before, with_copies=False)
    run.verdict = judge.verdict(run.script.rules, run.judged, now=now, stage=run.stage.id, share=share)
    _decide(run, (observed, EvidenceRead(at=_moment(now), verdict=run.verdict), *commands), run.verdict)


def _pass_time(run: Run, now: float) -> None:
    _note_wait(run, now - run.at)
    account(run, now)
    run.at = now
    run.ticks += 1


def _observe(run: Run) -> Event:
    at, problem = _moment(run.at), run.sham.problem
    if problem:
        run.sham = replace(run.sham, problem="")
        return TargetFailed(at=at, problem=problem)
    return _seen(run)


def _seen(run: Run) -> TargetObserved:
    share, control = run.sham.said
    mirrored = run.state.desired_mirrored
    return TargetObserved(at=_moment(run.at), share=share, mirrored=mirrored, control=control)


def collect(run: Run, drawn: Sequence[Drawn]) -> list[Reading]:
    """The readings of this moment. A source that is down keeps what it has counted for when it is back."""
    start, run.collected = run.collected, run.at if run.collected is None else run.collected
    stage, share = run.stage.id, compared_share(run.state, with_copies=False)
    if any(trouble.kind == "source_down" for trouble in troubles_at(run, run.at)):
        run.unread = tuple(drawn)
        guards = run.script.plan.guards
        return [Reading(g.kpi, run.at, run.at, stage, share, problem="source_down") for g in guards]
    run.unread, run.collected = (), run.at
    if start is None or start >= run.at:
        return []
    is_of_one_split = start >= split_since(run.state, _seen(run)).timestamp()
    kept = [each for each in drawn if is_of_one_split or each.measure.kind != "assignment"]
    return [reading(each, start, run.at, stage, share) for each in kept]


def _decide(run: Run, events: Sequence[Event], verdict: Verdict | None) -> None:
    before = run.state
    effects: tuple[Effect, ...] = ()
    for event in (*events, ClockTicked(at=_moment(run.at), verdict=verdict)):
        step = machine.advance(run.script.plan, run.state, event)
        _note_ending(run, step.state, event)
        run.state = step.state
        effects = machine.with_effects(effects, step.effects)
        run.entries += [(run.at, entry) for entry in step.entries]
        if any(entry.kind == "refused" for entry in step.entries):
            _on_refusal(run, event)
    told = run.state.desired_share, run.state.desired_control
    run.moved = told != (before.desired_share, before.desired_control)
    if run.state.started_at is not None and run.stage.id not in run.told_at:
        run.told_at[run.stage.id] = run.at
    for effect in effects:
        if isinstance(effect, SetShare):
            split = Split(effect.share, effect.control)
            run.sham = shams.told(run.sham, split, run.at, troubles_at(run, run.at))
    if run.sham.serving.share != run.path[-1][1]:
        run.path.append((run.at, run.sham.serving.share))
    if run.state.phase != "paused":
        run.paused_at = None
    elif run.paused_at is None:
        run.paused_at = run.at


def _note_ending(run: Run, after: State, event: Event) -> None:
    """Why the rollout goes back, at the moment when that is decided; and that it is done."""
    if after.phase == "done" or after.closing_at is not None:
        run.ending = "done"
    if after.phase not in ("rolling_back", "rolled_back") or run.found is not None:
        return
    run.found = run.at
    match event:
        case EvidenceRead(verdict=verdict) if verdict.kind == "harmful":
            run.ending = "hard stop" if verdict.is_stop else "evidence"
        case EvidenceRead():
            run.ending = "blind"
        case CommandGiven():
            run.ending = "person"
        case _:
            run.ending = "patience"


# --- people -----------------------------------------------------------------------------------------


def command_due(run: Run) -> tuple[float, CommandKind] | None:
    """When a person says what next, as things stand; None where nobody is asked."""
    people, state = run.script.scenario.people, run.state
    if state.phase == "paused" and run.paused_at is not None:
        return max(run.paused_at + people.answer_seconds, run.retry_at), "rollback"
    if state.phase != "running" or state.entered_at is None:
        return None
    if run.stage.advance == "person" and decision_of(run.script.plan, run.stage) is None:
        due = state.entered_at.timestamp() + run.stage.bake_seconds + people.go_seconds
        return max(due, run.retry_at), "promote"
    if state.asked_at is not None:
        return max(state.asked_at.timestamp() + people.answer_seconds, run.retry_at), people.answer
    return None


def tasks_due(run: Run) -> list[tuple[float, CommandGiven | TaskRan]]:
    """What is said next of each task that the plan follows, and when."""
    told = hands.done_next(run.script.plan, run.state, run.script.scenario.people.go_seconds)
    return [(at.timestamp(), event) for at, event in told]


def _commands(run: Run, now: float) -> tuple[CommandGiven | TaskRan, ...]:
    at = _moment(now)
    said = tuple(event.model_copy(update={"at": at}) for due, event in tasks_due(run) if due <= now)
    due = command_due(run)
    if due is None or now < due[0]:
        return said
    return (*said, CommandGiven(at=at, kind=due[1], actor=PERSON, reason="as rehearsed"))


def _on_refusal(run: Run, event: Event) -> None:
    """Past the point of no return a person cannot take it back; a closed window is waited for."""
    if isinstance(event, CommandGiven) and event.kind == "rollback":
        run.ending = "held"
        return
    opens = plan_state(run.script.plan, _moment(run.at)).next_open
    later = run.at + run.script.scenario.people.go_seconds
    run.retry_at = later if opens is None else max(opens.timestamp(), run.at + 1.0)


# --- words of time ----------------------------------------------------------------------------------


def _note_wait(run: Run, seconds: float) -> None:
    what = waits_for(run)
    if what is not None and seconds > 0:
        key = (run.stage.id, what)
        run.waits[key] = run.waits.get(key, 0.0) + seconds


def waits_for(run: Run) -> Wait | None:
    """What the rollout waits for at this moment; None while it bakes as planned."""
    state, stage = run.state, run.stage
    if state.phase == "waiting":
        return "a change window"
    if state.phase == "paused":
        return "a person"
    if state.phase != "running" or state.entered_at is None:
        return "the target"
    if run.elapsed < stage.bake_seconds:
        return None
    if is_shut(run):
        return "a change window"
    if stage.advance == "person" or state.asked_at is not None:
        return "a person"
    return "numbers" if state.heard == "blind" else "evidence"


def is_shut(run: Run) -> bool:
    """Whether only a closed window keeps the rollout from its next stage."""
    return run.state.standing.startswith("waiting to enter")


def fault_of(run: Run) -> Fault | None:
    """The fault, once it is there."""
    begins = onset(run)
    return run.script.scenario.fault if begins is not None and begins <= run.at else None


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
