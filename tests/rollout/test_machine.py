"""The state machine, told as stories."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rollway.facts.model import Freeze, Window
from rollway.rollout import (
    ClockTicked,
    SetShare,
    TargetFailed,
    advance,
)
from rollway.rollout.machine import next_wake
from support.machine import World
from support.stories import canary, stage


def test_a_healthy_release_reaches_everyone() -> None:
    """Baseline, 10%, 50%, 100%, done: each stage is verified, baked and passed once."""
    world = World(canary())
    for _ in range(100):
        world.tick("healthy")
    assert world.state.phase == "done"
    assert world.share == 1.0
    assert world.kinds.count("stage_entered") == 4
    assert world.kinds.count("exposure_verified") == 4
    assert world.kinds[-1] == "done"


def test_without_evidence_nothing_is_promoted() -> None:
    """Undecided for an hour: the share stays, and a person is asked once."""
    world = World(canary())
    world.until("ten")
    for _ in range(360):
        world.tick("undecided", 10)
    assert world.stage_id == "ten"
    assert world.share == 0.1
    assert world.kinds.count("asked") == 1


def test_healthy_before_the_bake_is_over_waits() -> None:
    """Evidence alone does not end a stage: the bake time counts from the read-back."""
    world = World(canary())
    world.until("ten")
    world.ticks(8, "healthy")
    assert world.stage_id == "ten"
    world.ticks(4, "healthy")
    assert world.stage_id == "half"


def test_harm_takes_the_release_back_at_once() -> None:
    """A harmful verdict is followed by share 0 in the same tick, and by rolled back once it is read back."""
    world = World(canary())
    world.until("half")
    world.tick("harmful")
    assert world.share == 0.0
    assert world.state.phase == "rolling_back"
    world.tick("harmful")
    assert world.state.phase == "rolled_back"
    assert world.kinds[-1] == "rolled_back"


def test_a_deaf_target_is_told_again_until_it_listens() -> None:
    """Rolled back is said only when the target was read back at 0."""
    world = World(canary())
    world.until("half")
    world.is_deaf = True
    world.tick("harmful")
    world.ticks(20)
    assert world.state.phase == "rolling_back"
    world.is_deaf = False
    world.ticks(2)
    assert world.state.phase == "rolled_back"


def test_a_failing_target_is_told_again() -> None:
    """A target that refuses is asked the same thing at each tick, and the record says so once."""
    plan = canary()
    world = World(plan)
    world.until("ten")
    world.is_deaf = True
    world.say("rollback")
    for _ in range(5):
        step = advance(plan, world.state, TargetFailed(at=world.now, problem="connection refused"))
        assert step.effects == (SetShare(share=0.0),)
        world.state = step.state
        world.record += step.entries
    assert world.kinds.count("target_failed") == 1


def test_blind_holds_and_then_goes_back() -> None:
    """No data neither promotes nor harms; when it lasts, the plan's policy takes the release back."""
    world = World(canary())
    world.until("ten")
    world.ticks(39, "blind")
    assert (world.state.phase, world.share) == ("running", 0.1)
    world.ticks(3, "blind")
    assert world.state.phase in ("rolling_back", "rolled_back")
    assert "by policy" in world.state.standing


def test_blindness_that_passes_is_forgiven() -> None:
    """Two short silences are not one long one."""
    world = World(canary())
    world.until("ten")
    world.ticks(30, "blind")
    world.ticks(1, "undecided")
    world.ticks(30, "blind")
    assert world.state.phase == "running"


def test_blind_before_anybody_is_exposed_only_waits() -> None:
    """At share 0 there is nothing to take back."""
    world = World(canary())
    for _ in range(200):
        world.tick("blind", has_numbers=False)
    assert world.state.phase == "running"
    assert world.stage_id == "baseline"


def test_no_exposure_before_the_old_version_is_seen() -> None:
    """The baseline stage is left only when every gate has numbers of the old version."""
    world = World(canary())
    for _ in range(50):
        world.tick("undecided", has_numbers=False)
    assert world.stage_id == "baseline"
    world.ticks(2)
    assert world.stage_id == "ten"


