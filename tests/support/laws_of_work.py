"""The laws of tasks, of undoing and of the record; the others are in laws_checked."""

from __future__ import annotations

from rollway.rollout import CommandGiven, Event, EvidenceRead, RunTask, SetShare, State, Step
from support.laws_ledger import Ledger, is_own, task_of, tasks_in

NUMBERED = (
    *("verdict", "asked", "rollback", "stage_passed", "stage_entered", "drift", "mismatch", "task_failed"),
)
SERVED = ("running", "paused")


def has(step: Step, *kinds: str) -> bool:
    return any(entry.kind in kinds for entry in step.entries)


def shares(step: Step) -> list[SetShare]:
    return [effect for effect in step.effects if isinstance(effect, SetShare)]


def commands_run_once(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """Each attempt once; what is not idempotent again, and what is final at all, by a person's word."""
    plan, after = ledger.plan, step.state
    steps = {one.id: one for one in plan.rollback.undo}
    for effect in step.effects:
        if not isinstance(effect, RunTask):
            continue
        assert (effect.subject, effect.attempt, effect.is_undo) not in ledger.ran
        what = steps[effect.subject] if effect.is_undo else task_of(plan, effect.subject)
        doing = (after.undo if effect.is_undo else after.tasks)[effect.subject]
        assert (doing.state, doing.attempt) == ("running", effect.attempt)
        is_by_person = isinstance(event, CommandGiven)
        assert effect.attempt == 1 or what.idempotent or is_by_person, "run again without a person's word"
        if effect.is_undo:
            assert after.phase == "rolling_back"
            assert not any(not is_undo for _, _, is_undo in ledger.at_work), "undone while a task is at work"
            continue
        task = task_of(plan, effect.subject)
        assert before.phase != "rolling_back"
        assert before.phase != "paused" or is_by_person
        assert is_by_person or not task.trigger or effect.attempt > 1, "its trigger has not come"
        stage = next(stage for stage in plan.stages if stage.id == task.stage)
        assert ledger.is_open(stage, event.at), "a command was run outside the window"
        if not task.reversible:
            has_go = isinstance(event, CommandGiven) and event.kind == "go"
            assert has_go or task.id in ledger.goes, "no return without a go"


def tasks_come_in_order(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """None is ready before what it waits for is over, before its stage's turn, or before its time."""
    after = step.state
    if after.tasks is before.tasks:
        return
    assert ledger.is_followed
    for name, doing in after.tasks.items():
        if name not in before.tasks and doing.state != "skipped":
            task = task_of(ledger.plan, name)
            for one in task.after:
                assert ledger.is_over(one, step), f"{name} came before {one}"
            if is_own(task) and task.phase == "during":
                continue
            if task.phase == "before" or (isinstance(event, CommandGiven) and task.gate):
                continue
            turn = after.turns.get(task.stage)
            assert turn is not None, f"{name} came before the turn of its stage"
            assert (event.at - turn).total_seconds() >= max(task.at or 0.0, 0.0), f"{name} came too early"
            if task.phase == "after":
                assert before.closing_at is not None
    for stage_id in after.turns.keys() - before.turns.keys():
        turn_has_come(ledger, before, stage_id, event, step)


def turn_has_come(ledger: Ledger, before: State, stage_id: str, event: Event, step: Step) -> None:
    """The turn of a stage comes when only its own tasks keep it from being entered."""
    place = next(i for i, stage in enumerate(ledger.plan.stages) if stage.id == stage_id)
    assert place == (0 if ledger.stage is None else ledger.stage + 1)
    stage = ledger.plan.stages[place]
    assert ledger.is_open(stage, event.at), "its turn came outside its window"
    for task in tasks_in(ledger.plan, "before", stage):
        assert ledger.is_over(task.id, step), f"its turn came before {task.id}"
    for gate in ledger.plan.gates:
        if gate.stage == stage.id and not ledger.gate_is_met(gate):
            task = task_of(ledger.plan, gate.of) if gate.kind == "task" else None
            within = task is not None and (task.phase, task.stage) == ("during", stage.id)
            done_now = task is not None and ledger.is_done(task.id, step)
            assert within or done_now, f"its turn came before {gate.id} was met"


def undoing_is_in_order(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """What is needed and nothing else, one after the other, once traffic is back; all before the end."""
    after = step.state
    needed = ledger.needed_undo(step) if after.undo or after.phase == "rolled_back" else []
    over = set(ledger.undone)
    for name in after.undo.keys() - before.undo.keys():
        assert name in needed, f"{name} need not be undone"
        if after.undo[name].state != "skipped":
            assert before.back_at is not None, "undone before traffic was back"
            assert over >= set(needed[: needed.index(name)]), f"{name} is undone too early"
    if after.phase == "rolled_back":
        assert over >= set(needed), "something was left to undo"


def everything_is_written_down(ledger: Ledger, before: State, event: Event, step: Step) -> None:
    """What changed has a line in the record, with words, and decisions have their numbers."""
    after = step.state
    for field in ("phase", "stage", "desired_share", "desired_control", "no_return", "override", "words"):
        if getattr(before, field) != getattr(after, field):
            assert step.entries, f"{field} changed and the record does not say so"
    if isinstance(event, EvidenceRead) and after.heard != before.heard and before.phase in SERVED:
        assert has(step, "verdict"), "the judge said something else, and the record does not"
    if after.phase == "rolling_back" != before.phase:
        assert has(step, "rollback")
    for entry in step.entries:
        assert entry.text
        assert entry.data or entry.kind not in NUMBERED, f"{entry.kind} without numbers"
    if isinstance(event, CommandGiven) and event.kind == "override_window" and after != before:
        assert after.override is not None
        assert (after.override.actor, after.override.reason) == (event.actor, event.reason)
    for name, doing in after.undo.items():
        if doing.is_over and name not in ledger.undone:
            assert any(entry.data.get("undo") == name for entry in step.entries)
    for name, doing in after.tasks.items() if after.tasks is not before.tasks else ():
        known = before.tasks.get(name)
        if not is_own(task_of(ledger.plan, name)) and (known is None or known.state != doing.state):
            told = {entry.data.get("task") for entry in step.entries} | {
                f"{entry.data.get('stage')}-decide" for entry in step.entries
            }
            assert name in told or has(step, "promote"), f"{name} moved on and the record does not say so"
