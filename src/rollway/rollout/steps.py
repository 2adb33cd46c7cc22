"""What the parts of the state machine share: changing a state, telling the target, going back, and words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rollway.planning import Plan, Stage
from rollway.planning.words import length
from rollway.rollout.model import CommandGiven, Entry, SetShare, State, Step, TargetObserved

BASELINE_DOWN = "The old version is not ready: traffic goes back to it as soon as it is."

NOT_READY = "the new version serves users and is not ready"

SAME_SHARE = 1e-5
"""Two shares closer than this are the same: the resolution of the flag target's weights."""

SECONDS_UP_TO = 600.0
"""Times up to this are told in seconds."""


def live_share(stage: Stage) -> float:
    """The share of users who are served by the new version in this stage (none in shadow and dual)."""
    return stage.exposure.live


def is_past_return(plan: Plan, state: State) -> bool:
    """Whether the way back is closed: a stage without one was entered, or such a task has begun."""
    if state.started_at is not None and not plan.stages[state.stage].reversible:
        return True
    return bool(state.no_return)


def next_stage(plan: Plan, state: State) -> Stage | None:
    """The stage that would be entered next; None after the last one."""
    index = 0 if state.started_at is None else state.stage + 1
    return plan.stages[index] if index < len(plan.stages) else None


def tell(state: State) -> SetShare:
    """What the target is to be told, as things stand."""
    return SetShare(
        share=state.desired_share,
        mirrored=state.desired_mirrored,
        groups=state.desired_groups,
        control=state.desired_control,
    )


def roll_back(state: State, text: str, actor: str, entries: tuple[Entry, ...] = ()) -> Step:
    """Go back to the old version; traffic moves once that is ready, as far as anybody can tell."""
    data = {"from_share": state.desired_share, "stage": state.stage, "heard": state.heard}
    entry = Entry(kind="rollback", text=text, actor=actor, data=data)
    state = changed(
        state,
        phase="rolling_back",
        desired_share=0.0,
        desired_mirrored=0.0,
        desired_groups=(),
        desired_control=0.0,
        entered_at=None,
        held_by_task=False,
        standing=text,
    )
    if state.baseline_ready is False:
        wait = Entry(kind="rollback_waits", text=BASELINE_DOWN)
        return Step(state=changed(state, standing=f"{text} {BASELINE_DOWN}"), entries=(*entries, entry, wait))
    return Step(state=state, effects=(tell(state),), entries=(*entries, entry))


def said(event: CommandGiven, text: str, **data: object) -> Entry:
    """The entry of a command that was followed."""
    about = {"subject": event.subject} if event.subject else {}
    return Entry(
        kind=event.kind, text=text, actor=event.actor, data={"reason": event.reason, **about, **data}
    )


def told_by(event: CommandGiven) -> str:
    """`ana: the board agreed`, or the name alone."""
    return f"{event.actor}: {event.reason}" if event.reason else event.actor


def changed(state: State, **changes: object) -> State:
    return state.model_copy(update=changes)


def compared_share(state: State, *, with_copies: bool = True) -> float:
    """The new version's part of all the work that is compared, 0..1; work on copies counts as well, and that
    of users beside a control group does not."""
    mirrored = state.served_mirrored if with_copies else 0.0
    return share_of_work(state.served_share or 0.0, mirrored, state.served_control)


def share_of_work(share: float, mirrored: float, control: float) -> float:
    """The same of a share of the users, of copies of so many of the other requests, and a control group."""
    copies, beside = mirrored * (1 - share), control or 1 - share
    return (share + copies) / (share + beside + copies)


def split_since(state: State, seen: TargetObserved) -> datetime:
    """When users were first seen to be split as the target says now."""
    is_as_before = (
        state.split_at is not None
        and is_same(seen.share, state.served_share or 0.0)
        and is_same(seen.mirrored, state.served_mirrored)
        and is_same(seen.control, state.served_control)
    )
    return state.split_at if is_as_before and state.split_at is not None else seen.at


def is_same(a: float, b: float) -> bool:
    return abs(a - b) < SAME_SHARE


def percent(share: float) -> str:
    return f"{share * 100:g}%"


def listed(words: Iterable[str], at_most: int = 3) -> str:
    """`a; b; c and 2 more`."""
    every = list(words)
    more = f" and {len(every) - at_most} more" if len(every) > at_most else ""
    return "; ".join(every[:at_most]) + more


def lasted(seconds: float) -> str:
    """`40 s`, and where nobody counts in seconds any more `3 days 1 hour`."""
    return f"{seconds:.0f} s" if seconds <= SECONDS_UP_TO else length(seconds)
