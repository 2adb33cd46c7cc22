"""status and record: a tired reader sees that nobody carries a rollout out, and what nobody has heard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from rollway.app.explaining import explain
from rollway.app.following import Follower
from rollway.app.views import WHOLE, overview, rollout_view
from rollway.cli.main import cli
from rollway.cli.watch_picture import as_text, picture
from rollway.errors import RefusedError
from support.nights import TICK, bare
from web.story import Story, make_story


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, str]]:
    """A rollout that was last looked at ten minutes ago, and of which mia has said rollback since."""
    folder = tmp_path_factory.mktemp("data")
    story = make_story(shutil.copytree(folder, folder / "here"))
    story.now = datetime.now(UTC) - timedelta(minutes=10, seconds=6 * TICK)
    rollout = story.start(bare())
    story.tick(rollout, 6)
    story.now = datetime.now(UTC) - timedelta(seconds=12)
    story.rollway.say(rollout, "rollback", "mia", "the call centre is full")
    story.now = datetime.now(UTC)
    yield story, rollout
    story.rollway.close()


def command(story: Story, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", story.rollway.where, *words])


def test_one_rollout_says_that_nobody_carries_it_out(data: tuple[Story, str]) -> None:
    """And which word was said and not heard, by whom and how long ago."""
    told = command(data[0], "status", data[1]).stdout
    assert "Nobody carries it out: the last look at it was 10 min" in told
    assert "Is `rollway serve` up?" in told
    assert "Rollback said by mia 1" in told
    assert "s ago, not heard yet." in told


def test_the_list_says_so_in_its_line(data: tuple[Story, str]) -> None:
    """One word in the line, what was said, and where to look once below."""
    told = command(data[0], "status").stdout
    (line,) = (line for line in told.splitlines() if line.startswith(f"  {data[1]} "))
    assert "unattended; rollback said by mia 1" in line
    assert "What is unattended is carried out by nobody: is `rollway serve` up?" in told


def test_programs_read_it_too(data: tuple[Story, str]) -> None:
    """The moment from which on it is late, and the unheard commands, in the list and in the single view."""
    lists = json.loads(command(data[0], "status", "--json").stdout)["rollouts"]
    for view in (lists[0], json.loads(command(data[0], "status", data[1], "--json").stdout)):
        assert datetime.fromisoformat(view["late_at"]) < data[0].now
        assert [(one["command"], one["actor"]) for one in view["unheard"]] == [("rollback", "mia")]


def test_explain_and_watch_say_it_as_well(data: tuple[Story, str]) -> None:
    """In the first section; in the picture; and once in the stream, from the second look on."""
    story, rollout = data
    view = rollout_view(story.rollway, rollout, entries=WHOLE)
    where, *_ = explain(story.rollway.load(rollout).plan, view, story.now)
    said = "Rollback said by mia 12 s ago, not heard yet."
    assert said in [line.text for line in where.lines]
    from rich.console import Console

    assert said in as_text(picture(view, story.now, Console(width=100)))
    follower = Follower(story.rollway, rollout)
    looks = [[event["event"] for event in follower.look()] for _ in range(5)]
    assert [look.count("unheard") for look in looks] == [0, 0, 1, 0, 0]


def test_a_rollout_that_is_attended_says_nothing_of_it(story: Story) -> None:
    """What was just looked at and heard is neither late nor unheard; what has ended is never late."""
    rollout = story.start(bare())
    story.tick(rollout, 6)
    story.rollway.say(rollout, "rollback", "mia")
    story.tick_until(rollout, lambda state: state.is_final)
    (line,) = overview(story.rollway)["rollouts"]
    assert (line["late_at"], line["unheard"]) == (None, [])
    told = command(story, "status", rollout).stdout + command(story, "status").stdout
    assert "Nobody carries" not in told
    assert "unattended" not in told


def test_what_was_just_started_waits_for_a_server_and_not_for_a_window(story: Story) -> None:
    """Before the first look nobody knows of windows; a plan may have none."""
    rollout = story.start(bare())
    told = command(story, "status", rollout).stdout
    assert "waiting to be taken up by `rollway serve`" in told
    assert "window" not in told
    (waits,) = json.loads(command(story, "explain", rollout, "--json").stdout)["waits"]
    assert waits["text"] == "To be taken up: nobody has looked at it since it was started."
    story.tick(rollout)
    assert "taken up" not in command(story, "status", rollout).stdout


def test_a_record_is_shown_by_its_rollout_alone(data: tuple[Story, str]) -> None:
    """`record ROLLOUT` is `record show ROLLOUT`; a known word stays a command."""
    shown = command(data[0], "record", data[1])
    assert shown.exit_code == 0
    assert shown.stdout == command(data[0], "record", "show", data[1]).stdout
    assert "started" in shown.stdout
    assert "whole" in command(data[0], "record", "verify", data[1]).stdout


def test_a_refusal_says_how_to_speak_as_who_may(story: Story) -> None:
    """Whoever is logged in under another name is told the option, and what was rolled back how to go on."""
    rollout = story.start(bare())
    with pytest.raises(RefusedError) as refused:
        story.rollway.say(rollout, "resume", "root")
    assert "if you are one of them, add your name, as in --as jon. Anybody may pause it" in refused.value.hint
    story.tick(rollout, 6)
    story.rollway.say(rollout, "rollback", "mia")
    story.tick_until(rollout, lambda state: state.is_final)
    with pytest.raises(RefusedError, match="is rolled back already; override-window changes") as refused:
        story.rollway.say(rollout, "override_window", "jon", "now")
    assert f"`rollway retry {rollout}`" in refused.value.hint
