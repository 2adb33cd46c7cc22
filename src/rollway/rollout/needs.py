"""Everything that a rollout waits for now: what, from whom, since when, and what it would take. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rollway.planning import Plan, Stage, Task
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.people import gate_words
from rollway.planning.runbooks.model import UndoStep
from rollway.planning.task_order import is_own
from rollway.rollout.clock import lacking_of
from rollway.rollout.entering import left_gates
from rollway.rollout.gates import gate_people, is_followed, unmet_gates
from rollway.rollout.model import Doing, State
from rollway.rollout.runs import why_not_now
from rollway.rollout.steps import (
    NOT_READY,
    SAME_SHARE,
    is_past_return,
    is_same,
    live_share,
    next_stage,
    percent,
)
from rollway.rollout.tasks import decision_of, due_at, open_after, open_before, open_during, open_entry
from rollway.rollout.undoing import needed_undo

NeedKind = Literal[
    "gate", "task", "decision", "undo", "window", "time", "target", "version", "evidence", "person"
]
"""time: that it passes; target: to serve what it was told; version: the new one to be ready; evidence: the
judge's word; person: somebody who says how it goes on."""

OPERATORS = "the operators"
NOT_YET = "its time has not come yet"
OPEN_TIME = ("blind", "harmful")
"""The verdicts that keep a rollout in a stage of which only its time is asked."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a rollout waits for. `who` is empty where nobody can hurry it; `since` is None where it
    is not known, and `until` where it does not end by itself; of a task that is ahead, `until` is when its
    time comes. `subject` is the gate, task or undo step."""

    kind: NeedKind
    what: str
    who: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    takes: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stage's rule asks of the judge's last word. It counts for the stage that it is about."""

    stage: str
    kind: str
    baseline_ready: bool = False
    mismatch: bool = False


def lacking(plan: Plan, state: State, at: datetime, heard: Heard | None = None) -> tuple[Need, ...]:
    """What the rollout waits for now, the nearest first; nothing where it has ended.

    `heard` is the judge's last word; without it the kind that the state remembers counts, which cannot tell
    whether the old version's numbers are all there.
    """
    heard = heard or _remembered(plan, state)
    if state.is_final:
        return ()
    if state.phase == "rolling_back":
        return tuple(_going_back(plan, state))
    if state.phase == "paused":
        return tuple(_paused(plan, state, at))
    found: list[Need] = []
    if state.phase == "running":
        found += _here(plan, state, at, heard)
    stage = next_stage(plan, state)
    if stage is not None:
        found += _ahead(plan, state, stage, at)
    elif state.closing_at is not None:
        found += (_task(plan, state, task, at) for task in open_after(plan, state))
        found += _well_again(plan, state)
    return tuple(found)


# --- the stage that is served -----------------------------------------------------------------------


def _here(plan: Plan, state: State, at: datetime, heard: Heard | None) -> Iterator[Need]:
    stage = plan.stages[state.stage]
    if state.entered_at is None:
        yield _target(state, f"the target to serve {stage.title}")
        return
    if state.closing_at is not None:
        return
    if state.is_dead_told and state.unready_since is not None:
        takes = "the new version to be ready where the target looks; or, once it is mended, "
        takes += "rollway roll-forward ROLLOUT --because TEXT"
        yield Need("version", NOT_READY, _operators(plan), since=state.unready_since, takes=takes)
    for task in open_during(plan, state, stage):
        yield _task(plan, state, task, at)
    baked = state.entered_at + timedelta(seconds=stage.bake_seconds)
    if state.is_promoted:
        return
    if at < baked:
        what = f"the bake time of {stage.title}"
        yield Need("time", what, since=state.entered_at, until=baked, takes="time, or promote by an operator")
    decision = decision_of(plan, stage)
    if decision is not None:
        if (doing := state.tasks.get(decision.id)) is None or not doing.is_over:
            yield _task(plan, state, decision, at)
    elif stage.advance == "person":
        takes = "rollway promote --because TEXT"
        yield Need("person", f"the decision to leave {stage.title}", _operators(plan), baked, takes=takes)
    elif at >= baked and not _is_over(state) and not _is_rule_met(state, stage, heard):
        yield _evidence(plan, state, stage, baked, at)


def _is_over(state: State) -> bool:
    """Whether the stage's rule was met when it was last looked at, so that the next one is waited for."""
    return state.standing.startswith(("waiting to enter ", "before ", "tasks of "))


