"""Users who are not split as planned: nobody but a person goes on over it, and it stops no way back."""

from __future__ import annotations

import pytest

from rollway.rollout import State
from support.machine import World
from support.stories import canary, stage

LOST = "users: the new version was planned to get 10.0% and got 8.1% of 12,300"


def test_users_who_are_not_split_as_planned_pause_the_rollout_once() -> None:
    """It is not taken back; the record says by how much; whoever resumes is not paused again."""
    world = World(canary())
    world.until("ten")
    for _ in range(5):
        world.tick("undecided", mismatch=LOST)
    assert (world.state.phase, world.share) == ("paused", 0.1)
    assert world.kinds.count("mismatch") == 1
    assert world.state.standing == f"Paused: users are not split as planned. {LOST}"
    world.say("resume")
    for _ in range(50):
        world.tick("undecided", mismatch=LOST)
    assert (world.state.phase, world.stage_id) == ("running", "ten")
    assert world.kinds.count("mismatch") == 1
    assert "only a promotion by hand" in world.state.standing


@pytest.mark.parametrize("mode", ["time", "evidence", "ready"])
def test_only_a_person_leaves_a_stage_whose_users_are_not_split_as_planned(mode: str) -> None:
    """No rule of a stage goes on over a mismatch, not even one that only waits; a promote by name does."""
    world = World(canary(stage("ten", 0.1, mode), stage("all", 1.0, "evidence")))
    world.until("ten")
    world.tick("undecided", mismatch=LOST)
    world.say("resume")
    for kind in ("undecided", "healthy"):
        for _ in range(30):
            world.tick(kind, mismatch=LOST)  # type: ignore[arg-type]
    assert world.stage_id == "ten"
    world.say("promote", reason="the bot filter is known")
    assert world.stage_id == "all"


def test_a_mismatch_in_the_next_stage_pauses_again() -> None:
    """Each stage collects its own evidence, so each is told of once."""
    world = World(canary())
    world.until("ten")
    world.tick("undecided", mismatch=LOST)
    world.say("promote", reason="mended")
    world.ticks(3)
    assert (world.state.phase, world.stage_id) == ("running", "half")
    world.tick("undecided", mismatch=LOST)
    assert world.state.phase == "paused"
    assert world.kinds.count("mismatch") == 2


def test_a_mismatch_does_not_stand_in_the_way_of_going_back() -> None:
    """Harm found meanwhile, or blindness that lasts, is acted on as ever; so is a person's rollback."""
    for kind, ticks in (("harmful", 2), ("blind", 45)):
        world = World(canary())
        world.until("ten")
        for _ in range(ticks):
            world.tick(kind, mismatch=LOST)  # type: ignore[arg-type]
        assert world.state.phase == "rolled_back"
    world = World(canary())
    world.until("ten")
    world.tick("undecided", mismatch=LOST)
    world.say("rollback")
    world.tick()
    assert world.state.phase == "rolled_back"


def test_a_state_from_before_there_were_mismatches_is_read() -> None:
    """A rollout that was under way when the field came goes on."""
    old = State().model_dump()
    del old["mismatch_stage"]
    assert State.model_validate(old) == State()
