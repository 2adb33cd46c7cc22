"""What the state machine makes of a verdict: go back, hold, ask, or go on as if nothing had been said.

A plan's guards say what is done about each of them; going back wins over holding, and holding over asking.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from rollway.facts.model import OpenAction
from rollway.judge import Verdict
from rollway.planning import Guard, Plan, Stage
from rollway.rollout.model import Entry, EvidenceRead, State, Step
from rollway.rollout.steps import changed, is_past_return, lasted, roll_back

STRONGEST_FIRST: tuple[OpenAction, ...] = ("rollback", "hold", "ask", "tell")


def on_evidence(plan: Plan, state: State, event: EvidenceRead) -> Step:
    """What a verdict makes of a state that runs or is paused."""
    verdict = event.verdict
    entries: tuple[Entry, ...] = ()
    if verdict.kind != state.heard:
        entries = (Entry(kind="verdict", text=f"{verdict.kind}: {verdict.reason}", data=verdict.to_json()),)
    state = changed(state, heard=verdict.kind)
    if verdict.kind == "harmful":
        return _on_harm(plan, changed(state, blind_since=None, blind_told=False), event, entries)
    if state.started_at is None:
        # Paused before its first stage: nobody is split yet, and no time is blind.
        return Step(state=state, entries=entries)
    is_this_stage = verdict.stage == plan.stages[state.stage].id
    if verdict.mismatch and is_this_stage and state.mismatch_stage != state.stage:
        state, entries = _on_sample_mismatch(state, event, entries)
    if verdict.kind == "blind":
        return _on_blind(plan, state, event, entries)
    return Step(state=changed(state, blind_since=None, blind_told=False), entries=entries)


def _on_harm(plan: Plan, state: State, event: EvidenceRead, entries: tuple[Entry, ...]) -> Step:
    reason = event.verdict.reason
    harmful = _harmful(plan, event.verdict)
    goes_back = not harmful or any(guard.on_harm == "rollback" for guard in harmful)
    if goes_back and not is_past_return(plan, state):
        return roll_back(state, f"Rolling back: {reason}", "rollway", entries)
    named = tuple(guard.kpi for guard in harmful)
    if goes_back:
        if state.phase == "paused":
            return Step(state=state, entries=entries)
        standing = f"Harmful, and past the point of no return: held for people to roll forward. {reason}"
    else:
        if set(named) <= set(state.held_for):
            # Held once already; since then somebody went on by name.
            return Step(state=state, entries=entries)
        standing = (
            f"Harmful, and the plan says hold for {', '.join(named)}: roll back, or promote with a reason. "
            f"{reason}"
        )
    held_for = state.held_for if goes_back else named
    state = changed(state, phase="paused", standing=standing, held_for=held_for)
    return Step(state=state, entries=(*entries, Entry(kind="held", text=standing)))


def _harmful(plan: Plan, verdict: Verdict) -> tuple[Guard, ...]:
    """The guards that were found harmful, by themselves or together; what is only watched has no say."""
    by_itself = {guard.kpi for guard in verdict.guards if guard.state == "harmful"}
    named = by_itself | set(verdict.drivers)
    return tuple(guard for guard in plan.guards if guard.kpi in named and guard.say != "watch")


def _on_sample_mismatch(
    state: State, event: EvidenceRead, entries: tuple[Entry, ...]
) -> tuple[State, tuple[Entry, ...]]:
    """Paused once for each stage; resumed, the stage goes on collecting, and is not left by itself."""
    text = f"Paused: users are not split as planned. {event.verdict.mismatch}"
    data = {"stage": event.verdict.stage, "mismatch_log_e": event.verdict.mismatch_log_e}
    standing = text if state.phase == "running" else state.standing
    state = changed(state, phase="paused", mismatch_stage=state.stage, standing=standing)
    return state, (*entries, Entry(kind="mismatch", text=text, data=data))


def _on_blind(plan: Plan, state: State, event: EvidenceRead, entries: tuple[Entry, ...]) -> Step:
    since = state.blind_since or event.at
    state = changed(state, blind_since=since)
    # While nobody is served nobody is at risk: the plan's patience is for the users.
    counts_from = max(since, state.nobody_at or since)
    blind_for: timedelta = event.at - counts_from
    if blind_for.total_seconds() < plan.policy.blind_seconds or state.desired_share <= 0:
        return Step(state=state, entries=entries)
    counted = [guard for guard in plan.guards if guard.counts_in(plan.stages[state.stage].id)]
    blind = {guard.kpi for guard in event.verdict.guards if guard.state == "blind"}
    action = _strongest(
        guard.on_blind or plan.policy.on_blind
        for guard in counted
        if guard.say == "gate" and guard.kpi in (blind or {each.kpi for each in counted})
    )
    users = " with users on the new version" if counts_from > since and state.served_share else ""
    told = f"blind for {lasted(blind_for.total_seconds())}{users}. {event.verdict.reason}"
    if (action or plan.policy.on_blind) == "rollback":
        if not is_past_return(plan, state):
            return roll_back(state, f"Rolling back by policy: {told}", "rollway", entries)
        return Step(state=state, entries=entries)
    if action in ("ask", "tell") and not state.blind_told:
        kind, who = ("asked", "a person is asked") if action == "ask" else ("told", "nothing is promoted")
        data = {"blind_seconds": blind_for.total_seconds(), "verdict": event.verdict.to_json()}
        entries = (*entries, Entry(kind=kind, text=f"{told} So {who}.", data=data))
        state = changed(state, blind_told=True)
    return Step(state=state, entries=entries)


def after_patience(plan: Plan, stage: Stage, verdict: Verdict | None) -> OpenAction:
    """What is done about a stage without an answer in time: what its open gates ask for, else the policy."""
    if verdict is None or stage.advance != "evidence":
        return plan.policy.on_patience
    still_open = {guard.kpi for guard in verdict.guards if guard.state in ("undecided", "blind")}
    asked = _strongest(
        guard.on_undecided or plan.policy.on_patience
        for guard in plan.guards
        if guard.say == "gate" and guard.kpi in still_open
    )
    return asked or plan.policy.on_patience


def _strongest(actions: Iterable[OpenAction]) -> OpenAction | None:
    """Going back before holding, holding before asking, asking before telling; None of none."""
    return min(actions, key=STRONGEST_FIRST.index, default=None)