def test_a_closed_window_keeps_the_next_stage_shut_and_rollback_open() -> None:
    """Stages are entered inside windows only; going back needs no window."""
    window = Window(opens="21:00", closes="21:01", timezone="UTC")
    slow = (stage("ten", 0.1, bake_seconds=30), stage("half", 0.5, bake_seconds=60), stage("all", 1, "time"))
    world = World(canary(*slow, windows=(window,)))
    for _ in range(200):
        world.tick("healthy")
    assert world.stage_id == "half"
    assert "waiting to enter" in world.state.standing
    world.tick("harmful")
    assert world.share == 0.0


def test_a_freeze_and_its_override() -> None:
    """In a freeze nothing starts, unless somebody overrides it by name and reason."""
    world = World(canary(freezes=(Freeze(first=date(2026, 11, 20), last=date(2026, 11, 30)),)))
    world.ticks(5, "healthy")
    assert world.state.phase == "waiting"
    world.say("override_window", reason="")
    world.ticks(2, "healthy")
    assert world.state.phase == "waiting"
    world.say("override_window", reason="agreed with the board")
    world.ticks(2, "healthy")
    assert world.state.phase == "running"
    assert any(entry.kind == "override_window" and entry.actor == "ops" for entry in world.record)


def test_pause_holds_and_still_guards() -> None:
    """Paused means no promotion; harm is still taken back."""
    world = World(canary())
    world.until("ten")
    world.say("pause")
    world.ticks(50, "healthy")
    assert (world.state.phase, world.stage_id) == ("paused", "ten")
    world.tick("harmful")
    assert world.state.phase == "rolling_back"


def test_resume_goes_on_where_it_was() -> None:
    """After a pause the same stage goes on."""
    world = World(canary())
    world.until("ten")
    world.say("pause")
    world.ticks(5, "healthy")
    world.say("resume")
    assert (world.state.phase, world.stage_id) == ("running", "ten")
    world.ticks(20, "healthy")
    assert world.stage_id != "ten"


def test_a_promotion_by_hand_needs_a_reason_and_is_in_the_record() -> None:
    """An override has a name and a reason, and does not skip a stage."""
    world = World(canary())
    world.until("ten")
    world.say("promote", reason="")
    assert world.stage_id == "ten"
    assert world.kinds[-1] == "refused"
    world.say("promote", reason="the board wants it")
    assert world.stage_id == "half"
    assert "promote" in world.kinds


def test_a_hand_that_lowers_the_exposure_is_not_fought() -> None:
    """Somebody switches the flag off by hand: the rollout pauses and leaves it off."""
    world = World(canary())
    world.until("half")
    world.share = 0.0
    world.ticks(5, "healthy")
    assert (world.state.phase, world.share) == ("paused", 0.0)
    assert world.state.standing.startswith(
        "Somebody else, or a restart that forgot, moved the target from 50%"
    )
    world.say("resume")
    world.ticks(2, "undecided")
    assert world.share == 0.5


def test_a_hand_that_raises_the_exposure_is_set_back() -> None:
    """Nobody but the plan may expose more users; the stage then counts anew."""
    world = World(canary())
    world.until("ten")
    world.share = 0.9
    world.tick("healthy")
    assert world.share == 0.1
    assert world.state.entered_at is None
    assert "drift" in world.kinds


def test_rollback_before_the_start_ends_it() -> None:
    """A rollout that never exposed anybody can be called off."""
    world = World(canary(freezes=(Freeze(first=date(2026, 1, 1), last=date(2026, 12, 31)),)))
    world.tick()
    world.say("rollback")
    world.ticks(2)
    assert world.state.phase == "rolled_back"


def test_past_the_point_of_no_return_harm_holds() -> None:
    """Where there is no way back none is promised: the rollout holds for people."""
    world = World(canary(stage("cutover", 1.0, "time", reversible=False)))
    world.until("cutover")
    world.tick("harmful")
    assert (world.state.phase, world.share) == ("paused", 1.0)
    assert "point of no return" in world.state.standing
    world.say("rollback")
    assert world.kinds[-1] == "refused"


