"""From stage to stage: why the next one may not be entered yet, entering it, leaving the last one."""

from __future__ import annotations

from datetime import datetime

from rollway.planning import Gate, Plan, Stage
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.task_order import deciding, entry_tasks, exposing, is_own
from rollway.rollout.gates import is_followed, told_gates, unmet_gates
from rollway.rollout.model import Doing, Entry, State, Step
from rollway.rollout.steps import (
    SAME_SHARE,
    changed,
    is_same,
    listed,
    live_share,
    next_stage,
    percent,
    tell,
)
from rollway.rollout.tasks import (
    is_over,
    open_after,
    open_before,
    open_entry,
    stuck_tasks,
    task_of,
    told_task,
    with_task,
)

# --- may it be entered ------------------------------------------------------------------------------


def closed(plan: Plan, state: State, stage: Stage, at: datetime) -> str:
    """Why the stage may not be entered now, its own tasks aside; empty when it may."""
    if state.candidate_ready is False and live_share(stage) > state.desired_share:
        return f"waiting to enter {stage.title}: the new version is not ready"
    if stage.in_window and state.override is None:
        window = plan_state(plan, at)
        if not window.is_open:
            return f"waiting to enter {stage.title}: {window.reason}"
    entry = entry_tasks(plan, stage) if is_followed(plan) else frozenset[str]()
    gates = tuple(
        gate
        for gate in unmet_gates(plan, state, stage)
        if not (gate.kind == "task" and _comes_with_entry(plan, stage, gate.of, entry))
    )
    if gates:
        return f"waiting to enter {stage.title}: {told_gates(plan, gates)}"
    left = open_before(plan, state, stage)
    return f"waiting to enter {stage.title}: {listed(map(told_task, left))}" if left else ""


def _comes_with_entry(plan: Plan, stage: Stage, name: str, entry: frozenset[str]) -> bool:
    """Whether the task of a gate is one of the stage itself: it is done in its turn, before or after the
    exposure, and not before the turn comes."""
    if not is_followed(plan):
        return False
    task = task_of(plan, name)
    return name in entry or (task is not None and (task.phase, task.stage) == ("during", stage.id))


def left_before(plan: Plan, state: State, stage: Stage) -> str:
    """The stage's own tasks and gates that come before its exposure, once its turn has come."""
    left = open_entry(plan, state, stage)
    if left:
        return f"before {stage.title}: {listed(map(told_task, left))}"
    gates = left_gates(plan, state, stage)
    return f"waiting to enter {stage.title}: {told_gates(plan, gates)}" if gates else ""


def left_gates(plan: Plan, state: State, stage: Stage) -> tuple[Gate, ...]:
    """The gates that are met by one of the stage's own tasks before its exposure, and are not."""
    entry = entry_tasks(plan, stage) if is_followed(plan) else frozenset[str]()
    return tuple(gate for gate in unmet_gates(plan, state, stage) if gate.of in entry)


def approach(plan: Plan, state: State, stage: Stage, at: datetime) -> tuple[State, str, tuple[Entry, ...]]:
    """Give the stage its turn if it may have it, and say what still comes before it is entered; empty when
    nothing does."""
    shut = closed(plan, state, stage, at)
    if shut:
        return state, shut, ()
    entries: tuple[Entry, ...] = ()
    if is_followed(plan) and stage.id not in state.turns:
        state = changed(state, turns={**state.turns, stage.id: at})
        left = open_entry(plan, state, stage)
        if left:
            told = listed(map(told_task, left), 9)
            text = f"The turn of {stage.title} has come. Before it is entered: {told}."
            data = {"stage": stage.id, "tasks": [task.id for task in left]}
            entries = (Entry(kind="turn", text=text, data=data),)
    return state, left_before(plan, state, stage), entries


def ask_for_gates(plan: Plan, state: State) -> tuple[State, tuple[Entry, ...]]:
    """Say once of each stage which of its gates are not met, as soon as it is the next one."""
    stage = next_stage(plan, state)
    if stage is None or state.awaited == stage.id:
        return state, ()
    gates = unmet_gates(plan, state, stage)
    if not gates:
        return state, ()
    text = f"Before {stage.title} can be entered: {told_gates(plan, gates, 12)}."
    data = {"stage": stage.id, "gates": [gate.id for gate in gates]}
    return changed(state, awaited=stage.id), (Entry(kind="gates_open", text=text, data=data),)


# --- entering and leaving ---------------------------------------------------------------------------


def enter(plan: Plan, state: State, index: int, at: datetime, entries: tuple[Entry, ...]) -> Step:
    """The stage is entered: the target is told."""
    stage, exposure = plan.stages[index], plan.stages[index].exposure
    share = live_share(stage)
    beside = f", and copies of {percent(exposure.mirrored)} of the requests" if exposure.mirrored else ""
    beside += f", beside a control group of {percent(exposure.control)}" if exposure.control else ""
    text = f"Entering {stage.title}: {percent(share)} of {exposure.audience}{beside}."
    if state.heard == "blind" and state.desired_share <= 0 < share:
        text += " There are no numbers (blind): what the plan says of that counts from here on."
    data = {"stage": stage.id, "share": share}
    data |= {"mirrored": exposure.mirrored} if exposure.mirrored else {}
    data |= {"control": exposure.control} if exposure.control else {}
    data |= {"groups": list(exposure.groups)} if exposure.groups else {}
    entries = (*entries, Entry(kind="stage_entered", text=text, data=data))
    if not stage.reversible and not state.no_return:
        text = f"From here on there is no way back: {stage.title}. A fault is mended forward."
        entries += (Entry(kind="no_return", text=text, data={"stage": stage.id}),)
        state = changed(state, no_return=stage.id)
    state = changed(
        _own_task(plan, state, exposing(stage), at, is_done=False),
        phase="running",
        stage=index,
        started_at=state.started_at or at,
        desired_share=share,
        desired_mirrored=exposure.mirrored,
        desired_groups=exposure.groups,
        desired_control=exposure.control,
        stage_at=at,
        before_at=state.stage_at,
        told_at=at,
        nobody_at=at if state.desired_share <= 0 else state.nobody_at,
        entered_at=None,
        asked_at=None,
        is_promoted=False,
        standing=f"waiting for the target to serve {stage.title}",
    )
    return Step(state=state, effects=(tell(state),), entries=entries)


