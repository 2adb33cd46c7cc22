"""What pages say of a rollout that nobody carries out, and of a command that nobody has heard."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from rollway.app.views import rollout_view
from rollway.app.waiting import UNATTENDED_MEANS, late_words, unheard_words
from rollway.rollout.model import CommandKind
from rollway.rollout.notifications import KINDS
from rollway.web.board import board
from rollway.web.words import ENTRIES, with_code
from support.nights import bare
from support.stories import stage
from support.tasks import night
from web.site import Site
from web.story import Story


def left_alone(story: Story) -> str:
    """A rollout that was looked at, and then for an hour by nobody."""
    rollout = story.start(bare())
    story.tick(rollout, 4)
    story.now += timedelta(hours=1)
    return rollout


def test_the_board_says_that_nobody_carries_it_out(site: Site) -> None:
    """In the same words as `rollway status`, and only while it is so."""
    story = site.story
    rollout = left_alone(story)
    view = rollout_view(story.rollway, rollout)
    said = str(with_code(late_words(view, story.now)))
    assert "the last look at it was 1 h ago" in said
    assert said in site.page(f"/rollouts/{rollout}").text
    story.tick(rollout)
    assert "Nobody carries it out" not in site.page(f"/rollouts/{rollout}").text


def test_the_board_says_what_nobody_has_heard(site: Site) -> None:
    """A command is shown with who said it and when, until a tick hears it."""
    story = site.story
    rollout = story.start(bare())
    story.tick(rollout, 4)
    story.rollway.say(rollout, "pause", "mia", "a look at it")
    story.now += timedelta(seconds=7)
    (said,) = rollout_view(story.rollway, rollout)["unheard"]
    assert unheard_words(said, story.now).endswith("said by mia 7 s ago, not heard yet")
    text = site.page(f"/rollouts/{rollout}").text
    assert "Pause said by mia 7 s ago, not heard yet." in text
    assert "1 command not heard yet" in text
    story.tick(rollout)
    assert "not heard yet" not in site.page(f"/rollouts/{rollout}").text


def test_the_list_marks_what_is_unattended(site: Site) -> None:
    """The row has the word and the unheard command, and the page says once what the word means."""
    story = site.story
    rollout = left_alone(story)
    assert "unattended" in site.page("/").text
    story.rollway.say(rollout, "rollback", "mia")
    text = site.page("/").text
    assert str(with_code(UNATTENDED_MEANS)) in text
    assert "1 rollout is unattended" in text
    assert "Rollback said by mia 0 s ago, not heard yet." in text
    story.tick(rollout)
    assert "nattended" not in site.page("/").text.replace("unattended-said", "")


def test_who_watches_learns_it_without_a_move(site: Site) -> None:
    """Nothing moves while nobody looks, and the page is told all the same; a page in the background too."""
    story = site.story
    rollout = story.start(bare())
    story.tick(rollout, 4)
    path = f"/rollouts/{rollout}/events"
    events = site.events(path)
    _, number, _ = next(events)
    story.rollway.say(rollout, "pause", "mia")
    _, same, change = next(events)
    assert same == number
    assert "Pause said by mia" in change["regions"]["head"]
    assert "kpis" not in change["regions"]
    assert change["series"]["at"] == []
    story.now += timedelta(hours=1)
    _, _, later = next(events)
    assert "Nobody carries it out" in later["regions"]["head"]
    (hidden,) = site.events(f"{path}?once=true&seq={number}")
    assert "Nobody carries it out" in hidden[2]["regions"]["head"]


def test_past_the_point_of_no_return_the_page_offers_the_way_forward(site: Site) -> None:
    """It says what closed the way back, and has a button for the mend instead of one for going back."""
    story = site.story
    baseline = stage("prepare", 0, "time", bake_seconds=0)
    switch = stage("switch", 1, "time", title="Switch everyone", reversible=False, bake_seconds=900)
    plan = night(baseline, switch, tasks=(), prepared_by="ada", operators=("jon",), target=bare().target)
    rollout = story.start(plan)
    story.tick_until(rollout, lambda state: state.stage == 1 and state.entered_at is not None)
    story.tick(rollout)
    text = site.page(f"/rollouts/{rollout}").text
    assert "The point of no return was passed with &#39;Switch everyone&#39;" in text
    buttons = text.partition('id="region-actions"')[2].partition("</div>")[0]
    assert 'popovertarget="ask-forward"' in buttons
    assert "ask-rollback" not in buttons
    assert "of 15 minutes" in text


def test_every_entry_and_every_command_has_a_word() -> None:
    """What the record may hold, the page shows by a word and a sign of its own."""
    known = {kind for kind in KINDS if kind != "errand"} | set(get_args(CommandKind))
    assert known <= ENTRIES.keys()


def test_undo_steps_are_told_once(story: Story) -> None:
    """A step that is waited for is not in a second table as well."""
    rollout = story.start(night(prepared_by="ada", operators=("jon",), target=bare().target))
    story.tick(rollout)
    story.rollway.say(rollout, "confirm", "eva", "", "brief")
    story.tick(rollout, 3)
    story.rollway.say(rollout, "confirm", "eva", "", "stop")
    story.tick(rollout, 1)
    story.rollway.say(rollout, "rollback", "jon", "the desk cannot print")
    story.tick(rollout, 2)
    shown = board(rollout_view(story.rollway, rollout), story.now)
    named = {need["subject"] for need in shown["needs"]}
    steps = [step["id"] for title, work in shown["waits"]["work"] if title == "Undo steps" for step in work]
    assert "open" in named
    assert named.isdisjoint(steps)
