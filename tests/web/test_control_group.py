"""What pages show of a control group: in the plan, and how large it is where the rollout stands."""

from __future__ import annotations

from web.site import Site


def test_plan_and_board_tell_the_control_group(site: Site) -> None:
    """As planned; and, once somebody has changed it, how large it is beside what is planned."""
    story = site.story
    plan = story.make_plan(rollout__control_group="equal")
    rollout = story.start(plan)
    assert "10% of everyone, control group 10%" in site.page(f"/plans/{plan.hash}").text
    story.tick_until(rollout, lambda state: state.desired_share == 0.1 and state.entered_at is not None)
    assert "read back from the target; control group 10%" in site.page(f"/rollouts/{rollout}").text
    story.world.control = 0.3
    story.tick(rollout)
    assert "control group 30% of 10%" in site.page(f"/rollouts/{rollout}").text
