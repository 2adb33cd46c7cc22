"""Tasks that Rollway runs itself: when their command may run, and what becomes of it.

A command is committed as running before it is run. What is not idempotent is never run a second time by
itself: where nobody knows how it ended, a person is asked.
"""

from __future__ import annotations

import shlex
from datetime import datetime

from rollway.planning import Plan, Task
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.runbooks.model import UndoStep
from rollway.planning.task_order import APPROVAL
from rollway.rollout.gates import is_followed
from rollway.rollout.model import Doing, Effect, Entry, RunTask, State, Step, TaskLost, TaskRan
from rollway.rollout.steps import NOT_READY, changed
from rollway.rollout.tasks import newly_ready, task_of, with_task

LONGEST_SECONDS = 3600.0
TIMES_P90 = 3.0
ROLLWAY = "rollway"


def follow(plan: Plan, state: State, at: datetime) -> Step:
    """Let the tasks go on as far as they can by themselves: say what is ready, and run what is automatic."""
    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()
    if not is_followed(plan) or state.phase not in ("waiting", "running"):
        return Step(state=state)
    ready = tuple(newly_ready(plan, state, at))
    while ready:
        for task in ready:
            state, entry = _readied(state, task, at)
            entries += (entry,)
        ready = tuple(newly_ready(plan, state, at))
    for task in plan.runbook:
        doing = state.tasks.get(task.id)
        if task.automatic and doing is not None and doing.state == "ready" and may_run(plan, state, task, at):
            state, effect, entry = run_task(state, task, doing, at, ROLLWAY)
            effects, entries = (*effects, effect), (*entries, entry)
    return Step(state=state, effects=effects, entries=entries)


def _readied(state: State, task: Task, at: datetime) -> tuple[State, Entry]:
    data = {"task": task.id, "owner": task.owner, "backup": task.backup, "stage": task.stage}
    if task.id == APPROVAL and not task.gate and not task.automatic:
        doing = Doing(state="done", ready_at=at, begun_at=at, ended_at=at, actor=ROLLWAY)
        text = f"Done: {task.title}: the rollout was started with it."
        return with_task(state, task.id, doing), Entry(kind="task_done", text=text, data=data)
    state = with_task(state, task.id, Doing(state="ready", ready_at=at))
    if task.gate or not task.reversible:
        who = _either(task.decider or task.owner, task.backup)
        told = "; ".join(task.criteria)
        text = f"{who} decides: {task.title}.{f' Asked for: {told}' if told else ''}"
        more = {"decider": task.decider, "criteria": list(task.criteria), "reversible": task.reversible}
        return state, Entry(kind="task_ready", text=text, data={**data, **more})
    after = f", once this has come: {task.trigger}" if task.trigger else ""
    text = f"Ready: {task.title} ({_either(task.owner, task.backup)}){after}."
    return state, Entry(kind="task_ready", text=text, data=data)


def _either(first: str, second: str) -> str:
    return f"{first} or {second}" if first and second and first != second else first or second or "somebody"


# --- running ----------------------------------------------------------------------------------------


def why_not_now(plan: Plan, state: State, task: Task, at: datetime) -> str:
    """Why an automatic task is not run at this moment, though nothing else holds it back; empty if it is."""
    if state.closing_at is not None and state.unready_since is not None:
        return NOT_READY  # what cleans the old version up would take it from whoever has to mend this
    stage = next((stage for stage in plan.stages if stage.id == task.stage), None)
    if stage is None or not stage.in_window or state.override is not None:
        return ""
    window = plan_state(plan, at)
    return "" if window.is_open else window.reason


def may_run(plan: Plan, state: State, task: Task, at: datetime) -> bool:
    """Whether Rollway begins it by itself: in windows, and not what waits for a trigger or a decision."""
    return task.reversible and not task.trigger and not why_not_now(plan, state, task, at)


def run_task(
    state: State, task: Task | UndoStep, doing: Doing, at: datetime, actor: str
) -> tuple[State, RunTask, Entry]:
    """The task's command is to be run, once more."""
    attempt, is_undo = doing.attempt + 1, isinstance(task, UndoStep)
    doing = Doing(
        state="running",
        ready_at=doing.ready_at,
        begun_at=doing.begun_at or at,
        actor=actor,
        attempt=attempt,
    )
    again = f" for the {ordinal(attempt)} time" if attempt > 1 else ""
    text = f"Rollway runs the command of '{task.title}'{again}: {task.command}"
    effect = RunTask(
        subject=task.id,
        attempt=attempt,
        is_undo=is_undo,
        command=tuple(shlex.split(task.command)),
        timeout=min(LONGEST_SECONDS, max(1.0, TIMES_P90 * (task.p90 or LONGEST_SECONDS))),
    )
    data = {"attempt": attempt, "timeout_seconds": effect.timeout, **_named(task)}
    state = with_doing(state, task, doing)
    if isinstance(task, Task) and not task.reversible:
        state = changed(state, no_return=state.no_return or task.id)
    return state, effect, Entry(kind="task_began", text=text, actor=actor, data=data)


