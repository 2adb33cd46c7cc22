"""The state machine of a rollout: `advance(plan, state, event) -> Step`. Pure; the clock is in the event.

What always holds:
1. Exposure grows only by entering the next stage, and a stage is left only when its rule says so or a
   person overrides it by name.
2. A harmful verdict or a person's rollback ends in rollback from every reversible stage, windows or not.
   Where the plan says hold for every guard that is harmful, the rollout holds, and only a person goes on.
3. No data is no evidence: a blind judge neither promotes nor harms; blind for too long, the plan's policy
   decides.
4. A stage counts from the moment the target was read back as serving it, not from when it was told.
5. Somebody else may always lower the exposure; nobody but the plan may raise it.
6. No share goes to a version that is not ready, as far as the target can tell: no stage with a larger share
   is entered, a new version that dies is taken back, and traffic goes back once the old one is ready.
7. Users who are not split as planned make the evidence of a stage worthless: the rollout pauses once, and
   only a person's promote leaves that stage.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import singledispatch

from rollway.judge import Verdict
from rollway.planning import Plan, Stage
from rollway.planning.calendar.in_plan import plan_state
from rollway.rollout.evidence import after_patience, on_evidence
from rollway.rollout.model import (
    ClockTicked,
    CommandGiven,
    Entry,
    Event,
    EvidenceRead,
    Override,
    SetShare,
    State,
    Step,
    TargetFailed,
    TargetObserved,
)
from rollway.rollout.steps import SAME_SHARE, changed, is_same, live_share, percent, roll_back

SOON = 0.2
"""Seconds after which a target that was just told something is read back."""
UNTIL_READ_BACK = 2.0
"""Seconds between two looks at a target that has not done yet what it was told, at most."""


def begin() -> State:
    """The state of a rollout that was started and has not done anything yet."""
    return State(standing="waiting for the first change window")


def advance(plan: Plan, state: State, event: Event) -> Step:
    """What one event makes of a state. A finished rollout hears nothing but says so to people."""
    if state.is_final and not isinstance(event, CommandGiven):
        return Step(state=state)
    return _hear(event, plan, state)


@singledispatch
def _hear(event: Event, plan: Plan, state: State) -> Step:
    raise TypeError(f"no such event: {type(event).__name__}")


# --- the target -----------------------------------------------------------------------------------


@_hear.register
def _(event: TargetObserved, plan: Plan, state: State) -> Step:
    entries: tuple[Entry, ...] = ()
    if state.target_problem:
        entries = (Entry(kind="target_back", text="The target answers again."),)
    was_verified = state.entered_at is not None
    state = changed(
        state,
        served_share=event.share,
        target_problem="",
        candidate_ready=event.candidate_ready,
        baseline_ready=event.baseline_ready,
    )
    if state.started_at is None and state.phase != "rolling_back":
        return Step(state=state, entries=entries)
    if not is_same(event.share, state.desired_share):
        return _mismatch(state, event, was_verified, entries)
    if state.phase == "rolling_back":
        return _rolled_back(state, event.at, entries)
    state, dead = _still_alive(plan, state, event)
    if dead:
        return roll_back(state, dead, "rollway", entries)
    if not was_verified:
        state = changed(state, entered_at=event.at)
        text = f"The target serves {percent(event.share)} (read back)."
        entries += (Entry(kind="exposure_verified", text=text, data={"share": event.share}),)
    return Step(state=state, entries=entries)


def _mismatch(state: State, event: TargetObserved, was_verified: bool, entries: tuple[Entry, ...]) -> Step:
    again = (SetShare(share=state.desired_share),)
    if state.phase == "paused" and not was_verified and event.share < state.desired_share:
        # Paused before the target did as it was told: nobody new is exposed until somebody resumes.
        return Step(state=changed(state, desired_share=event.share, entered_at=event.at), entries=entries)
    if state.phase == "rolling_back" and event.baseline_ready is False:
        return Step(state=state, entries=entries)
    if state.phase == "rolling_back" or not was_verified:
        return Step(state=state, effects=again, entries=entries)
    data = {"planned": state.desired_share, "served": event.share}
    moved = f"Somebody else moved the target from {percent(state.desired_share)} to {percent(event.share)}"
    if event.share < state.desired_share:
        standing = f"{moved}; that is not fought. Resume or roll back."
        state = changed(state, phase="paused", desired_share=event.share, standing=standing)
        return Step(state=state, entries=(*entries, Entry(kind="drift", text=standing, data=data)))
    state = changed(state, entered_at=None)
    text = f"{moved}; set back, and the stage counts anew."
    return Step(state=state, effects=again, entries=(*entries, Entry(kind="drift", text=text, data=data)))


def _still_alive(plan: Plan, state: State, event: TargetObserved) -> tuple[State, str]:
    """Why a new version that serves users and is not ready is taken back; empty until that was seen twice.

    One look may fall into a single failed health check. Past the point of no return it is for people.
    """
    if event.candidate_ready is not False or event.share <= 0:
        return changed(state, unready_since=None), ""
    since = state.unready_since
    state = changed(state, unready_since=since or event.at)
    if since is None or event.at <= since or not plan.stages[state.stage].reversible:
        return state, ""
    return state, f"Rolling back: the new version serves {percent(event.share)} and is not ready."


def _rolled_back(state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    text = "Rolled back: the target serves the old version to everyone (read back)."
    standing = state.standing.replace("Rolling back", "Rolled back", 1)
    state = changed(state, phase="rolled_back", ended_at=at, entered_at=at, standing=standing)
    return Step(state=state, entries=(*entries, Entry(kind="rolled_back", text=text)))


@_hear.register
def _(event: TargetFailed, plan: Plan, state: State) -> Step:
    untold = state.phase in ("running", "rolling_back") and state.entered_at is None
    if state.phase == "rolling_back" and state.baseline_ready is False:
        untold = False
    again = (SetShare(share=state.desired_share),) if untold else ()
    if state.target_problem == event.problem:
        return Step(state=state, effects=again)
    entry = Entry(kind="target_failed", text=f"The target failed: {event.problem}. It is tried again.")
    return Step(state=changed(state, target_problem=event.problem), effects=again, entries=(entry,))


# --- the evidence ---------------------------------------------------------------------------------


@_hear.register
def _(event: EvidenceRead, plan: Plan, state: State) -> Step:
    if state.phase not in ("running", "paused"):
        return Step(state=state)
    return on_evidence(plan, state, event)


# --- people ---------------------------------------------------------------------------------------


@_hear.register
def _(event: CommandGiven, plan: Plan, state: State) -> Step:
    refusal = _refusal(plan, state, event)
    if refusal:
        text = f"{event.kind} by {event.actor} was refused: {refusal}"
        return Step(state=state, entries=(Entry(kind="refused", text=text, actor=event.actor),))
    told = f"{event.actor}: {event.reason}" if event.reason else event.actor
    match event.kind:
        case "rollback" if state.started_at is None:
            text = f"Called off before it began, on the word of {told}"
            state = changed(state, phase="rolled_back", ended_at=event.at, standing=text)
            return Step(state=state, entries=(_said(event, text),))
        case "rollback":
            return roll_back(state, f"Rolling back on the word of {told}", event.actor)
        case "pause":
            state = changed(state, phase="paused", standing=f"paused by {told}")
            return Step(state=state, entries=(_said(event, f"Paused by {told}"),))
        case "resume":
            return _resume(plan, state, event)
        case "override_window":
            state = changed(state, override=Override(actor=event.actor, reason=event.reason))
            text = f"Change windows and freezes overridden for this rollout by {told}"
            return Step(state=state, entries=(_said(event, text),))
        case "promote":
            return _leave(plan, state, event.at, (_promoted(plan, state, event, told),))


def _refusal(plan: Plan, state: State, event: CommandGiven) -> str:
    if state.is_final:
        return f"the rollout is {state.phase} already"
    if event.kind in ("promote", "override_window") and not event.reason:
        return "an override needs a reason"
    if event.kind == "override_window":
        return ""
    if state.phase == "rolling_back":
        return "it is rolling back"
    if event.kind == "pause" and state.phase == "paused":
        return "it is paused already"
    if event.kind == "resume":
        return _no_resumption(plan, state, event.at)
    if event.kind == "promote":
        return _no_promotion(plan, state, event.at)
    if event.kind == "rollback" and not plan.stages[state.stage].reversible:
        return "this stage is past the point of no return; follow the roll-forward steps"
    return ""


def _no_resumption(plan: Plan, state: State, at: datetime) -> str:
    stage = plan.stages[state.stage]
    if state.phase != "paused":
        return f"it is {state.phase}, not paused"
    if state.heard == "harmful":
        return "the new version is harmful"
    rises = state.started_at is not None and live_share(stage) > state.desired_share + SAME_SHARE
    return _closed(plan, state, stage, at) if rises else ""


def _no_promotion(plan: Plan, state: State, at: datetime) -> str:
    if state.started_at is None:
        return "it has not started; override the window instead"
    if state.heard == "harmful" and plan.stages[state.stage].reversible and not state.held_for:
        return "the new version is harmful"
    if state.entered_at is None:
        return "the target has not been read back as serving this stage"
    following = _next(plan, state)
    return "" if following is None else _closed(plan, state, following, at)


def _resume(plan: Plan, state: State, event: CommandGiven) -> Step:
    entry = _said(event, f"Resumed by {event.actor}{': ' + event.reason if event.reason else ''}")
    if state.started_at is None:
        return Step(state=changed(state, phase="waiting", standing=""), entries=(entry,))
    share = live_share(plan.stages[state.stage])
    verified = state.entered_at if is_same(state.desired_share, share) else None
    state = changed(
        state, phase="running", desired_share=share, entered_at=verified, asked_at=None, standing=""
    )
    return Step(state=state, effects=(SetShare(share=share),), entries=(entry,))


def _promoted(plan: Plan, state: State, event: CommandGiven, told: str) -> Entry:
    stage, entered = plan.stages[state.stage], state.entered_at or event.at
    baked = (event.at - entered).total_seconds() >= stage.bake_seconds
    if stage.advance == "person" and baked:
        return _said(event, f"{stage.title} passed: go, says {told}")
    return _said(event, f"Promoted by {told}, over the rule of the stage")


def _said(event: CommandGiven, text: str) -> Entry:
    return Entry(kind=event.kind, text=text, actor=event.actor, data={"reason": event.reason})


# --- time -----------------------------------------------------------------------------------------


@_hear.register
def _(event: ClockTicked, plan: Plan, state: State) -> Step:
    if state.phase == "waiting":
        closed = _closed(plan, state, plan.stages[0], event.at)
        if not event.is_approved:
            closed = "the plan is not approved any more"
        if closed:
            return Step(state=changed(state, standing=closed))
        return _enter(plan, changed(state, started_at=event.at), 0, ())
    if state.phase != "running":
        return Step(state=state)
    stage = plan.stages[state.stage]
    if state.entered_at is None:
        problem = f" ({state.target_problem})" if state.target_problem else ""
        return Step(state=changed(state, standing=f"waiting for the target to serve {stage.title}{problem}"))
    elapsed = (event.at - state.entered_at).total_seconds()
    lacking = _lacking(stage, elapsed, event.verdict)
    if lacking:
        return _hold(plan, state, stage, event, lacking, elapsed)
    following = _next(plan, state)
    closed = "" if following is None else _closed(plan, state, following, event.at)
    if closed:
        return Step(state=changed(state, standing=closed))
    return _leave(plan, state, event.at, (_promotion(stage, elapsed, event.verdict),))


def _lacking(stage: Stage, elapsed: float, verdict: Verdict | None) -> str:
    """What keeps the rollout in this stage, in words; empty when it may go on."""
    if elapsed < stage.bake_seconds:
        return f"baking: {elapsed:.0f} of {stage.bake_seconds:.0f} s"
    if stage.advance == "person":
        return "a person decides when this stage is over (promote)"
    if verdict is None or verdict.stage != stage.id:
        return "no verdict on this stage yet"
    if verdict.mismatch:
        return f"{verdict.kind}: {verdict.reason}; only a promotion by hand leaves this stage"
    if stage.advance == "time":
        return f"{verdict.kind}: {verdict.reason}" if verdict.kind in ("blind", "harmful") else ""
    if stage.advance == "ready":
        return (
            "" if verdict.baseline_ready else f"the old version's numbers are not all there: {verdict.reason}"
        )
    return "" if verdict.kind == "healthy" else f"{verdict.kind}: {verdict.reason}"


def _hold(plan: Plan, state: State, stage: Stage, event: ClockTicked, lacking: str, elapsed: float) -> Step:
    state = changed(state, standing=lacking)
    if elapsed < stage.patience_seconds or state.asked_at is not None:
        return Step(state=state)
    action = after_patience(plan, stage, event.verdict)
    told = f"no answer after {elapsed:.0f} s"
    if action == "rollback" and state.desired_share > 0 and stage.reversible:
        return roll_back(state, f"Rolling back by policy: {told} ({lacking})", "rollway")
    state = changed(state, asked_at=event.at)
    if action == "hold" and state.held_stage != state.stage:
        text = f"Held by the plan: {told} in {stage.title}. {lacking}"
        state = changed(state, phase="paused", standing=text, held_stage=state.stage)
        return Step(state=state, entries=(Entry(kind="held", text=text),))
    if action == "tell":
        return Step(state=state, entries=(Entry(kind="told", text=f"{told} in {stage.title}. {lacking}"),))
    text = f"No answer after {elapsed:.0f} s in {stage.title}: a person is asked. {lacking}"
    return Step(state=state, entries=(Entry(kind="asked", text=text),))


def _promotion(stage: Stage, elapsed: float, verdict: Verdict | None) -> Entry:
    why = {
        "ready": "the old version's numbers are there",
        "evidence": verdict.reason if verdict else "",
        "time": f"it held for {elapsed:.0f} s",
        "person": "",
    }[stage.advance]
    data = {"elapsed_seconds": elapsed, "verdict": verdict.to_json() if verdict else None}
    return Entry(kind="stage_passed", text=f"{stage.title} passed: {why}", data=data)


def _leave(plan: Plan, state: State, at: datetime, entries: tuple[Entry, ...]) -> Step:
    if _next(plan, state) is not None:
        return _enter(plan, state, state.stage + 1, entries)
    text = f"Done: {plan.name} {plan.version} reached everyone."
    state = changed(state, phase="done", ended_at=at, standing="")
    return Step(state=state, entries=(*entries, Entry(kind="done", text=text)))


def _enter(plan: Plan, state: State, index: int, entries: tuple[Entry, ...]) -> Step:
    stage = plan.stages[index]
    share = live_share(stage)
    text = f"Entering {stage.title}: {percent(share)} of {stage.exposure.audience}."
    entry = Entry(kind="stage_entered", text=text, data={"stage": stage.id, "share": share})
    state = changed(
        state,
        phase="running",
        stage=index,
        desired_share=share,
        entered_at=None,
        asked_at=None,
        standing=f"waiting for the target to serve {stage.title}",
    )
    return Step(state=state, effects=(SetShare(share=share),), entries=(*entries, entry))


# --- small words ----------------------------------------------------------------------------------


def _next(plan: Plan, state: State) -> Stage | None:
    return plan.stages[state.stage + 1] if state.stage + 1 < len(plan.stages) else None


def _closed(plan: Plan, state: State, stage: Stage, at: datetime) -> str:
    """Why the stage may not be entered now; empty when it may."""
    if state.candidate_ready is False and live_share(stage) > state.desired_share:
        return f"waiting to enter {stage.title}: the new version is not ready"
    if not stage.in_window or state.override is not None:
        return ""
    window = plan_state(plan, at)
    return "" if window.is_open else f"waiting to enter {stage.title}: {window.reason}"


def next_wake(plan: Plan, state: State, at: datetime, *, moved: bool) -> timedelta | None:
    """How long until the next tick is due; None when there is nothing left to do.

    A rollout that waits for its window is looked at once a minute, and when the window opens.
    """
    if state.is_final:
        return None
    if state.phase == "waiting":
        opens = plan_state(plan, at).next_open
        rest = timedelta(minutes=1) if opens is None else opens - at
        return max(timedelta(seconds=1), min(timedelta(minutes=1), rest))
    is_told = state.phase == "rolling_back" or state.entered_at is None
    is_open = is_told or state.unready_since is not None
    soonest = SOON if moved else UNTIL_READ_BACK if is_open else plan.policy.tick_seconds
    return timedelta(seconds=min(soonest, plan.policy.tick_seconds))


__all__ = ["SAME_SHARE", "advance", "begin", "live_share", "next_wake"]
