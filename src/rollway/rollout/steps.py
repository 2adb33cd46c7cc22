"""What the parts of the state machine share: changing a state, going back, and small words."""

from __future__ import annotations

from rollway.planning import Stage
from rollway.rollout.model import Entry, SetShare, State, Step

BASELINE_DOWN = "The old version is not ready: traffic goes back to it as soon as it is."

SAME_SHARE = 1e-5
"""Two shares closer than this are the same: the resolution of the flag target's weights."""


def live_share(stage: Stage) -> float:
    """The share of users who are served by the new version in this stage (none in shadow and dual)."""
    return stage.exposure.share if stage.exposure.mode == "live" else 0.0


def roll_back(state: State, text: str, actor: str, entries: tuple[Entry, ...] = ()) -> Step:
    """Go back to the old version; traffic moves once that is ready, as far as anybody can tell."""
    entry = Entry(kind="rollback", text=text, actor=actor, data={"from_share": state.desired_share})
    state = changed(state, phase="rolling_back", desired_share=0.0, entered_at=None, standing=text)
    if state.baseline_ready is False:
        wait = Entry(kind="rollback_waits", text=BASELINE_DOWN)
        return Step(state=changed(state, standing=f"{text} {BASELINE_DOWN}"), entries=(*entries, entry, wait))
    return Step(state=state, effects=(SetShare(share=0.0),), entries=(*entries, entry))


def changed(state: State, **changes: object) -> State:
    return state.model_copy(update=changes)


def is_same(a: float, b: float) -> bool:
    return abs(a - b) < SAME_SHARE


def percent(share: float) -> str:
    return f"{share * 100:g}%"
