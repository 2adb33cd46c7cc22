"""Going back beyond the traffic: the undo steps that are needed, one after the other, in the plan's order.

Only where tasks are followed. The old version serves everyone first; what was not begun needs no undoing.
"""

from __future__ import annotations

from datetime import datetime

from rollway.planning import Plan
from rollway.planning.runbooks.model import UndoStep
from rollway.rollout.gates import is_followed
from rollway.rollout.model import CommandGiven, Doing, Entry, State, Step
from rollway.rollout.runs import ROLLWAY, is_at_work, run_task, with_doing
from rollway.rollout.steps import changed, listed, roll_back

BACK = "Rolled back: the target serves the old version to everyone (read back)."


def has_begun(state: State) -> bool:
    """Whether anything was done that may have to be undone."""
    return state.started_at is not None or any(doing.begun_at for doing in state.tasks.values())


def needed_undo(plan: Plan, state: State) -> tuple[UndoStep, ...]:
    """The undo steps that the tasks begun ask for, and those that no task names, in the order of the plan."""
    if not is_followed(plan) or not has_begun(state):
        return ()
    begun = {name for name, doing in state.tasks.items() if doing.begun_at is not None}
    named = {step for task in plan.runbook for step in task.undo}
    wanted = {step for task in plan.runbook if task.id in begun for step in task.undo}
    return tuple(step for step in plan.rollback.undo if step.id in wanted or step.id not in named)


def call_off(plan: Plan, state: State, event: CommandGiven, text: str, entry: Entry) -> Step:
    """Nobody was served yet: there is no traffic to move, and only what was begun is undone."""
    if needed_undo(plan, state):
        step = roll_back(state, text, event.actor, (entry,))
        return Step(state=changed(step.state, back_at=event.at), entries=step.entries)
    state = changed(state, phase="rolled_back", ended_at=event.at, held_by_task=False, standing=text)
    return Step(state=state, entries=(entry,))


def traffic_is_back(plan: Plan, state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    """The old version was read back as serving everyone. The rollback ends here, or its undo steps begin."""
    if state.back_at is not None:
        return Step(state=changed(state, entered_at=at), entries=entries)
    steps = needed_undo(plan, state)
    if not steps:
        return _ended(plan, state, at, entries)
    text = f"The target serves the old version to everyone (read back). Left to undo: {_titles(steps)}."
    entry = Entry(kind="traffic_back", text=text, data={"undo": [step.id for step in steps]})
    return Step(state=changed(state, back_at=at, entered_at=at), entries=(*entries, entry))


def proceed(plan: Plan, state: State, at: datetime) -> Step:
    """The next undo step becomes ready once the one before it is over, and no task is at work any more."""
    if state.back_at is None:
        return Step(state=state)
    if is_at_work(state):
        return Step(state=changed(state, standing="Rolling back: a task's command is still at work."))
    for step in needed_undo(plan, state):
        doing = state.undo.get(step.id)
        if doing is not None and doing.is_over:
            continue
        return _next_step(state, step, at) if doing is None else Step(state=state)
    return _ended(plan, state, at, ())


def _next_step(state: State, step: UndoStep, at: datetime) -> Step:
    text = f"Ready to undo: {step.title} ({step.owner})."
    entry = Entry(kind="undo_ready", text=text, data={"undo": step.id, "owner": step.owner})
    doing = Doing(state="ready", ready_at=at)
    state = changed(state, standing=f"Rolling back: {step.title} ({step.owner})")
    if not step.automatic:
        return Step(state=with_doing(state, step, doing), entries=(entry,))
    state, effect, began = run_task(state, step, doing, at, ROLLWAY)
    return Step(state=state, effects=(effect,), entries=(entry, began))


def _ended(plan: Plan, state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    steps = needed_undo(plan, state)
    undone = [step for step in steps if state.undo[step.id].state == "done"]
    skipped = [step for step in steps if state.undo[step.id].state == "skipped"]
    text = BACK if state.started_at is not None else "Called off: nobody was served the new version."
    text += f" Undone: {_titles(undone)}." if undone else ""
    text += f" Not undone: {_titles(skipped)}." if skipped else ""
    if steps and plan.rollback.cannot_undo:
        text += f" Stays as it is: {listed(_bare(plan.rollback.cannot_undo), 9)}."
    data = {
        "undone": [step.id for step in undone],
        "skipped": [step.id for step in skipped],
        "cannot_undo": list(plan.rollback.cannot_undo),
    }
    standing = text if steps else state.standing.replace("Rolling back", "Rolled back", 1)
    state = changed(state, phase="rolled_back", ended_at=at, entered_at=at, standing=standing)
    return Step(state=state, entries=(*entries, Entry(kind="rolled_back", text=text, data=data)))


def _titles(steps: tuple[UndoStep, ...] | list[UndoStep]) -> str:
    return listed((step.title for step in steps), 12)


def _bare(sentences: tuple[str, ...]) -> list[str]:
    return [sentence.rstrip(".") for sentence in sentences]
