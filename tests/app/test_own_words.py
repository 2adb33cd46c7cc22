"""A stage opens by itself once its groups were really told, and the notice they were promised is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rollway.app import Rollway
from rollway.app.own_words import Speaker
from rollway.app.views import rollout_view
from rollway.approvals import Approval
from rollway.planning import Gate, Message, Plan
from rollway.rollout import Entry
from rollway.rollout.tick import tick
from rollway.store import Claimed
from support.stories import START, canary, stage

DAY = timedelta(days=1)
LEASE = timedelta(minutes=2)


def notice(**more: object) -> Message:
    body = {
        "stage": "ten",
        "when": "3 days before",
        "audience": "Rome",
        "channel": "e-mail",
        "text": "You will soon work with reporting 2.4.0.",
        "id": "ten-notice-rome",
        "kind": "notice",
        "offset_seconds": -3 * DAY.total_seconds(),
    }
    return Message.model_validate({**body, **more})


TOLD = Gate(id="told", stage="ten", kind="message", what="Rome was told", of="ten-notice-rome")
TRAINED = Gate(id="trained", stage="ten", kind="training", what="Rome is trained", minimum=0.8)
TARGET = {"type": "flag", "flag": "reporting-flag", "candidate": "new", "baseline": "old"}


def a_plan(message: Message, *gates: Gate) -> Plan:
    stages = (stage("ten", 0.1, "time"), stage("all", 1, "time"))
    return canary(*stages, guards=(), gates=(TOLD, *gates), communication=(message,), target=TARGET)


class Story:
    """A rollout, a clock that is moved by hand, and the hands of a sender."""

    def __init__(self, folder: Path) -> None:
        self.now: datetime = START
        self.rollway = Rollway(folder, clock=lambda: self.now)
        self.speaker = Speaker(self.rollway)
        self.name = "reporting-1"

    def begin(self, plan: Plan, *channels: str) -> None:
        for name in channels:
            more = {"wanted": ("done",), "messages": "own", "actor": "ana"}
            self.rollway.channels.add(name, "webhook", "https://desk.example.com/hook", **more)
        self.rollway.plans.save(plan, self.now)
        self.rollway.plans.approve(plan.hash, Approval("bo", "yes", self.now, ""))
        self.rollway.rollouts.create(self.name, plan, self.now, Entry(kind="started", text="go"))
        self.look()

    def look(self, after: timedelta = timedelta(seconds=5)) -> None:
        """Time passes, a tick looks, and Rollway says what it can."""
        self.now += after
        one = self.rollway
        seq = one.rollouts.seq(self.name)
        assert seq is not None
        tick(self.name, seq, rollouts=one.rollouts, connectors=one.connectors, clock=one.clock)
        self.speaker.look()

    def deliver(self) -> Claimed:
        """Whatever is due for the first channel arrives."""
        ((channel, rollout), *_) = self.rollway.outbox.lines_due(self.now)
        claimed = self.rollway.outbox.claim(channel, rollout, self.now, LEASE)
        assert claimed is not None
        self.rollway.outbox.sent(claimed, self.now)
        return claimed

    @property
    def is_told(self) -> bool:
        loaded = self.rollway.load(self.name)
        return "told" in loaded.state.words or any(one.event.subject == "told" for one in loaded.pending)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    story = Story(tmp_path)
    yield story
    story.rollway.close()


def test_a_notice_goes_out_as_soon_as_its_stage_waits_for_it(story: Story) -> None:
    """To the channel that the plan names, as it was written; nothing is said of the gate before."""
    story.begin(a_plan(notice()), "e-mail")
    assert not story.is_told
    letter = story.deliver()
    assert letter.notification.text == "You will soon work with reporting 2.4.0."
    assert letter.notification.data["message"] == "ten-notice-rome"


def test_its_gate_is_met_when_it_arrived_and_the_notice_is_over(story: Story) -> None:
    """Not on the day on which users read it for the first time; the record has when it was delivered."""
    story.begin(a_plan(notice()), "e-mail")
    story.deliver()
    delivered = story.now
    story.look()
    assert not story.is_told
    story.look(DAY * 2)
    assert not story.is_told
    story.look(DAY)
    assert story.is_told
    story.look()
    state = story.rollway.load(story.name).state
    assert state.words["told"].actor == "rollway"
    assert state.words["told"].note == (
        f"delivered by e-mail at {delivered:%Y-%m-%d %H:%M} UTC, and the notice of 3 days is over"
    )
    assert state.started_at is not None


def test_people_see_when_it_opens_by_itself(story: Story) -> None:
    """And how to open it sooner; a machine that waits for people is told that it need not."""
    story.begin(a_plan(notice()), "e-mail")
    (before,) = rollout_view(story.rollway, story.name)["needs"]
    assert before["is_people"]
    story.deliver()
    story.look()
    (need,) = rollout_view(story.rollway, story.name)["needs"]
    assert datetime.fromisoformat(need["until"]) - story.now > DAY * 2.9
    assert "delivered by e-mail at" in need["takes"]
    assert need["commands"] == [f"rollway task confirm {story.name} told"]
    assert not need["is_people"]


def test_without_notice_it_opens_once_it_was_delivered(story: Story) -> None:
    """A message that the plan sends on the day itself asks for no days."""
    story.begin(a_plan(notice(offset_seconds=0.0)), "e-mail")
    story.deliver()
    story.look()
    assert story.is_told


@pytest.mark.parametrize("channel", ["ops-chat", ""])
def test_what_people_send_is_confirmed_by_people(story: Story, channel: str) -> None:
    """No channel of that name: nothing goes out, and the gate waits as ever."""
    story.begin(a_plan(notice()), *([channel] if channel else []))
    assert story.rollway.outbox.lines_due(story.now) == ()
    story.look(DAY * 4)
    assert not story.is_told


def test_what_somebody_has_still_to_translate_is_not_sent(story: Story) -> None:
    """Nor taken as told."""
    story.begin(a_plan(notice(to_write=True)), "e-mail")
    assert story.rollway.outbox.lines_due(story.now) == ()


def test_a_letter_that_never_arrives_opens_nothing(story: Story) -> None:
    """Given up is not told."""
    story.begin(a_plan(notice()), "e-mail")
    ((channel, rollout),) = story.rollway.outbox.lines_due(story.now)
    claimed = story.rollway.outbox.claim(channel, rollout, story.now, LEASE)
    assert claimed is not None
    story.rollway.outbox.give_up(claimed, story.now, "nobody there")
    story.look(DAY * 4)
    assert not story.is_told


def test_gates_that_are_asked_for_again_send_no_second_letter(story: Story) -> None:
    """Somebody says that another gate is not met any more; users are not written to again."""
    story.begin(a_plan(notice(), TRAINED), "e-mail")
    story.deliver()
    story.rollway.say(story.name, "confirm", "kim", "90% reached", "trained")
    story.look()
    story.rollway.say(story.name, "fail", "kim", "half of them left", "trained")
    story.look()
    asked = [entry for entry in story.rollway.rollouts.record(story.name) if entry.kind == "gates_open"]
    assert len(asked) == 2
    assert story.rollway.outbox.lines_due(story.now) == ()


def test_what_was_seen_to_is_not_looked_at_again(story: Story) -> None:
    """Once no gate is left that Rollway could speak of, a rollout costs nothing more."""
    story.begin(a_plan(notice(offset_seconds=0.0)), "e-mail")
    story.deliver()
    story.look()
    story.look()
    story.look()

    def load(_: str) -> None:
        raise AssertionError("there is nothing to look at")

    story.rollway.load = load  # type: ignore[assignment, method-assign]
    story.speaker.look()
