"""What the target says of itself: verified, drifted, refused, failed, or served by a version that died."""

from __future__ import annotations

from typing import Literal

from rollway.planning import Plan
from rollway.rollout.entering import exposed
from rollway.rollout.model import Astray, Entry, State, Step, TargetFailed, TargetObserved
from rollway.rollout.steps import (
    SAME_SHARE,
    changed,
    is_past_return,
    is_same,
    lasted,
    percent,
    roll_back,
    split_since,
    tell,
)
from rollway.rollout.undoing import traffic_is_back

Agreement = Literal["same", "less", "more", "copies", "control"]
"""What is served, seen from what was asked for; copies, control: the users are as planned, the copies or the
control group are not."""
BESIDE: tuple[Agreement, ...] = ("copies", "control")

SAME_COPIES = 0.01
"""Copies are taken in whole hundredths by most targets."""
BESIDE_WITHIN = 30.0
"""Seconds in which a target that can send copies, or sample a control group, has begun to; at least three
ticks."""
FOLLOWS_WITHIN = 30.0
"""Seconds after which people are told of a target that serves more than it was told; at least three ticks."""


def on_observed(plan: Plan, state: State, event: TargetObserved) -> Step:
    """The target answered."""
    entries: tuple[Entry, ...] = ()
    if state.target_problem:
        entries = (Entry(kind="target_back", text="The target answers again."),)
    was_verified = state.entered_at is not None
    state = changed(
        state,
        served_share=event.share,
        served_mirrored=event.mirrored,
        served_groups=event.groups,
        served_control=event.control,
        split_at=split_since(state, event),
        target_problem="",
        nobody_at=event.at if event.share <= 0 else state.nobody_at,
        candidate_ready=event.candidate_ready,
        baseline_ready=event.baseline_ready,
    )
    if state.started_at is None and state.phase != "rolling_back":
        return Step(state=state, entries=entries)
    if event.refusal != state.refusal:
        state, entries = _refused(state, event, entries)
    agreement = _agreement(plan, state, event)
    if agreement in ("same", *BESIDE) and state.phase != "rolling_back":
        state, dead = _still_alive(plan, state, event)
        if dead:
            return roll_back(state, dead, "rollway", entries)
        state, entries = _told_of_death(plan, state, event, entries)
    if agreement in BESIDE:
        return _other_beside(plan, state, event, agreement, was_verified, entries)
    if agreement != "same":
        if agreement == "more" and not was_verified and event.groups is None:
            state, entries = _astray(plan, state, event, entries)
        if agreement == "more" and was_verified and _is_finished_by_people(plan, state, event):
            return _finished(state, event, entries)
        return _mismatch(state, event, agreement, was_verified, entries)
    state = changed(state, astray=None)
    if state.phase == "rolling_back":
        return traffic_is_back(plan, state, event.at, entries)
    if not was_verified:
        state, entries = _verified(plan, state, event, entries)
    return Step(state=state, entries=entries)


def _agreement(plan: Plan, state: State, event: TargetObserved) -> Agreement:
    if state.desired_groups and event.groups is not None:
        planned, served = set(state.desired_groups), set(event.groups)
        if planned != served:
            return "less" if served < planned else "more"
    elif not is_same(event.share, state.desired_share):
        return "less" if event.share < state.desired_share else "more"
    has_copies = any(stage.exposure.mirrored for stage in plan.stages)
    differs = abs(event.mirrored - state.desired_mirrored) > SAME_COPIES
    if has_copies and differs:
        return "copies"
    # On the way back nobody is compared any more: what counts is who has the new version.
    is_sampled = state.phase == "rolling_back" or is_same(event.control, state.desired_control)
    return "same" if is_sampled else "control"


def _served_words(share: float, groups: tuple[str, ...] | None, is_by_groups: bool) -> str:
    if not is_by_groups or groups is None:
        return percent(share)
    return ", ".join(sorted(groups)) or "no group"


def _verified(
    plan: Plan, state: State, event: TargetObserved, entries: tuple[Entry, ...]
) -> tuple[State, tuple[Entry, ...]]:
    state = exposed(plan, changed(state, entered_at=event.at), event.at)
    words = _served_words(event.share, event.groups, bool(state.desired_groups))
    beside = f", with copies of {percent(event.mirrored)} of the requests" if event.mirrored else ""
    beside += f", beside a control group of {percent(event.control)}" if event.control else ""
    data: dict[str, object] = {"share": event.share}
    data |= {"mirrored": event.mirrored} if event.mirrored else {}
    data |= {"control": event.control} if event.control else {}
    data |= {"groups": list(event.groups)} if event.groups is not None else {}
    text = f"The target serves {words}{beside} (read back)."
    return state, (*entries, Entry(kind="exposure_verified", text=text, data=data))


