"""Whole rollouts that compare with a control group, on the real engine, signal and flags."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollway.app import Rollway, starting
from rollway.app.explaining import served
from rollway.app.preflight import Ask, Preflight
from rollway.app.runtime import Runtime
from rollway.app.starting import Wish
from rollway.app.views import rollout_view
from rollway.errors import RollwayError
from rollway.facts import Release
from support.rollouts import start_plan, wait_for
from support.visitors import ASKED, Visitors, checkout_facts
from support.world import page_served


@pytest.fixture
def visitors(runtime: Runtime) -> Iterator[Visitors]:
    found = Visitors(runtime.book, "checkout-flag")
    with page_served(found):
        yield found


def start(rollway: Rollway, visitors: Visitors, *, has_control_group: bool) -> str:
    plan = rollway.plan(Release.model_validate(checkout_facts(visitors, has_control_group=has_control_group)))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def test_a_healthy_release_reaches_everyone_beside_a_control_group(
    rollway: Rollway, runtime: Runtime, visitors: Visitors
) -> None:
    """The group is drawn before anybody has the new version, grows with it, and is gone in the end."""
    rollout = start(rollway, visitors, has_control_group=True)
    wait_for(lambda: rollway.load(rollout).state.desired_share == 0.1)
    wait_for(lambda: visitors.shares()["new"] > 0)
    ten = visitors.shares()
    for variant in ("new", "control"):
        assert abs(ten[variant] - 0.1) < 4 * (0.09 / ASKED) ** 0.5
    wait_for(lambda: rollway.load(rollout).state.served_control == 0.5)
    assert "50% of users, as planned; a control group of 50%" in served(rollout_view(rollway, rollout))
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"
    assert visitors.shares() == {"old": 0.0, "new": 1.0, "control": 0.0}
    entered = [one.data for one in rollway.rollouts.record(rollout) if one.kind == "exposure_verified"]
    assert [(one["share"], one.get("control", 0.0)) for one in entered] == [
        (0.0, 0.1),
        (0.1, 0.1),
        (0.5, 0.5),
        (0.95, 0.05),
        (1.0, 0.0),
    ]


def test_a_fault_that_everyone_else_would_hide_is_found_beside_a_control_group(
    rollway: Rollway, runtime: Runtime, visitors: Visitors
) -> None:
    """Twice as many errors as customers had, and fewer than strangers have: taken back."""
    visitors.break_new_version(0.04)
    rollout = start(rollway, visitors, has_control_group=True)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "rolled_back"
    entry = next(one for one in rollway.rollouts.record(rollout) if one.kind == "rollback")
    assert "errors" in entry.text
    assert visitors.shares() == {"old": 1.0, "new": 0.0, "control": 0.0}


def test_beside_everyone_else_that_fault_reaches_everyone(
    rollway: Rollway, runtime: Runtime, visitors: Visitors
) -> None:
    """What a control group is for: strangers have the old version only, and make it look bad."""
    visitors.break_new_version(0.04)
    rollout = start(rollway, visitors, has_control_group=False)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    assert rollway.load(rollout).state.phase == "done"


def test_a_group_that_is_still_to_be_drawn_stands_against_no_start(
    rollway: Rollway, visitors: Visitors
) -> None:
    """There are no figures of it yet; that is said, and not waited for."""
    plan = rollway.plan(Release.model_validate(checkout_facts(visitors, has_control_group=True)))
    slept: list[float] = []
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock, sleep=slept.append)
    found = {(one.about, one.check.name): one.check for one in looked.run(plan, Ask(pause=1, within=20))}
    assert len(slept) <= 1
    assert found["target", "control group"].state == "ok"
    assert found["errors", "control group"].state == "unknown"
    assert "nobody is in it yet" in found["errors", "control group"].told
    assert all(check.state != "failed" for check in found.values())


def test_a_signal_that_counts_everyone_else_stands_against_a_start(
    rollway: Rollway, visitors: Visitors
) -> None:
    """`baseline` was forgotten: the comparison would be one that the plan does not know."""
    facts = checkout_facts(visitors, has_control_group=True)
    facts["kpis"][0]["signal"]["baseline"] = "old"
    plan = rollway.plan(Release.model_validate(facts))
    looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock)
    found = {(one.about, one.check.name): one.check for one in looked.run(plan, Ask(pause=0.3, within=0.9))}
    assert found["errors", "control group"].state == "failed"
    assert "`baseline` counts others" in found["errors", "control group"].told


def test_a_target_that_can_sample_nobody_is_not_started(
    rollway: Rollway, visitors: Visitors, tmp_path: Path
) -> None:
    """Before anybody is exposed, with what to do."""
    facts = checkout_facts(visitors, has_control_group=True)
    script = shutil.copy(Path(shutil.which("true") or "/bin/true"), tmp_path / "switch")
    facts["target"] = {"type": "command", "apply": [str(script)], "observe": ["echo", '{"share": 0}']}
    plan = rollway.plan(Release.model_validate(facts))
    rollway.approve(plan, "bo")
    with pytest.raises(RollwayError) as caught:
        starting.start(rollway, plan, "ops", Wish(ask=Ask(pause=0.3, within=0.9)))
    assert "cannot sample a control group" in str(caught.value.details)
