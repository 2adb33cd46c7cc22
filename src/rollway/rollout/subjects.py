"""What people say of one gate, task or undo step: begun, done, failed, skipped, go, no go, waived, repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollway.planning import Gate, Plan, Stage, Task
from rollway.planning.runbooks.model import UndoStep
from rollway.planning.task_order import deciding, is_own
from rollway.planning.words import percent
from rollway.rollout.entering import go_on, why_not_on
from rollway.rollout.gates import figure_in, is_followed
from rollway.rollout.model import CommandGiven, CommandKind, Doing, Entry, State, Step, Word
from rollway.rollout.runs import is_at_work, run_task, stuck, why_not_now, with_doing
from rollway.rollout.steps import changed, is_past_return, listed, roll_back, said, told_by
from rollway.rollout.tasks import is_over, task_of, told_task
from rollway.rollout.undoing import call_off, needed_undo


def on_subject(plan: Plan, state: State, event: CommandGiven) -> Step:
    """Follow a command about one thing, or refuse it with words."""
    about = find_subject(plan, state, event.subject, event.kind)
    if isinstance(about, str):
        return _refused(state, event, about)
    if isinstance(about, Gate):
        return _on_gate(plan, state, event, about)
    return _on_work(plan, state, event, about)


def find_subject(plan: Plan, state: State, name: str, kind: CommandKind) -> Gate | Task | UndoStep | str:
    """What a command is about: a gate, a task, or while it rolls back an undo step; else why it is nothing.

    A gate's task stands for the gate: where tasks are only listed, a word on the task is one on its gate;
    where they are followed, a word on the gate is one on its task. Only a waiver is for the gate itself.
    """
    if state.phase == "rolling_back":
        step = next((step for step in needed_undo(plan, state) if step.id == name), None)
        return step or f"'{name}' is no undo step of this rollback; `rollway task list` names them"
    gate = next((gate for gate in plan.gates if gate.id == name), None)
    task = task_of(plan, gate.of if gate is not None and gate.kind == "task" else name)
    if gate is not None and (kind == "waive" or task is None or not is_followed(plan)):
        return gate
    if task is None:
        return f"there is neither a gate nor a task '{name}'; `rollway task list --all` names them"
    if is_followed(plan) and kind != "waive":
        return task
    of_task = [gate for gate in plan.gates if (gate.kind, gate.of) == ("task", task.id)]
    if of_task:
        return of_task[0]
    return f"the tasks of this plan are listed for people, and no gate waits for '{name}'"


def _refused(state: State, event: CommandGiven, why: str) -> Step:
    text = f"{event.kind.replace('_', ' ')} of '{event.subject}' by {event.actor} was refused: {why}"
    data = {"command": event.kind, "subject": event.subject, "reason": event.reason, "phase": state.phase}
    return Step(state=state, entries=(Entry(kind="refused", text=text, actor=event.actor, data=data),))


# --- gates ------------------------------------------------------------------------------------------


def _on_gate(plan: Plan, state: State, event: CommandGiven, gate: Gate) -> Step:
    index = plan.stage_index(gate.stage)
    if state.started_at is not None and index <= state.stage:
        return _refused(state, event, f"{plan.stages[index].title} was entered already")
    if event.kind not in ("confirm", "go", "no_go", "fail", "waive"):
        return _refused(state, event, "a gate is confirmed or waived")
    reached = figure_in(event.reason)
    if event.kind in ("confirm", "go"):
        lacking = _no_confirmation(gate, reached)
        if lacking:
            return _refused(state, event, lacking)
    if event.kind == "waive" and not event.reason:
        return _refused(state, event, "it needs a reason")
    told = told_by(event)
    words = {
        "confirm": f"Met, says {told}: {gate.what}",
        "go": f"Go, says {told}: {gate.what}",
        "no_go": f"No go, says {told}: {gate.what}",
        "fail": f"Not met, says {told}: {gate.what}",
        "waive": f"Waived by {told}: {gate.what}",
    }
    is_no = event.kind in ("no_go", "fail")
    word = Word(
        said="not met" if is_no else "waived" if event.kind == "waive" else "met",
        actor=event.actor,
        at=event.at,
        note=event.reason,
        reached=None if gate.minimum is None else reached,
    )
    state = changed(state, words={**state.words, gate.id: word})
    entry = said(
        event, words[event.kind], gate=gate.id, stage=gate.stage, minimum=gate.minimum, reached=word.reached
    )
    if is_no:
        # Whoever enters the stage looks again, and people are told again what is missing.
        state = changed(state, awaited="")
    return (
        _turn_back(plan, state, event, entry)
        if event.kind == "no_go"
        else Step(state=state, entries=(entry,))
    )


def _no_confirmation(gate: Gate, reached: float | None) -> str:
    if gate.minimum is None:
        return ""
    if reached is None:
        return f"say which share was reached; {percent(gate.minimum)} is asked for"
    if reached < gate.minimum:
        asked = f"{percent(gate.minimum)} is asked for; wait, or have it waived by name"
        return f"{percent(reached)} was reached and {asked}"
    return ""


# --- tasks and undo steps ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A command about a task or an undo step, with where that stands."""

    plan: Plan
    state: State
    event: CommandGiven
    task: Task | UndoStep
    doing: Doing | None

    @property
    def is_decision(self) -> bool:
        return isinstance(self.task, Task) and self.task.gate

    @property
    def is_final(self) -> bool:
        return isinstance(self.task, Task) and not self.task.reversible

    def step(self, words: str, **changes: object) -> Step:
        """The task moves on, and the record says so."""
        event = self.event
        known = self.doing or Doing(state="ready", ready_at=event.at)
        doing = known.model_copy(update={"actor": event.actor, "note": event.reason, **changes})
        what = {"undo" if isinstance(self.task, UndoStep) else "task": self.task.id}
        data = {**what, "owner": self.task.owner, **_times(doing)}
        text = f"{words}, says {told_by(event)}: {self.task.title}"
        state = with_doing(self.state, self.task, doing)
        if self.is_final and doing.begun_at is not None and not self.state.no_return:
            state = changed(state, no_return=self.task.id)
        return Step(state=state, entries=(said(event, text, **data),))