def _refused(
    state: State, event: TargetObserved, entries: tuple[Entry, ...]
) -> tuple[State, tuple[Entry, ...]]:
    """Paused once for each reason that the target gives; resumed, it is told again."""
    state = changed(state, refusal=event.refusal)
    if not event.refusal:
        return state, entries
    data = {"share": event.share, "planned": state.desired_share}
    if state.phase != "running":
        text = f"The target will not go further: {event.refusal}"
        return state, (*entries, Entry(kind="target_refuses", text=text, data=data))
    text = f"Held: the target will not go further: {event.refusal} Resume tries again."
    state = changed(state, phase="paused", standing=text)
    return state, (*entries, Entry(kind="held", text=text, data=data))


def _mismatch(
    state: State,
    event: TargetObserved,
    agreement: Agreement,
    was_verified: bool,
    entries: tuple[Entry, ...],
) -> Step:
    again = (tell(state),)
    if state.phase == "paused" and not was_verified and agreement == "less":
        # Paused before the target did as it was told: nobody new is exposed until somebody resumes.
        text = f"Paused at {percent(event.share)}: the target had not gone further, and is not told to."
        data = {"planned": state.desired_share, "served": event.share}
        entry = Entry(kind="exposure_kept", text=text, data=data)
        state = _kept(changed(state, entered_at=event.at), event)
        return Step(state=state, entries=(*entries, entry))
    if state.phase == "rolling_back" and event.baseline_ready is False:
        return Step(state=state, entries=entries)
    if state.phase == "rolling_back" or not was_verified:
        return Step(state=state, effects=again, entries=entries)
    is_by_groups = bool(state.desired_groups)
    planned = _served_words(state.desired_share, state.desired_groups, is_by_groups)
    served = _served_words(event.share, event.groups, is_by_groups)
    data = {"planned": state.desired_share, "served": event.share}
    moved = f"Somebody else, or a restart that forgot, moved the target from {planned} to {served}"
    if agreement == "less":
        standing = f"{moved}; that is not fought. Resume or roll back."
        state = _kept(changed(state, phase="paused", held_by_task=False, standing=standing), event)
        return Step(state=state, entries=(*entries, Entry(kind="drift", text=standing, data=data)))
    state = changed(state, entered_at=None)
    text = f"{moved}; set back, and the stage counts anew."
    return Step(state=state, effects=again, entries=(*entries, Entry(kind="drift", text=text, data=data)))


def _is_finished_by_people(plan: Plan, state: State, event: TargetObserved) -> bool:
    """Whether people came to the end of what they were asked before the rollout was paused.

    Only targets with people, or with sites, know groups; they are never asked for more than the stage has.
    """
    exposure = plan.stages[state.stage].exposure
    if state.phase != "paused" or event.groups is None or event.share > exposure.live + SAME_SHARE:
        return False
    return not exposure.groups or set(event.groups) <= set(exposure.groups)


def _finished(state: State, event: TargetObserved, entries: tuple[Entry, ...]) -> Step:
    served = _served_words(event.share, event.groups, bool(event.groups))
    text = f"Paused, and what was begun before is finished: {served} now. Nobody else is asked."
    data = {"planned": state.desired_share, "served": event.share}
    state = _kept(changed(state, entered_at=event.at, astray=None), event)
    return Step(state=state, entries=(*entries, Entry(kind="exposure_kept", text=text, data=data)))


def _astray(
    plan: Plan, state: State, event: TargetObserved, entries: tuple[Entry, ...]
) -> tuple[State, tuple[Entry, ...]]:
    """A target that does not take users back is told again and again; once, people are told of it."""
    astray = state.astray
    if astray is None or not is_same(astray.wanted, state.desired_share):
        astray = Astray(wanted=state.desired_share, since=event.at)
    seconds = (event.at - astray.since).total_seconds()
    if not astray.is_told and seconds > max(FOLLOWS_WITHIN, 3 * plan.policy.tick_seconds):
        text = (
            f"The target does not follow: told {percent(astray.wanted)}, it still serves "
            f"{percent(event.share)} after {lasted(seconds)}. It is told again; look at it by hand."
        )
        data = {"planned": astray.wanted, "served": event.share}
        entries = (*entries, Entry(kind="target_failed", text=text, data=data))
        astray = astray.model_copy(update={"is_told": True})
    return changed(state, astray=astray), entries


