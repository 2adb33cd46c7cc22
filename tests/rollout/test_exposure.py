"""What the target says besides a share: copies, groups, and that it will not go further."""

from __future__ import annotations

from rollway.planning import Exposure, Plan
from rollway.planning.model import Stage
from rollway.rollout.steps import compared_share
from support.machine import World
from support.stories import canary, stage


def with_exposure(given: Stage, **exposure: object) -> Stage:
    return given.model_copy(update={"exposure": Exposure.model_validate(exposure)})


def shadowed() -> Plan:
    shadow = with_exposure(stage("shadow", 0, "time"), share=1.0, mode="shadow")
    return canary(stage("baseline", 0, "ready"), shadow, stage("all", 1, "time"))


def sampled() -> Plan:
    look = with_exposure(stage("baseline", 0, "ready"), share=0.0, control=0.1)
    ten = with_exposure(stage("ten", 0.1), share=0.1, control=0.1)
    return canary(look, ten, stage("all", 1, "time"))


def waves() -> Plan:
    oslo = with_exposure(stage("oslo", 0.2, "time"), share=0.2, groups=("Oslo",))
    both = with_exposure(stage("both", 0.5, "time"), share=0.5, groups=("Oslo", "Rome"))
    return canary(stage("baseline", 0, "ready"), oslo, both, stage("all", 1, "time"))


def test_a_shadow_stage_asks_for_copies_and_serves_nobody() -> None:
    """Verified only when both are read back; the next stage takes the copies away."""
    world = World(shadowed())
    world.until("shadow")
    assert (world.share, world.mirrored) == (0.0, 1.0)
    world.until("all")
    assert (world.share, world.mirrored) == (1.0, 0.0)


def test_a_target_that_cannot_mirror_is_not_passed_over() -> None:
    """The stage is not counted, and after half a minute the rollout is held with words; resume tries."""
    world = World(shadowed())
    world.until("baseline")
    world.can_mirror = False
    world.ticks(60, "healthy")
    assert (world.stage_id, world.state.phase, world.state.entered_at) == ("shadow", "paused", None)
    assert "the target has copies of 0%" in world.state.standing
    assert world.kinds.count("held") == 1
    world.can_mirror = True
    world.say("resume")
    world.ticks(3, "healthy")
    assert world.state.entered_at is not None


def test_copies_that_somebody_stopped_are_asked_for_again() -> None:
    """The stage counts anew."""
    world = World(shadowed())
    world.until("shadow")
    world.ticks(5, "healthy")
    world.mirrored = 0.0
    world.tick("healthy")
    assert (world.kinds[-1], world.mirrored, world.state.entered_at) == ("drift", 1.0, None)


def test_a_rollback_takes_the_copies_away_too() -> None:
    """Nothing of the new version runs on."""
    world = World(shadowed())
    world.until("shadow")
    world.say("rollback")
    world.ticks(2)
    assert (world.state.phase, world.mirrored) == ("rolled_back", 0.0)


def test_a_control_group_is_drawn_before_anybody_has_the_new_version() -> None:
    """So that it has figures to compare with; it ends when everyone is served."""
    world = World(sampled())
    world.until("baseline")
    assert (world.share, world.control) == (0.0, 0.1)
    assert compared_share(world.state) == 0.0
    world.until("ten")
    assert (world.share, world.control) == (0.1, 0.1)
    assert compared_share(world.state) == 0.5
    assert "beside a control group of 10% (read back)" in world.record[-1].text
    world.until("all")
    assert (world.share, world.control) == (1.0, 0.0)


def test_a_target_that_samples_nobody_is_not_passed_over() -> None:
    """The stage is not counted, and after half a minute the rollout is held with words; resume tries."""
    world = World(sampled())
    world.can_sample = False
    world.ticks(60)
    assert (world.stage_id, world.state.phase, world.state.entered_at) == ("baseline", "paused", None)
    assert "the plan asks for a control group of 10% of the users" in world.state.standing
    world.can_sample = True
    world.say("resume")
    world.ticks(3)
    assert world.state.entered_at is not None


