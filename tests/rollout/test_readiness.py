"""No share goes to a version that is not ready, as far as the target can tell."""

from __future__ import annotations

from support.machine import World
from support.stories import canary


def test_a_new_version_that_is_not_ready_gets_no_users() -> None:
    """Healthy by its numbers or not: the next stage waits, says why, and goes on once it is ready."""
    world = World(canary())
    world.new_is_ready = False
    for _ in range(100):
        world.tick("healthy")
    assert world.share == 0
    assert "the new version is not ready" in world.state.standing
    world.new_is_ready = True
    world.until("ten")
    assert world.share == 0.1


def test_a_new_version_that_dies_is_taken_back() -> None:
    """Seen dead twice while it serves users: everyone is back on the old one, whatever the KPIs say."""
    world = World(canary())
    world.until("ten")
    world.new_is_ready = False
    world.tick("healthy")
    assert world.share == 0.1
    world.tick("healthy")
    assert world.share == 0
    world.tick("healthy")
    assert world.state.phase == "rolled_back"
    assert "is not ready" in world.state.standing


def test_one_failed_look_is_forgiven() -> None:
    """A single missed health check takes nothing back."""
    world = World(canary())
    world.until("ten")
    for _ in range(10):
        world.new_is_ready = False
        world.tick("undecided")
        world.new_is_ready = True
        world.tick("undecided")
    assert world.state.phase == "running"
    assert world.share == 0.1


def test_no_stage_is_left_with_a_new_version_that_is_not_ready() -> None:
    """Its time is over and its numbers are healthy in the very look in which it is down: it stays."""
    world = World(canary())
    world.until("ten")
    world.tick("undecided")
    while "baking" in world.state.standing:
        world.tick("undecided")
    world.new_is_ready = False
    world.tick("healthy")
    assert world.state.standing == "the new version serves users and is not ready"
    assert world.share == 0.1


def test_traffic_goes_back_only_to_an_old_version_that_is_ready() -> None:
    """Harmful, and the old version is down: it is said, nothing moves, and it goes back once that is up."""
    world = World(canary())
    world.until("half")
    world.old_is_ready = False
    world.tick("undecided")
    world.tick("harmful")
    assert (world.state.phase, world.share) == ("rolling_back", 0.5)
    world.ticks(5)
    assert world.share == 0.5
    assert "The old version is not ready" in world.state.standing
    assert world.kinds.count("rollback_waits") == 1
    world.old_is_ready = True
    world.ticks(2)
    assert (world.state.phase, world.share) == ("rolled_back", 0)


def test_a_persons_word_waits_for_the_old_version_too() -> None:
    """Nobody is sent to a dead version on anybody's word."""
    world = World(canary())
    world.until("half")
    world.old_is_ready = False
    world.tick("undecided")
    world.say("rollback")
    assert world.share == 0.5
    world.old_is_ready = True
    world.ticks(2)
    assert world.state.phase == "rolled_back"


def test_a_target_that_cannot_know_holds_nothing_up() -> None:
    """Unknown is not dead: the rollout goes its way."""
    world = World(canary())
    for _ in range(100):
        world.tick("healthy")
    assert world.state.phase == "done"


def test_nobody_promotes_a_dead_version_to_more_users() -> None:
    """A promotion by hand is refused while the new version is not ready."""
    world = World(canary())
    world.until("baseline")
    world.new_is_ready = False
    world.tick("undecided")
    world.say("promote")
    assert world.kinds[-1] == "refused"
    assert world.share == 0