def _times(doing: Doing) -> dict[str, object]:
    seconds = (
        (doing.ended_at - doing.begun_at).total_seconds()
        if doing.begun_at is not None and doing.ended_at is not None
        else None
    )
    began = None if doing.begun_at is None else doing.begun_at.isoformat()
    return {"began": began, "seconds": seconds}


def _on_work(plan: Plan, state: State, event: CommandGiven, task: Task | UndoStep) -> Step:
    progress = state.undo if isinstance(task, UndoStep) else state.tasks
    one = _Said(plan, state, event, task, progress.get(task.id))
    refusal = _refusal(one)
    if refusal:
        return _refused(state, event, refusal)
    step = _DONE[event.kind](one)
    if step.state.held_by_task and step.state.phase == "paused":
        step = _released(plan, step, event)
    return step


def _released(plan: Plan, step: Step, event: CommandGiven) -> Step:
    """What was paused for failed tasks goes on once the last of them is settled."""
    if why_not_on(plan, step.state, event.at):
        return step
    more = go_on(plan, step.state, event.at)
    return Step(state=more.state, effects=(*step.effects, *more.effects), entries=step.entries)


def _refusal(one: _Said) -> str:
    task, doing, kind = one.task, one.doing, one.event.kind
    if kind == "waive":
        return "only a gate is waived; a task is skipped"
    if isinstance(task, Task) and is_own(task):
        return "Rollway does this itself, by carrying the plan out"
    if doing is not None and doing.is_over:
        return f"it is {doing.state} already"
    if kind == "skip":
        if doing is not None and doing.state == "running" and doing.attempt:
            return "its command is at work"
        return "" if one.event.reason else "it needs a reason"
    if doing is None:
        return f"it is not its turn yet{_waits_for(one)}"
    if kind in ("go", "no_go"):
        return _no_decision(one, doing)
    if one.is_decision:
        return "this is a decision: go or no-go"
    return _no_work(one, doing)


def _no_decision(one: _Said, doing: Doing) -> str:
    if not one.is_decision and not one.is_final:
        return "nothing is decided by it; begin or confirm it"
    if doing.state == "running":
        return "it has begun already"
    return _shut(one) if one.event.kind == "go" and one.is_final else ""


def _no_work(one: _Said, doing: Doing) -> str:
    task, kind = one.task, one.event.kind
    is_at_work = doing.state == "running" and doing.attempt > 0
    match kind:
        case "begin" | "confirm" | "repeat" if one.is_final and doing.begun_at is None:
            decider = task.decider if isinstance(task, Task) else ""
            return f"it cannot be taken back: {decider or 'its decider'} says go first"
        case "begin" if doing.state != "ready":
            return f"it is {doing.state} already"
        case "begin" if task.automatic and not (isinstance(task, Task) and task.trigger):
            return "Rollway runs it itself, as soon as it may"
        case "begin":
            return _shut(one)
        case "confirm" | "fail" if is_at_work:
            return "its command is at work; its end is waited for"
        case "repeat" if not doing.is_stuck:
            return f"it is {doing.state}; only what failed or may have run is repeated"
        case "repeat":
            return _shut(one) if task.automatic else ""
    return ""