def test_harm_past_the_point_of_no_return_is_not_resumed_into_done() -> None:
    """A person has to go on over the verdict, by name and reason; resuming alone does not do it."""
    world = World(canary(stage("cutover", 1.0, "time", reversible=False)))
    world.until("cutover")
    world.tick("harmful")
    world.say("resume")
    world.ticks(30, "harmful")
    assert world.state.phase == "paused"
    world.say("promote", reason="rolled forward by hand")
    assert world.state.phase == "done"


@pytest.mark.parametrize("mode", ["time", "ready", "evidence"])
def test_time_alone_without_a_verdict_promotes_nothing(mode: str) -> None:
    """Where nobody looked, nothing is known; the stage holds whatever its rule."""
    world = World(canary(stage("only", 0.5, mode), stage("all", 1.0, "time")))
    world.until("only")
    for _ in range(30):
        world.now += timedelta(seconds=1)
        world.hear(ClockTicked(at=world.now, verdict=None))
    assert world.stage_id == "only"


def test_a_pause_before_the_target_obeyed_raises_nothing() -> None:
    """Told 50%, still at 10%, paused: it stays at 10% until somebody resumes."""
    world = World(canary(stage("half", 0.5)))
    world.tick("healthy")
    world.is_deaf = True
    world.share = 0.1
    world.say("pause")
    world.is_deaf = False
    world.ticks(5, "undecided")
    assert world.share == 0.1
    world.say("resume")
    world.ticks(2, "undecided")
    assert world.share == 0.5


def test_before_the_start_the_target_is_not_touched() -> None:
    """A rollout that waits, is paused, or is called off takes nothing away from users it never served."""
    frozen = canary(freezes=(Freeze(first=date(2026, 1, 1), last=date(2026, 12, 31)),))
    for words in (("pause",), ("rollback",), ("pause", "resume", "rollback")):
        world = World(frozen)
        world.share = 1.0
        world.tick()
        for word in words:
            world.say(word)  # type: ignore[arg-type]
            world.ticks(3)
        assert world.share == 1.0
    assert world.state.phase == "rolled_back"


def test_an_approval_that_was_taken_back_keeps_a_rollout_waiting() -> None:
    """Approved at the start and not any more when the window opens: it does not begin."""
    world = World(canary())
    world.hear(ClockTicked(at=world.now, is_approved=False))
    assert world.state.phase == "waiting"
    assert "not approved" in world.state.standing


def test_a_rollback_is_looked_after_more_often_than_checks_are_due() -> None:
    """With a check once a day, a target that does not answer is still asked every two seconds."""
    plan = canary()
    plan = plan.model_copy(update={"policy": plan.policy.model_copy(update={"tick_seconds": 86400.0})})
    world = World(plan)
    world.until("ten")
    assert next_wake(plan, world.state, world.now, moved=False) == timedelta(days=1)
    world.is_deaf = True
    world.say("rollback")
    assert next_wake(plan, world.state, world.now, moved=True) == timedelta(seconds=0.2)
    assert next_wake(plan, world.state, world.now, moved=False) == timedelta(seconds=2)


def test_a_finished_rollout_changes_no_more() -> None:
    """Done is done: no event moves it, and a person is told so."""
    world = World(canary())
    for _ in range(100):
        world.tick("healthy")
    before = world.state
    world.tick("harmful")
    world.say("rollback")
    assert world.state == before
    assert world.kinds[-1] == "refused"


def test_patience_can_mean_going_back() -> None:
    """With that policy, no answer for too long is followed by a rollback."""
    plan = canary()
    plan = plan.model_copy(update={"policy": plan.policy.model_copy(update={"on_patience": "rollback"})})
    world = World(plan)
    world.until("ten")
    world.ticks(110)
    assert world.state.phase == "rolled_back"


def test_a_clock_that_jumps_back_promotes_nothing() -> None:
    """Elapsed time that is negative is no bake time."""
    world = World(canary())
    world.until("ten")
    world.now -= timedelta(hours=1)
    world.ticks(5, "healthy")
    assert world.stage_id == "ten"


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_each_share_is_read_back_before_it_counts(share: float) -> None:
    """A stage whose exposure is not confirmed never bakes."""
    world = World(canary(stage("only", share, "time")))
    world.is_deaf = True
    world.ticks(100, "healthy")
    assert world.state.entered_at is None
    assert world.state.phase == "running"
