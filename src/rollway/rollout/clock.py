"""What time does: tasks become ready, a stage is entered, held or left, a rollback's undo steps go on."""

from __future__ import annotations

from datetime import datetime

from rollway.judge import Verdict
from rollway.planning import Plan, Stage
from rollway.planning.words import length
from rollway.rollout.entering import approach, ask_for_gates, enter, finish, leave
from rollway.rollout.evidence import after_patience
from rollway.rollout.model import ClockTicked, Entry, State, Step
from rollway.rollout.runs import follow
from rollway.rollout.steps import NOT_READY, SECONDS_UP_TO, changed, is_past_return, lasted, listed, roll_back
from rollway.rollout.tasks import decision_of, is_over, open_after, open_during, told_task
from rollway.rollout.undoing import proceed


def on_clock(plan: Plan, state: State, event: ClockTicked) -> Step:
    """Everything that is due at this moment."""
    if state.phase == "rolling_back":
        return proceed(plan, state, event.at)
    step = follow(plan, state, event.at)
    turns = step.state.turns
    step = _then(step, _go_on(plan, step.state, event))
    # What the turn of a stage lets begin begins with it.
    return step if step.state.turns is turns else _then(step, follow(plan, step.state, event.at))


def _then(first: Step, second: Step) -> Step:
    return Step(
        state=second.state,
        effects=(*first.effects, *second.effects),
        entries=(*first.entries, *second.entries),
    )


def _go_on(plan: Plan, state: State, event: ClockTicked) -> Step:
    if state.phase == "waiting":
        return _begin(plan, state, event)
    if state.phase != "running":
        return Step(state=state)
    if state.closing_at is not None and state.entered_at is not None:
        return _close(plan, state, event.at)
    state, asked = ask_for_gates(plan, state)
    step = _stay_or_leave(plan, state, event)
    return step.model_copy(update={"entries": (*asked, *step.entries)})


def _begin(plan: Plan, state: State, event: ClockTicked) -> Step:
    """Before the first stage. Only an approved plan is begun."""
    if not event.is_approved:
        return Step(state=changed(state, standing="the plan is not approved any more"))
    state, asked = ask_for_gates(plan, state)
    state, left, told = approach(plan, state, plan.stages[0], event.at)
    if left:
        return Step(state=changed(state, standing=left), entries=(*asked, *told))
    return enter(plan, state, 0, event.at, (*asked, *told))


def _close(plan: Plan, state: State, at: datetime) -> Step:
    """Done with the last task; a version that is dead is done by a person's promote only."""
    if state.unready_since is not None and not open_after(plan, state):
        return Step(state=changed(state, standing=f"closing: {NOT_READY}"))
    return finish(plan, state, at, ())


def _stay_or_leave(plan: Plan, state: State, event: ClockTicked) -> Step:
    stage = plan.stages[state.stage]
    if state.entered_at is None:
        problem = f" ({state.target_problem})" if state.target_problem else ""
        return Step(state=changed(state, standing=f"waiting for the target to serve {stage.title}{problem}"))
    elapsed = (event.at - state.entered_at).total_seconds()
    lacking = lacking_of(plan, state, event.at, event.verdict)
    if lacking:
        return _hold(plan, state, stage, event, lacking, elapsed)
    return leave(plan, state, event.at, (_promotion(stage, elapsed, event.verdict),))


def lacking_of(plan: Plan, state: State, at: datetime, verdict: Verdict | None) -> str:
    """What keeps the rollout in a stage that is served, in words; empty when it may go on."""
    stage, entered = plan.stages[state.stage], state.entered_at or at
    rule = "" if state.is_promoted else _rule(plan, state, (at - entered).total_seconds(), verdict)
    left = open_during(plan, state, stage)
    return rule or (f"tasks of {stage.title}: {listed(map(told_task, left))}" if left else "")


def _of(elapsed: float, whole: float) -> str:
    """`40 of 120 s`, and where nobody counts in seconds any more `3 days 1 hour of 14 days`."""
    if whole <= SECONDS_UP_TO:
        return f"{elapsed:.0f} of {whole:.0f} s"
    return f"{length(elapsed)} of {length(whole)}"


def _rule(plan: Plan, state: State, elapsed: float, verdict: Verdict | None) -> str:
    stage = plan.stages[state.stage]
    if elapsed < stage.bake_seconds:
        return f"baking: {_of(elapsed, stage.bake_seconds)}"
    if state.unready_since is not None:
        return NOT_READY
    if stage.advance == "person":
        decision = decision_of(plan, stage)
        if decision is None:
            return "a person decides when this stage is over (promote)"
        return "" if is_over(state, decision.id) else f"to be decided: {told_task(decision)}"
    if verdict is None or verdict.stage != stage.id:
        return "no verdict on this stage yet"
    if verdict.mismatch:
        return f"{verdict.kind}: {verdict.reason}; only a promotion by hand leaves this stage"
    if stage.advance == "time":
        return f"{verdict.kind}: {verdict.reason}" if verdict.kind in ("blind", "harmful") else ""
    if stage.advance == "ready":
        lacks = _short_of(verdict)
        return "" if verdict.baseline_ready else f"the old version's numbers are not all there: {lacks}"
    return "" if verdict.kind == "healthy" else f"{verdict.kind}: {verdict.reason}"


def _short_of(verdict: Verdict) -> str:
    """The judge's reason is about both versions; where it is content, only the count is short."""
    return "few requests so far" if verdict.kind == "healthy" else verdict.reason


def _hold(plan: Plan, state: State, stage: Stage, event: ClockTicked, lacking: str, elapsed: float) -> Step:
    state = changed(state, standing=lacking)
    if elapsed < stage.patience_seconds or state.asked_at is not None:
        return Step(state=state)
    action = after_patience(plan, stage, event.verdict)
    told = f"no answer after {lasted(elapsed)}"
    data = {
        "elapsed_seconds": elapsed,
        "patience_seconds": stage.patience_seconds,
        "verdict": event.verdict.to_json() if event.verdict else None,
    }
    if action == "rollback" and state.desired_share > 0 and not is_past_return(plan, state):
        return roll_back(state, f"Rolling back by policy: {told} ({lacking})", "rollway")
    state = changed(state, asked_at=event.at)
    if action == "hold" and state.held_stage != state.stage:
        text = f"Held by the plan: {told} in {stage.title}. {lacking}"
        state = changed(state, phase="paused", standing=text, held_stage=state.stage)
        return Step(state=state, entries=(Entry(kind="held", text=text, data=data),))
    if action == "tell":
        text = f"{told} in {stage.title}. {lacking}"
        return Step(state=state, entries=(Entry(kind="told", text=text, data=data),))
    text = f"No answer after {lasted(elapsed)} in {stage.title}: a person is asked. {lacking}"
    return Step(state=state, entries=(Entry(kind="asked", text=text, data=data),))


def _promotion(stage: Stage, elapsed: float, verdict: Verdict | None) -> Entry:
    why = {
        "ready": "the old version's numbers are there",
        "evidence": verdict.reason if verdict else "",
        "time": f"it held for {lasted(elapsed)}",
        "person": "it was decided to go on",
    }[stage.advance]
    data = {"elapsed_seconds": elapsed, "verdict": verdict.to_json() if verdict else None}
    return Entry(kind="stage_passed", text=f"{stage.title} passed: {why}", data=data)