def on_ran(plan: Plan, state: State, event: TaskRan) -> Step:
    """What the end of a command makes of its task."""
    task, doing = _running(plan, state, event)
    if task is None or doing is None:
        text = f"The command of '{event.subject}' ended, and nothing waited for it any more."
        return Step(state=state, entries=(Entry(kind="task_ran", text=text, data=_numbers(event)),))
    data = {**_numbers(event), **_named(task)}
    if event.code == 0:
        ended = doing.model_copy(update={"state": "done", "ended_at": event.at})
        text = f"Done: {task.title}: its command ended well after {event.seconds:.1f} s."
        return Step(
            state=with_doing(state, task, ended), entries=(Entry(kind="task_done", text=text, data=data),)
        )
    why = event.problem or f"its command ended with {event.code}"
    failed = doing.model_copy(update={"state": "failed", "ended_at": event.at, "note": why})
    text = f"Failed: {task.title}: {why}."
    return stuck(with_doing(state, task, failed), text, Entry(kind="task_failed", text=text, data=data))


def on_lost(plan: Plan, state: State, event: TaskLost) -> Step:
    """A command that was cut off: run again where it is idempotent; else people are asked."""
    task, doing = _running(plan, state, event)
    if task is None or doing is None:
        return Step(state=state)
    if task.idempotent and _may_repeat(plan, state, task, event.at):
        state, effect, entry = run_task(state, task, doing, event.at, ROLLWAY)
        text = f"The command of '{task.title}' was cut off. It is idempotent, so it is run again."
        cut = Entry(kind="task_cut_off", text=text, data={"attempt": event.attempt, **_named(task)})
        return Step(state=state, effects=(effect,), entries=(cut, entry))
    asked = "Look, and then say that it is done (confirm), or have it run again (repeat)."
    if state.phase == "rolling_back" and not event.is_undo:
        asked = "What undoes it is asked for."
    text = f"The command of '{task.title}' was cut off: it may have run. {asked}"
    unsure = doing.model_copy(update={"state": "unsure", "note": "it may have run"})
    data = {"attempt": event.attempt, **_named(task)}
    return stuck(with_doing(state, task, unsure), text, Entry(kind="task_cut_off", text=text, data=data))


def _may_repeat(plan: Plan, state: State, task: Task | UndoStep, at: datetime) -> bool:
    if isinstance(task, UndoStep):
        return state.phase == "rolling_back"
    return state.phase in ("waiting", "running") and not why_not_now(plan, state, task, at)


def _running(
    plan: Plan, state: State, event: TaskRan | TaskLost
) -> tuple[Task | UndoStep | None, Doing | None]:
    """What this attempt belongs to, if it still runs."""
    task: Task | UndoStep | None = task_of(plan, event.subject)
    if event.is_undo:
        task = next((step for step in plan.rollback.undo if step.id == event.subject), None)
    doing = (state.undo if event.is_undo else state.tasks).get(event.subject)
    if doing is None or (doing.state, doing.attempt) != ("running", event.attempt):
        return None, None
    return task, doing


def with_doing(state: State, task: Task | UndoStep, doing: Doing) -> State:
    if isinstance(task, UndoStep):
        return changed(state, undo={**state.undo, task.id: doing})
    return with_task(state, task.id, doing)


def _named(task: Task | UndoStep) -> dict[str, str]:
    return {"undo" if isinstance(task, UndoStep) else "task": task.id, "owner": task.owner}


def _numbers(event: TaskRan) -> dict[str, object]:
    return {
        "attempt": event.attempt,
        "code": event.code,
        "seconds": round(event.seconds, 3),
        "output": event.output,
    }


# --- what failed ------------------------------------------------------------------------------------


def stuck(state: State, text: str, entry: Entry) -> Step:
    """A task that failed holds the rollout until it is confirmed, skipped or repeated, or all goes back."""
    if state.phase in ("waiting", "running"):
        state = changed(state, phase="paused", held_by_task=True, standing=text)
    elif state.phase == "rolling_back" and "undo" in entry.data:
        state = changed(state, standing=text)
    return Step(state=state, entries=(entry,))


def is_at_work(state: State) -> bool:
    """Whether a command of a task may still be running."""
    return any(doing.state == "running" and doing.attempt for doing in state.tasks.values())


def ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
