"""What a rollout waits for, on its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from rollway.app.views import rollout_view
from rollway.rollout.model import DoingState
from rollway.rollout.needs import NeedKind
from rollway.web.board import board
from rollway.web.words import NEEDS, WORK
from support.nights import example_plan
from web.site import Site
from web.story import Story


def started(story: Story, *, tasks: str = "listed") -> str:
    """A rollout whose gates nobody has met."""
    plan = example_plan()
    policy = plan.policy.model_copy(update={"tasks": tasks})
    plan = plan.model_copy(update={"policy": policy, "windows": ()})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    story.tick(rollout, 6)
    return rollout


def shown(story: Story, rollout: str) -> Mapping[str, Any]:
    return board(rollout_view(story.rollway, rollout), story.now)


def test_the_page_names_who_is_waited_for_and_what_to_type(site: Site) -> None:
    """An open gate stands in the table with its people and its command."""
    rollout = started(site.story)
    text = site.page(f"/rollouts/{rollout}").text
    assert "What it waits for" in text
    assert f"rollway task confirm {rollout} 10-percent-task-before-telemetry" in text
    assert "Scrum Team or Operations" in text


def test_a_gate_is_told_once(story: Story) -> None:
    """A gate that is waited for is among the needs and not again among the gates; one that was answered
    before it is behind is shown with the word."""
    rollout = started(story)
    before = shown(story, rollout)
    named = {need["subject"] for need in before["needs"]}
    assert named
    assert named.isdisjoint(gate["id"] for gate in before["waits"]["gates"])
    answered = before["gates"][-1]["id"]
    story.rollway.say(rollout, "waive", "jon", "seen by hand", answered)
    story.tick(rollout)
    after = {gate["id"]: gate for gate in shown(story, rollout)["waits"]["gates"]}
    assert after[answered]["look"].word == "waived"
    assert after[answered]["note"] == "seen by hand"


def test_followed_tasks_are_shown_with_who_does_them(story: Story) -> None:
    """Where tasks are followed, the ones at hand are there, and the others are counted."""
    rollout = started(story, tasks="followed")
    view = shown(story, rollout)
    at_hand = {need["subject"] for need in view["needs"] if need["kind"] == "task"}
    assert "before-criteria" in at_hand
    assert "tasks ahead" in view["waits"]["said"]
    assert f"{len(view['needs'])} need people" in view["waits"]["said"]


def test_an_ended_rollout_waits_for_nothing(site: Site) -> None:
    """The section is gone once it is over."""
    rollout = started(site.story)
    site.rollway.say(rollout, "rollback", "mia")
    site.story.tick(rollout, 3)
    assert "What it waits for" not in site.page(f"/rollouts/{rollout}").text


def test_every_need_and_every_state_has_a_word() -> None:
    """What the state machine may say, the page can show."""
    assert set(get_args(NeedKind)) == NEEDS.keys()
    assert {"ahead", *get_args(DoingState)} <= WORK.keys()