def _kept(state: State, event: TargetObserved) -> State:
    """What is served is what is wanted from now on, until somebody resumes."""
    groups = event.groups if state.desired_groups and event.groups is not None else state.desired_groups
    return changed(state, desired_share=event.share, desired_groups=groups, desired_control=event.control)


def _other_beside(
    plan: Plan,
    state: State,
    event: TargetObserved,
    agreement: Agreement,
    was_verified: bool,
    entries: tuple[Entry, ...],
) -> Step:
    """Users are served as planned; copies are sent, or a control group is sampled, otherwise than planned."""
    is_copies = agreement == "copies"
    planned, served = (
        (state.desired_mirrored, event.mirrored) if is_copies else (state.desired_control, event.control)
    )
    what, of, cannot = (
        ("copies", "the requests", "mirror") if is_copies else ("a control group", "the users", "sample one")
    )
    data = {"planned": planned, "mirrored" if is_copies else "control": served}
    if was_verified and state.phase != "rolling_back":
        other = f"The target has {what} of {percent(served)} of {of} instead of {percent(planned)}"
        text = f"{other}; set back, and the stage counts anew."
        state = changed(state, entered_at=None, told_at=event.at)
        entry = Entry(kind="drift", text=text, data=data)
        return Step(state=state, effects=(tell(state),), entries=(*entries, entry))
    waited = 0.0 if state.told_at is None else (event.at - state.told_at).total_seconds()
    if state.phase == "running" and waited > max(BESIDE_WITHIN, 3 * plan.policy.tick_seconds):
        text = (
            f"Held: the plan asks for {what} of {percent(planned)} of {of}, and the target has {what} of "
            f"{percent(served)}. It cannot {cannot}, or fails to: mend that and resume, or roll back and "
            "plan with a target that can."
        )
        state = changed(state, phase="paused", standing=text)
        return Step(state=state, entries=(*entries, Entry(kind="held", text=text, data=data)))
    again = () if state.phase == "paused" else (tell(state),)
    return Step(state=state, effects=again, entries=entries)


def _still_alive(plan: Plan, state: State, event: TargetObserved) -> tuple[State, str]:
    """Why a new version that serves users and is not ready is taken back; empty until that was seen twice.

    One look may fall into a single failed health check. Past the point of no return it is for people. A
    target that cannot tell says nothing: who was told to be dead there is, until it is seen to be ready.
    """
    if event.candidate_ready is None and event.share > 0 and state.is_dead_told:
        return state, ""
    if event.candidate_ready is not False or event.share <= 0:
        return changed(state, unready_since=None), ""
    since = state.unready_since
    state = changed(state, unready_since=since or event.at)
    if since is None or event.at <= since or is_past_return(plan, state):
        return state, ""
    return state, f"Rolling back: the new version serves {percent(event.share)} and is not ready."


def _told_of_death(
    plan: Plan, state: State, event: TargetObserved, entries: tuple[Entry, ...]
) -> tuple[State, tuple[Entry, ...]]:
    """Where nothing leads back, people are told once of each death that was seen twice, and of its end."""
    since, data = state.unready_since, {"share": event.share}
    if since is None:
        if not state.is_dead_told:
            return state, entries
        state = changed(state, is_dead_told=False)
        if event.candidate_ready is not True:
            return state, entries
        entry = Entry(kind="version_back", text="The new version is ready again.", data=data)
        return state, (*entries, entry)
    if state.is_dead_told or event.at <= since or not is_past_return(plan, state):
        return state, entries
    text = (
        f"The new version serves {percent(event.share)} and is not ready, and there is no way back: mend it, "
        "and say roll-forward. It is not done while this lasts."
    )
    state = changed(state, is_dead_told=True)
    return state, (*entries, Entry(kind="version_dead", text=text, data=data))


def on_failed(plan: Plan, state: State, event: TargetFailed) -> Step:
    """The target did not answer, or refused what it was told."""
    untold = state.phase in ("running", "rolling_back") and state.entered_at is None
    if state.phase == "rolling_back" and state.baseline_ready is False:
        untold = False
    again = (tell(state),) if untold else ()
    if state.target_problem == event.problem:
        return Step(state=state, effects=again)
    entry = Entry(kind="target_failed", text=f"The target failed: {event.problem}. It is tried again.")
    return Step(state=changed(state, target_problem=event.problem), effects=again, entries=(entry,))
