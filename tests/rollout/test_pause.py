"""A pause while people still work: what they were asked before may be finished, and nobody asks it back."""

from __future__ import annotations

from rollway.planning import Exposure, Plan, Stage
from support.machine import World
from support.stories import canary, stage


def with_groups(given: Stage, *groups: str) -> Stage:
    exposure = Exposure(share=given.exposure.share, groups=groups)
    return given.model_copy(update={"exposure": exposure})


def waves() -> Plan:
    oslo = with_groups(stage("oslo", 0.2, "time"), "Oslo")
    both = with_groups(stage("both", 0.5, "time"), "Oslo", "Rome", "Wien")
    return canary(stage("baseline", 0, "ready"), oslo, both, stage("all", 1, "time"))


def paused_at_work() -> World:
    """Three groups were asked for, one has it, and somebody says pause."""
    world = World(waves())
    world.knows_groups = True
    world.until("oslo")
    world.is_deaf = True
    for _ in range(60):
        if world.stage_id == "both":
            break
        world.tick("healthy")
    world.say("pause")
    world.tick("healthy")
    assert (world.state.phase, world.state.desired_share) == ("paused", 0.2)
    return world


def test_what_people_finish_after_a_pause_is_no_drift() -> None:
    """Kept as it is, said once for each step, and nothing is told to the target."""
    world = paused_at_work()
    for share, groups in ((0.3, ("Oslo", "Rome")), (0.5, ("Oslo", "Rome", "Wien"))):
        world.share, world.groups = share, groups
        world.ticks(3, "healthy")
        assert (world.state.phase, world.state.desired_share) == ("paused", share)
    assert "drift" not in world.kinds
    assert world.kinds.count("exposure_kept") == 3
    assert "what was begun before is finished: Oslo, Rome, Wien now" in world.record[-1].text


def test_resumed_it_goes_on_to_what_is_missing() -> None:
    """The stage counts from the moment at which all of it is served."""
    world = paused_at_work()
    world.share, world.groups = 0.3, ("Oslo", "Rome")
    world.tick("healthy")
    world.is_deaf = False
    world.say("resume")
    assert set(world.groups or ()) == {"Oslo", "Rome", "Wien"}
    world.tick("healthy")
    assert (world.stage_id, world.state.phase) == ("both", "running")
    assert world.state.entered_at == world.now


def test_more_than_the_stage_asked_for_is_drift_all_the_same() -> None:
    """Nobody but the plan may raise the exposure: another group, or more users, is set back."""
    world = paused_at_work()
    world.is_deaf = False
    world.share, world.groups = 0.3, ("Oslo", "Graz")
    world.tick("healthy")
    assert world.kinds[-1] == "drift"
    assert world.share == 0.2
    world = paused_at_work()
    world.is_deaf = False
    world.share, world.groups = 0.8, ("Oslo", "Rome", "Wien")
    world.tick("healthy")
    assert world.kinds[-1] == "drift"


def test_a_switch_that_is_moved_during_a_pause_is_drift() -> None:
    """A flag or a balancer has nobody at work: whoever moved it is somebody else."""
    world = World(waves())
    world.until("oslo")
    world.is_deaf = True
    for _ in range(60):
        if world.stage_id == "both":
            break
        world.tick("healthy")
    world.say("pause")
    world.tick("healthy")
    world.is_deaf, world.share = False, 0.5
    world.tick("healthy")
    assert world.kinds[-1] == "drift"
    assert world.share == 0.2
