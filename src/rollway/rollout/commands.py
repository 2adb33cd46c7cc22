"""What people say to a rollout as a whole: pause, resume, promote, roll back, override, roll forward."""

from __future__ import annotations

from datetime import datetime

from rollway.planning import Plan
from rollway.rollout.entering import closed, go_on, leave, why_not_on
from rollway.rollout.model import SUBJECT_KINDS, CommandGiven, Doing, Entry, Override, State, Step
from rollway.rollout.steps import (
    changed,
    is_past_return,
    is_same,
    listed,
    live_share,
    next_stage,
    percent,
    roll_back,
    said,
    told_by,
)
from rollway.rollout.subjects import on_subject
from rollway.rollout.tasks import decision_of, is_over, open_after, open_during, told_task, with_task
from rollway.rollout.undoing import call_off


def on_command(plan: Plan, state: State, event: CommandGiven) -> Step:
    """Follow a command, or refuse it with words; both are in the record."""
    if event.kind in SUBJECT_KINDS and not state.is_final:
        return on_subject(plan, state, event)
    refusal = _refusal(plan, state, event)
    if refusal:
        text = f"{event.kind.replace('_', ' ')} by {event.actor} was refused: {refusal}"
        data = {"command": event.kind, "reason": event.reason, "phase": state.phase}
        return Step(state=state, entries=(Entry(kind="refused", text=text, actor=event.actor, data=data),))
    return _follow(plan, state, event)


def _follow(plan: Plan, state: State, event: CommandGiven) -> Step:
    told = told_by(event)
    match event.kind:
        case "rollback" if state.started_at is None:
            text = f"Called off before it began, on the word of {told}"
            return call_off(plan, state, event, text, said(event, text))
        case "rollback":
            return roll_back(state, f"Rolling back on the word of {told}", event.actor)
        case "pause":
            state = changed(state, phase="paused", held_by_task=False, standing=f"paused by {told}")
            return Step(state=state, entries=(said(event, f"Paused by {told}"),))
        case "resume":
            entry = said(event, f"Resumed by {told}")
            step = go_on(plan, state, event.at)
            return step.model_copy(update={"entries": (entry, *step.entries)})
        case "override_window":
            state = changed(state, override=Override(actor=event.actor, reason=event.reason))
            text = f"Change windows and freezes overridden for this rollout by {told}"
            return Step(state=state, entries=(said(event, text),))
        case "promote":
            return _promote(plan, state, event, told)
        case _:
            return _roll_forward(plan, state, event, told)


# --- what is refused --------------------------------------------------------------------------------


def _refusal(plan: Plan, state: State, event: CommandGiven) -> str:
    if state.is_final:
        return f"the rollout is {state.phase.replace('_', ' ')} already"
    if event.kind in ("promote", "override_window", "roll_forward") and not event.reason:
        return "it needs a reason"
    if event.kind == "override_window":
        return ""
    if state.phase == "rolling_back":
        return "it is rolling back"
    match event.kind:
        case "pause" if state.phase == "paused" and not state.held_by_task:
            return "it is paused already"
        case "resume":
            return _no_resumption(plan, state, event.at)
        case "promote":
            return _no_promotion(plan, state, event.at)
        case "rollback" if is_past_return(plan, state):
            return _no_way_back(plan, state)
        case "roll_forward":
            return _no_way_forward(plan, state, event.at)
    return ""


def _no_way_back(plan: Plan, state: State) -> str:
    passed = state.no_return or plan.stages[state.stage].id
    return (
        f"it is past the point of no return ('{passed}'). Follow the roll-forward steps, and say "
        "roll-forward once the fault is mended; pause holds it where it is"
    )


def _no_resumption(plan: Plan, state: State, at: datetime) -> str:
    if state.phase != "paused":
        return f"it is {state.phase}, not paused"
    if state.heard == "harmful":
        forward = " Say roll-forward once it is mended" if is_past_return(plan, state) else ""
        return f"the new version is harmful.{forward}" if forward else "the new version is harmful"
    return why_not_on(plan, state, at)