def _shut(one: _Said) -> str:
    """Why nothing may be begun now; windows hold for commands that Rollway runs."""
    if isinstance(one.task, UndoStep):
        return "a task's command is still at work" if is_at_work(one.state) else ""
    is_stuck = one.doing is not None and one.doing.is_stuck
    if one.state.phase == "paused" and not one.state.held_by_task and not is_stuck:
        return "it is paused"
    if is_stuck and one.state.heard == "harmful" and one.is_final and not is_past_return(one.plan, one.state):
        return "the new version is harmful, and this would close the way back"
    return why_not_now(one.plan, one.state, one.task, one.event.at) if one.task.automatic else ""


def _waits_for(one: _Said) -> str:
    task, plan, state = one.task, one.plan, one.state
    if not isinstance(task, Task):
        return ""
    before = [name for name in task.after if not is_over(state, name)]
    if before:
        titles = (told_task(each) for each in plan.runbook if each.id in before)
        return f": before it comes {listed(titles)}"
    stage: Stage = plan.stages[plan.stage_index(task.stage)]
    if task.id == deciding(stage):
        return f": {stage.title} is not over"
    return f": it belongs to {stage.title}"


def _begin(one: _Said) -> Step:
    if one.task.automatic:
        return _run(one)
    return one.step("Begun", state="running", begun_at=one.event.at)


def _run(one: _Said) -> Step:
    doing = one.doing or Doing(state="ready", ready_at=one.event.at)
    state, effect, entry = run_task(one.state, one.task, doing, one.event.at, one.event.actor)
    word = said(one.event, f"{one.event.kind.capitalize()}, says {told_by(one.event)}: {one.task.title}")
    return Step(state=state, effects=(effect,), entries=(word, entry))


def _confirm(one: _Said) -> Step:
    at = one.event.at
    return one.step("Done", state="done", begun_at=_begun(one), ended_at=at)


def _begun(one: _Said) -> object:
    known = one.doing.begun_at if one.doing is not None else None
    return known or one.event.at


def _fail(one: _Said) -> Step:
    known = one.doing.begun_at if one.doing is not None else None
    # A step of no return begins with its decider's go, and not with somebody's word that it failed.
    begun = known if one.is_final else _begun(one)
    step = one.step("Failed", state="failed", begun_at=begun, ended_at=one.event.at)
    text = f"{one.task.title} failed, says {told_by(one.event)}."
    return stuck(step.state, text, step.entries[0])


def _skip(one: _Said) -> Step:
    return one.step("Skipped", state="skipped", ended_at=one.event.at)


def _repeat(one: _Said) -> Step:
    if one.task.automatic:
        return _run(one)
    return one.step("Once more", state="running", begun_at=_begun(one), ended_at=None)


def _go(one: _Said) -> Step:
    if one.is_decision:
        return one.step("Go", state="done", begun_at=_begun(one), ended_at=one.event.at)
    return _run(one) if one.task.automatic else _go_by_hand(one)


def _go_by_hand(one: _Said) -> Step:
    return one.step("Go", state="running", begun_at=one.event.at, ended_at=None)


def _no_go(one: _Said) -> Step:
    step = one.step("No go", state="failed", ended_at=one.event.at)
    return _turn_back(one.plan, step.state, one.event, step.entries[0])


def _turn_back(plan: Plan, state: State, event: CommandGiven, entry: Entry) -> Step:
    """A no: back, or called off; past the point of no return it holds."""
    told = told_by(event)
    if is_past_return(plan, state):
        step = stuck(state, f"No go, says {told}: held, because there is no way back.", entry)
        # A gate is no task that is settled: whoever said no to it says when it goes on.
        is_task = step.state.held_by_task and "gate" not in entry.data
        return step.model_copy(update={"state": changed(step.state, held_by_task=is_task)})
    if state.started_at is None:
        return call_off(plan, state, event, f"Called off before it began: no go, says {told}", entry)
    return roll_back(state, f"Rolling back: no go, says {told}", event.actor, (entry,))


_DONE: dict[CommandKind, Callable[[_Said], Step]] = {
    "begin": _begin,
    "confirm": _confirm,
    "fail": _fail,
    "skip": _skip,
    "repeat": _repeat,
    "go": _go,
    "no_go": _no_go,
}