def test_a_control_group_that_somebody_changed_is_set_back() -> None:
    """The stage counts anew, and nobody loses the new version for it."""
    world = World(sampled())
    world.until("ten")
    world.ticks(2)
    world.control = 0.3
    world.tick()
    assert (world.kinds[-1], world.control, world.state.entered_at) == ("drift", 0.1, None)
    assert "The target has a control group of 30% of the users instead of 10%" in world.record[-1].text
    assert world.share == 0.1


def test_a_rollback_ends_the_control_group() -> None:
    """Nobody is compared any more."""
    world = World(sampled())
    world.until("ten")
    world.say("rollback")
    world.ticks(2)
    assert (world.state.phase, world.share, world.control) == ("rolled_back", 0.0, 0.0)


def test_a_target_that_knows_groups_is_verified_by_its_groups() -> None:
    """The share then follows from the target: who was on holiday changes nothing."""
    world = World(waves())
    world.knows_groups = True
    world.until("oslo")
    assert world.groups == ("Oslo",)
    world.share = 0.17
    world.ticks(3, "healthy")
    assert world.state.served_share == 0.17
    assert "drift" not in world.kinds
    world.until("both")
    assert set(world.groups or ()) == {"Oslo", "Rome"}


def test_a_group_that_is_missing_is_no_share_that_is_near() -> None:
    """Another group of the same size is not the planned one: told again, and never verified."""
    world = World(waves())
    world.knows_groups = True
    world.until("oslo")
    world.groups = ("Rome",)
    world.tick("healthy")
    assert world.kinds[-1] == "drift"
    assert world.groups == ("Oslo",)


def test_a_group_that_was_taken_back_by_others_is_not_fought() -> None:
    """Somebody may always lower the exposure."""
    world = World(waves())
    world.knows_groups = True
    world.until("both")
    world.groups = ("Oslo",)
    world.tick("healthy")
    assert (world.state.phase, world.groups) == ("paused", ("Oslo",))
    world.say("resume")
    assert set(world.groups) == {"Oslo", "Rome"}


def test_a_target_without_groups_is_told_the_share() -> None:
    """The same plan runs on a flag that knows none."""
    world = World(waves())
    world.until("both")
    assert (world.share, world.groups) == (0.5, None)


def test_a_refusal_is_told_once_and_tried_again_on_resume() -> None:
    """Held with the target's own words; the same words do not hold it twice, until somebody resumes."""
    world = World(waves())
    world.until("oslo")
    world.refusal = "shop 7 says: not on market day."
    world.ticks(10, "healthy")
    assert world.state.phase == "paused"
    assert world.kinds.count("held") == 1
    assert "not on market day" in world.state.standing
    world.say("resume")
    world.tick("healthy")
    assert world.kinds.count("held") == 2
    world.refusal = ""
    world.say("resume")
    world.ticks(2, "healthy")
    assert world.state.phase == "running"


def test_a_target_that_serves_more_than_it_is_told_is_told_of_once() -> None:
    """People hear of it after half a minute; it is told again all the while, and counts once it follows."""
    world = World(canary())
    world.until("baseline")
    world.is_deaf = True
    while world.stage_id != "ten":
        world.tick("healthy")
    world.share = 0.4
    world.ticks(60, "healthy")
    told = [entry.text for entry in world.record if entry.kind == "target_failed"]
    assert told == [
        "The target does not follow: told 10%, it still serves 40% after 31 s. It is told again; "
        "look at it by hand."
    ]
    assert (world.stage_id, world.state.entered_at) == ("ten", None)
    world.is_deaf = False
    world.ticks(2, "healthy")
    assert (world.state.served_share, world.state.astray) == (0.1, None)


def test_a_way_back_that_is_not_followed_is_told_of() -> None:
    """The rollout is not called rolled back, and the record does not keep silent."""
    world = World(canary())
    world.until("half")
    world.is_deaf = True
    world.say("rollback")
    world.ticks(60)
    assert world.state.phase == "rolling_back"
    told = next(entry.text for entry in world.record if entry.kind == "target_failed")
    assert "told 0%, it still serves 50%" in told
    assert world.kinds.count("target_failed") == 1


def test_a_target_that_takes_its_time_upwards_is_left_to_it() -> None:
    """Less than was asked for exposes nobody: sites and people take hours."""
    world = World(canary())
    world.until("baseline")
    world.is_deaf = True
    world.ticks(60, "healthy")
    assert (world.stage_id, world.kinds.count("target_failed")) == ("ten", 0)