def _is_rule_met(state: State, stage: Stage, heard: Heard | None) -> bool:
    """Whether the judge's last word is all that the stage asks of it, so that only other things are open."""
    if state.unready_since is not None:
        return False
    if heard is None or heard.stage != stage.id:
        return stage.advance == "time"
    if heard.mismatch:
        return False
    return {
        "ready": heard.baseline_ready,
        "evidence": heard.kind == "healthy",
        "time": heard.kind not in OPEN_TIME,
        "person": False,
    }[stage.advance]


def _remembered(plan: Plan, state: State) -> Heard | None:
    """The last verdict as the state has it: it is about the stage that is served."""
    if state.heard is None:
        return None
    is_mismatch = state.mismatch_stage == state.stage
    return Heard(plan.stages[state.stage].id, state.heard, mismatch=is_mismatch)


def _evidence(plan: Plan, state: State, stage: Stage, since: datetime, at: datetime) -> Need:
    ratios = ", ".join(f"{kpi} below {margin:g} times" for kpi, margin in stage.margins.items())
    takes = {
        "ready": "numbers of the old version for every gate that counts here",
        "evidence": f"a healthy verdict{f': {ratios} of the old version' if ratios else ''}",
        "time": "a verdict that is neither blind nor harmful",
        "person": "",
    }[stage.advance]
    if state.heard == "blind":
        takes = f"usable numbers, and then {takes}"
    elif state.asked_at is not None:
        takes += "; or promote, or rollback, by a person who was asked"
    what = state.standing or lacking_of(plan, state, at, None)
    return Need("evidence", what, since=state.blind_since or since, takes=takes)


# --- the stage ahead --------------------------------------------------------------------------------


def _ahead(plan: Plan, state: State, stage: Stage, at: datetime) -> Iterator[Need]:
    for gate in unmet_gates(plan, state, stage):
        if is_followed(plan) and gate.kind == "task":
            continue
        reached = f' --because "{percent(gate.minimum)} reached"' if gate.minimum is not None else ""
        takes = f"rollway task confirm ROLLOUT {gate.id}{reached}"
        who = gate_people(plan, gate) or _operators(plan)
        yield Need("gate", f"{gate_words(gate)} (before {stage.title})", who, takes=takes, subject=gate.id)
    for task in (*open_before(plan, state, stage), *open_entry(plan, state, stage)):
        yield _task(plan, state, task, at)
    yield from _window(plan, state, stage, at)
    if state.candidate_ready is False and live_share(stage) > state.desired_share:
        takes = "the new version to be ready where the target looks"
        yield Need("version", f"{stage.title} needs a new version that is ready", takes=takes)
    if stage.id in state.turns and not open_entry(plan, state, stage):
        for gate in left_gates(plan, state, stage):
            # Its task was left out, so nobody can do it any more; the gate itself is still shut.
            what, takes = gate_words(gate), f"rollway task waive ROLLOUT {gate.id} --because TEXT"
            since = state.turns[stage.id]
            yield Need("gate", what, _operators(plan), since, takes=takes, subject=gate.id)


def _window(plan: Plan, state: State, stage: Stage, at: datetime, when: str = "") -> Iterator[Need]:
    if not stage.in_window or state.override is not None:
        return
    window = plan_state(plan, at)
    if not window.is_open:
        what = f"{when}{stage.title} may not be entered: {window.reason}"
        takes = "the window to open, or rollway override-window ROLLOUT --because TEXT"
        yield Need("window", what, until=window.next_open, takes=takes)


def _well_again(plan: Plan, state: State) -> Iterator[Need]:
    """A version that died in the end is not done, whatever else is."""
    if state.unready_since is not None:
        left = "do what is left by hand, and confirm or skip each task"
        takes = "the new version to be ready where the target looks; or "
        takes += left if open_after(plan, state) else "rollway promote ROLLOUT --because TEXT"
        yield Need("version", NOT_READY, _operators(plan), since=state.unready_since, takes=takes)


# --- what people do ---------------------------------------------------------------------------------


def _task(plan: Plan, state: State, task: Task | UndoStep, at: datetime) -> Need:
    is_undo = isinstance(task, UndoStep)
    doing = (state.undo if is_undo else state.tasks).get(task.id)
    is_decision = isinstance(task, Task) and (task.gate or not task.reversible)
    kind: NeedKind = "undo" if is_undo else "decision" if is_decision else "task"
    who, since = _people(task, is_decision), None if doing is None else doing.begun_at or doing.ready_at
    takes, until = _takes(plan, state, task, doing, at), None
    if isinstance(task, Task) and takes == NOT_YET:
        until = due_at(plan, state, task, at)
    return Need(kind, task.title, who, since, until, takes, task.id)


