"""One plan, and what can happen to it in any order: verdicts, people, hands, a target that fails."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.facts.model import Window
from rollway.rollout import State, TargetFailed, live_share
from support.machine import World
from support.stories import canary

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.sampled_from(["healthy", "harmful", "undecided", "blind"])),
        st.tuples(st.just("lost"), st.sampled_from(["healthy", "undecided", "blind"])),
        st.tuples(
            st.just("say"), st.sampled_from(["pause", "resume", "promote", "rollback", "override_window"])
        ),
        st.tuples(st.just("hand"), st.sampled_from([0.0, 0.05, 0.3, 1.0])),
        st.tuples(st.just("deaf"), st.booleans()),
        st.tuples(st.just("fail"), st.just("refused")),
        st.tuples(st.just("jump"), st.sampled_from([-100.0, 5.0, 30.0, 4000.0])),
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.booleans())
def test_the_laws_hold_whatever_happens(events: list[tuple[str, object]], with_window: bool) -> None:
    """Exposure rises only along the plan; harm ends at 0; final is final; state survives JSON."""
    windows = (Window(opens="21:00", closes="21:30", timezone="UTC"),) if with_window else ()
    world = World(canary(windows=windows))
    planned = {live_share(one) for one in world.plan.stages}
    for kind, value in events:
        before = world.state
        _happen(world, kind, value)
        after = world.state
        assert State.model_validate_json(after.model_dump_json()) == after
        assert after.stage - before.stage in (0, 1)
        if after.desired_share > before.desired_share:
            assert after.desired_share in planned
            assert before.phase != "rolling_back"
            assert not (kind == "tick" and value == "harmful")
        if kind == "lost":
            assert after.desired_share <= before.desired_share or before.phase == "waiting"
        if before.is_final:
            assert after == before
        if before.phase == "rolling_back":
            assert after.phase in ("rolling_back", "rolled_back")
            assert after.desired_share == 0
        if kind == "tick" and value == "harmful" and before.phase in ("running", "paused"):
            assert after.phase in ("rolling_back", "rolled_back")
        if kind == "tick" and value == "blind" and after.desired_share > before.desired_share:
            # Only a stage that needs no evidence may be left blind: the one without any exposure.
            assert before.desired_share == 0


def _happen(world: World, kind: str, value: object) -> None:
    match kind:
        case "tick":
            world.tick(value)  # type: ignore[arg-type]
        case "lost":
            world.tick(value, mismatch="users: 8.1% instead of 10.0%")  # type: ignore[arg-type]
        case "say":
            world.say(value)  # type: ignore[arg-type]
        case "hand":
            world.share = float(value)  # type: ignore[arg-type]
        case "deaf":
            world.is_deaf = bool(value)
        case "fail":
            world.hear(TargetFailed(at=world.now, problem=str(value)))
        case "jump":
            world.now += timedelta(seconds=float(value))  # type: ignore[arg-type]