def _no_promotion(plan: Plan, state: State, at: datetime) -> str:
    if state.started_at is None:
        return "it has not started; override the window instead"
    if state.closing_at is not None and (left := open_after(plan, state)):
        return f"only tasks are left: {listed(map(told_task, left))}; confirm or skip each"
    if state.heard == "harmful" and not is_past_return(plan, state) and not state.held_for:
        return "the new version is harmful"
    if state.entered_at is None:
        return "the target has not been read back as serving this stage"
    left = open_during(plan, state, plan.stages[state.stage])
    if left:
        return f"tasks of this stage are open: {listed(map(told_task, left))}; confirm or skip each"
    following = next_stage(plan, state)
    return _not_everyone(plan, state) if following is None else closed(plan, state, following, at)


def _not_everyone(plan: Plan, state: State) -> str:
    """Why the last stage cannot be left by name: somebody else lowered it, so not everyone has it."""
    stage = plan.stages[state.stage]
    planned, served = set(stage.exposure.groups), set(state.desired_groups)
    if is_same(state.desired_share, live_share(stage)) and planned == served:
        return ""
    served_share = percent(state.desired_share)
    return f"the target serves {served_share} and not what {stage.title} asks for; resume first"


def _no_way_forward(plan: Plan, state: State, at: datetime) -> str:
    if state.started_at is None or not is_past_return(plan, state):
        return "there is still a way back: roll back and plan anew, or promote by name"
    return why_not_on(plan, state, at)


# --- what is done -----------------------------------------------------------------------------------


def _promote(plan: Plan, state: State, event: CommandGiven, told: str) -> Step:
    """Over the rule of the stage; its decision, where there is one, is made with it."""
    stage = plan.stages[state.stage]
    entered = state.entered_at or event.at
    elapsed = (event.at - entered).total_seconds()
    is_go = stage.advance == "person" and elapsed >= stage.bake_seconds
    text = (
        f"{stage.title} passed: go, says {told}"
        if is_go
        else f"Promoted by {told}, over the rule of the stage"
    )
    if state.closing_at is not None:
        text = f"Said to be done by {told}"
    if state.unready_since is not None:
        text += ", though the new version is not ready"
    data = {"elapsed_seconds": elapsed, "bake_seconds": stage.bake_seconds, "heard": state.heard}
    decision = decision_of(plan, stage)
    if decision is not None and not is_over(state, decision.id):
        doing = Doing(
            state="done",
            ready_at=event.at,
            begun_at=event.at,
            ended_at=event.at,
            actor=event.actor,
            note=f"promoted: {event.reason}",
        )
        state = with_task(state, decision.id, doing)
    state = changed(state, phase="running", is_promoted=True, held_by_task=False)
    step = leave(plan, state, event.at, ())
    return step.model_copy(update={"entries": (said(event, text, **data), *step.entries)})


def _roll_forward(plan: Plan, state: State, event: CommandGiven, told: str) -> Step:
    """The fault is mended: the stage counts anew, and what was seen before the mend is not used."""
    stage = plan.stages[state.stage]
    text = (
        f"Rolled forward by {told}. {stage.title} counts anew: readings from before this moment are "
        "not used, and the judge begins anew."
    )
    entry = said(event, text, stage=stage.id, heard=state.heard, served=state.served_share)
    step = go_on(plan, state, event.at)
    state = changed(
        step.state,
        entered_at=None,
        mended_at=event.at,
        heard=None,
        blind_since=None,
        blind_told=False,
        mismatch_stage=None,
        held_stage=None,
        held_for=(),
        unready_since=None,
        is_dead_told=False,
        closing_at=None,
        is_promoted=False,
    )
    return Step(state=state, effects=step.effects, entries=(entry,))