def _people(task: Task | UndoStep, is_decision: bool) -> tuple[str, ...]:
    names: tuple[str, ...] = (task.owner,)
    if isinstance(task, Task):
        names = (task.decider if is_decision else task.owner, task.backup)
    return tuple(dict.fromkeys(name for name in names if name))


def _takes(plan: Plan, state: State, task: Task | UndoStep, doing: Doing | None, at: datetime) -> str:
    if doing is None:
        before = [
            one.title
            for one in plan.runbook
            if isinstance(task, Task)
            and one.id in task.after
            and not ((done := state.tasks.get(one.id)) and done.is_over)
            and not is_own(one)
        ]
        return f"first: {'; '.join(before)}" if before else NOT_YET
    said = f"rollway task {{}} ROLLOUT {task.id}"
    if doing.is_stuck:
        is_decided = isinstance(task, Task) and (
            task.gate or (not task.reversible and doing.begun_at is None)
        )
        ways = ("go",) if is_decided else ("done", "repeat")
        return "; ".join([*map(said.format, ways), "or skip with a reason"])
    if doing.state == "running" and doing.attempt:
        return "its command to end"
    if isinstance(task, Task):
        if task.gate or (not task.reversible and doing.state == "ready"):
            return f"{said.format('go')} (or no-go)"
        if task.automatic and (closed := why_not_now(plan, state, task, at)):
            return f"to be run by Rollway, and {closed}"
        if task.trigger and doing.state == "ready":
            return f"{task.trigger}; then {said.format('begin')}"
    return said.format("done")


# --- paused, and going back -------------------------------------------------------------------------


def _paused(plan: Plan, state: State, at: datetime) -> Iterator[Need]:
    stuck = [task for task in plan.runbook if (known := state.tasks.get(task.id)) and known.is_stuck]
    for task in stuck:
        yield _task(plan, state, task, at)
    refused = tuple(_refusing(plan, state, at))
    yield from refused
    if not state.held_by_task or not stuck:
        takes = _word_to_go_on(plan, state, is_refused=bool(refused))
        yield Need("person", state.standing, _operators(plan), takes=takes)
    following = next_stage(plan, state)
    if following is not None and not any(need.kind == "window" for need in refused):
        yield from _window(plan, state, following, at, "once resumed, ")


def _word_to_go_on(plan: Plan, state: State, *, is_refused: bool) -> str:
    is_past, is_harmful = is_past_return(plan, state), state.heard == "harmful"
    if is_harmful and is_past:
        return "rollway roll-forward --because TEXT, once it is mended"
    word = "rollway promote --because TEXT" if is_harmful and state.held_for else "rollway resume"
    before = " (it is refused before)" if is_refused else ""
    return f"{word}{before}, or {'roll-forward once it is mended' if is_past else 'rollback by anybody'}"


def _refusing(plan: Plan, state: State, at: datetime) -> Iterator[Need]:
    """What a resume is refused for: where it would raise what is served, the stage is entered once more."""
    stage = plan.stages[state.stage]
    if state.started_at is not None and live_share(stage) > state.desired_share + SAME_SHARE:
        yield from _ahead(plan, state, stage, at)


def _going_back(plan: Plan, state: State) -> Iterator[Need]:
    if state.back_at is None:
        yield _target(state, "the target to serve the old version to everyone")
        return
    for step in needed_undo(plan, state):
        doing = state.undo.get(step.id)
        if doing is None or not doing.is_over:
            yield _task(plan, state, step, state.back_at)


def _target(state: State, what: str) -> Need:
    served = "nothing read back yet" if state.served_share is None else f"{percent(state.served_share)} now"
    problem = f"; {state.target_problem}" if state.target_problem else ""
    waits = "; the old version is not ready" if state.baseline_ready is False else ""
    group = ""
    if not is_same(state.served_control, state.desired_control):
        group = f" beside a control group of {percent(state.desired_control)}"
        served += f", beside one of {percent(state.served_control)}"
    takes = f"{percent(state.desired_share)}{group} read back ({served}{problem}{waits})"
    return Need("target", what, since=state.told_at, takes=takes)


def _operators(plan: Plan) -> tuple[str, ...]:
    return plan.operators or (OPERATORS,)