def leave(plan: Plan, state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    """The stage's rule is met, or was overridden: on to the next one, as soon as that may be entered."""
    following = next_stage(plan, state)
    state, kept = _exposure_left(plan, state, at)
    state = _own_task(plan, state, deciding(plan.stages[state.stage]), at, is_done=True)
    if following is None:
        return finish(plan, state, at, (*entries, *kept))
    state, left, told = approach(plan, state, following, at)
    told = (*kept, *told)
    if left:
        return Step(state=changed(state, standing=left), entries=told)
    return enter(plan, state, state.stage + 1, at, (*entries, *told))


def finish(plan: Plan, state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    """Done once the tasks after the last stage are done; until then the rollout is closing."""
    left = open_after(plan, state)
    if left and state.closing_at is None:
        text = f"Everyone has {plan.name} {plan.version}. Before the rollout is done: "
        text += f"{listed(map(told_task, left), 12)}."
        state = changed(state, closing_at=at)
        entries += (Entry(kind="closing", text=text, data={"tasks": [task.id for task in left]}),)
    if left:
        standing = f"closing: {listed(map(told_task, left))}"
        return Step(state=changed(state, standing=standing), entries=entries)
    text = f"Done: {plan.name} {plan.version} reached everyone."
    state = changed(state, phase="done", ended_at=at, standing="")
    return Step(state=state, entries=(*entries, Entry(kind="done", text=text)))


def go_on(plan: Plan, state: State, at: datetime) -> Step:
    """Go on with what was paused: the target is told the stage's exposure again."""
    if state.started_at is None:
        return Step(state=changed(state, phase="waiting", held_by_task=False, standing=""))
    exposure = plan.stages[state.stage].exposure
    is_told = _is_as_planned(plan, state)
    state = changed(
        state,
        phase="running",
        desired_share=exposure.live,
        desired_mirrored=exposure.mirrored,
        desired_groups=exposure.groups,
        desired_control=exposure.control,
        told_at=at,
        nobody_at=at if state.desired_share <= 0 else state.nobody_at,
        entered_at=state.entered_at if is_told else None,
        asked_at=None,
        refusal="",
        held_by_task=False,
        standing="",
    )
    return Step(state=state, effects=(tell(state),))


def _is_as_planned(plan: Plan, state: State) -> bool:
    """Whether what is wanted of the target is what the present stage asks for."""
    exposure = plan.stages[state.stage].exposure
    return (
        is_same(state.desired_share, exposure.live)
        and state.desired_mirrored == exposure.mirrored
        and state.desired_control == exposure.control
        and set(state.desired_groups) == set(exposure.groups)
    )


def why_not_on(plan: Plan, state: State, at: datetime) -> str:
    """Why a rollout that is paused cannot go on; empty when it can."""
    if stuck := stuck_tasks(plan, state):
        return (
            f"{listed(task.title for task in stuck)}: settle what failed first (confirm, repeat, go or skip)"
        )
    stage = plan.stages[state.stage]
    rises = state.started_at is not None and live_share(stage) > state.desired_share + SAME_SHARE
    return closed(plan, state, stage, at) or left_before(plan, state, stage) if rises else ""


def _own_task(plan: Plan, state: State, name: str, at: datetime, *, is_done: bool) -> State:
    """Rollway's own task goes with what it stands for; other tasks of that name are left alone."""
    task = task_of(plan, name) if is_followed(plan) else None
    if task is None or not is_own(task) or is_over(state, name):
        return state
    known = state.tasks.get(name)
    begun = known.begun_at if known is not None else at
    doing = Doing(
        state="done" if is_done else "running",
        ready_at=known.ready_at if known is not None else at,
        begun_at=begun,
        ended_at=at if is_done else None,
        actor="rollway",
    )
    return with_task(state, name, doing)


def _exposure_left(plan: Plan, state: State, at: datetime) -> tuple[State, tuple[Entry, ...]]:
    """A stage that is left ends the task that stands for its exposure: what a person promoted while less was
    served than the stage asks for is left out, and the record says so."""
    stage = plan.stages[state.stage]
    name, was = exposing(stage), state
    state = _own_task(plan, state, name, at, is_done=True)
    if state is was or _is_as_planned(plan, state):
        return state, ()
    served, asked = percent(state.desired_share), percent(live_share(stage))
    note = f"left at {served}; {stage.title} asks for {asked}"
    doing = state.tasks[name].model_copy(update={"state": "skipped", "note": note})
    data = {"task": name, "stage": stage.id, "planned": live_share(stage), "served": state.desired_share}
    data |= {"groups": list(state.desired_groups)} if stage.exposure.groups else {}
    text = f"{stage.title} was never read back as planned: it is left at {served} and not {asked}."
    return with_task(state, name, doing), (Entry(kind="exposure_kept", text=text, data=data),)


def exposed(plan: Plan, state: State, at: datetime) -> State:
    """The exposure was read back: the task that stands for it is done."""
    return _own_task(plan, state, exposing(plan.stages[state.stage]), at, is_done=True)
