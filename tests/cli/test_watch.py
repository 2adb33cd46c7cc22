"""watch: a picture in a terminal, lines in a log, JSON in a pipeline; and exit codes that tell them apart."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.text import Text

from rollway.app.following import Follower, is_reached
from rollway.app.views import rollout_view
from rollway.cli.canvas import HIDE, SHOW, Canvas
from rollway.cli.main import cli
from rollway.cli.watch_picture import as_text, picture
from support.nights import bare, counted, example_plan, lived
from web.story import Story


def command(story: Story, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", story.rollway.where, *words])


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def drawn(
    story: Story, rollout: str, width: int, *, encoding: str = "utf-8", height: int | None = None
) -> str:
    view = rollout_view(story.rollway, rollout, entries=12)
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(width=width, file=file, no_color=True)
    return as_text(picture(view, story.now, console, height=height))


# --- the picture ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(story: Story, width: int) -> None:
    """At every phase of a rollout, so that nothing wraps and jumps."""
    plan = example_plan().model_copy(update={"windows": ()})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    for _ in range(4):
        story.tick(rollout, 2)
        lines = drawn(story, rollout, width).splitlines()
        assert max(map(len, lines)) <= width
    story.rollway.say(rollout, "rollback", "mia")
    story.tick(rollout, 2)
    assert max(map(len, drawn(story, rollout, width).splitlines())) <= width


def test_the_picture_tells_why_it_waits_without_colours(story: Story) -> None:
    """Stages with marks and shares, the open gate with its people and the command, KPIs, the way back."""
    plan = example_plan().model_copy(update={"windows": ()})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    story.tick(rollout, 6)
    text = drawn(story, rollout, 80)
    assert "RUNNING" in text
    assert "▶ Look at the old version" in text
    assert "· 10% of users" in text
    assert "served: 0% of users, as planned" in text
    assert "Waits for" in text
    assert "Scrum Team or" in text
    assert f"rollway task confirm {rollout}" in text
    assert "Way back      open to the end" in text


def test_a_guard_that_does_not_count_here_is_not_shown_as_blind(story: Story) -> None:
    """In the picture and in the stream of lines."""
    rollout = lived(story, 8, counted())
    text = drawn(story, rollout, 80)
    assert re.search(r"latency +gate .* not counted\n", text)
    assert max(map(len, text.splitlines())) <= 80
    follower = Follower(story.rollway, rollout)
    (judged,) = [one for one in follower.look() if one["event"] == "verdict"]
    assert {one["kpi"]: one["state"] for one in judged["guards"]}["latency"] == "uncounted"
    assert "Record" in text


def test_the_picture_has_both_versions_figures(story: Story) -> None:
    """New, old, ratio, band and evidence of each KPI, with the verdict."""
    rollout = story.start(bare())
    story.tick(rollout, 8)
    text = drawn(story, rollout, 80)
    said = rollout_view(story.rollway, rollout)["verdict"]["guards"][0]
    line = next(line for line in text.splitlines() if line.startswith("errors"))
    assert f"{said['candidate_rate']:.2%}" in line
    assert f"{said['ratio']:.2f}×" in line
    assert f"{said['ratio_high']:.2f}×" in line
    assert "safe e" in text
    assert "evidence of harm e =" in text


def test_a_terminal_without_fine_signs_gets_plain_ones(story: Story) -> None:
    """In ASCII the marks are ASCII."""
    rollout = story.start(bare())
    story.tick(rollout, 6)
    stages = drawn(story, rollout, 80, encoding="ascii").split("KPI")[0]
    assert "+ Look at the old version" in stages
    assert "> 10% of users" in stages
    assert "▶" not in stages


def test_a_low_terminal_is_not_overrun(story: Story) -> None:
    """The picture is never higher than the room, and says so where it was cut."""
    rollout = story.start(bare())
    story.tick(rollout, 8)
    assert len(drawn(story, rollout, 80, height=14).splitlines()) == 14
    assert "a higher window" in drawn(story, rollout, 80, height=14)


# --- the canvas -------------------------------------------------------------------------------------


def test_only_what_changed_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that stays is skipped over, not erased; one write for each picture."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=40, height=10)
    with Canvas(console) as canvas:
        canvas.draw([Text("head"), Text("one"), Text("tail")])
        file.seek(0)
        file.truncate()
        canvas.draw([Text("head"), Text("two"), Text("tail")])
        assert "two" in file.getvalue()
        assert "head" not in file.getvalue()
        assert "tail" not in file.getvalue()
        file.seek(0)
        file.truncate()
        canvas.draw([Text("head"), Text("two"), Text("tail")])
        assert file.getvalue() == ""


def test_the_cursor_comes_back_whatever_happens() -> None:
    """Hidden while it draws, shown at the end, also after an error."""
    file = io.StringIO()
    with pytest.raises(ZeroDivisionError), Canvas(Console(file=file, force_terminal=True)):
        raise ZeroDivisionError
    assert file.getvalue().index(HIDE) < file.getvalue().index(SHOW)
    assert file.getvalue().endswith(SHOW)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_leaves_the_terminal_as_it_was(story: Story, number: signal.Signals, code: int) -> None:
    """A real process in a real pseudo-terminal: it is stopped, shows the cursor; the rollout stays."""
    rollout = lived(story, 6)
    pid, screen = pty.fork()
    if pid == 0:
        where = ["--data", story.rollway.where]
        os.execve(
            sys.executable,
            [sys.executable, "-m", "rollway", *where, "watch", rollout],
            {**os.environ, "TERM": "xterm"},
        )
    seen = _read(screen, b"RUNNING", within=60)
    os.kill(pid, number)
    seen += _read(screen, SHOW.encode(), within=20)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
    os.close(screen)
    assert seen.count(HIDE.encode()) == seen.count(SHOW.encode()) == 1
    assert b"Traceback" not in seen
    assert story.rollway.load(rollout).state.phase == "running"


def _read(screen: int, until: bytes, within: float) -> bytes:
    seen, deadline = b"", time.monotonic() + within
    while until not in seen and time.monotonic() < deadline:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                seen += os.read(screen, 65536)
            except OSError:
                break
    assert until in seen, seen[-2000:]
    return seen


# --- JSON -------------------------------------------------------------------------------------------


def test_json_is_one_snapshot(story: Story) -> None:
    """All that the page knows, once, with needs, gates and clock."""
    rollout = lived(story, 6)
    told = command(story, "watch", rollout, "--json")
    view = json.loads(told.stdout)
    assert told.exit_code == 0
    assert {"needs", "gates", "clock", "verdict", "stages", "record"} <= view.keys()


def test_a_stream_that_is_taken_up_again_neither_loses_nor_repeats(story: Story) -> None:
    """Wherever it broke off, both parts together are the record; live looks give what is new, once."""
    story.world.new["errors"] = 0.1
    rollout = story.start(bare())
    live = Follower(story.rollway, rollout)
    seen = []
    for _ in range(30):
        seen += [one["n"] for one in live.look() if one["event"] == "entry"]
        story.tick(rollout)
    seen += [one["n"] for one in live.look() if one["event"] == "entry"]
    record = [entry.n for entry in story.rollway.rollouts.record(rollout)]
    assert seen == record
    for broken in range(len(record) + 1):
        rest = Follower(story.rollway, rollout, after=broken)
        assert [one["n"] for one in rest.look() if one["event"] == "entry"] == record[broken:]


def test_a_change_of_verdict_is_told_once(story: Story) -> None:
    """The judge speaks each tick; the stream says it where a verdict or a KPI's state is another one."""
    rollout = story.start(bare())
    live = Follower(story.rollway, rollout)
    told: list[tuple[str, str]] = []
    for _ in range(14):
        story.tick(rollout)
        told += [
            (one["stage"], one["kind"] + ",".join(guard["state"] for guard in one["guards"]))
            for one in live.look()
            if one["event"] == "verdict"
        ]
    assert len(told) >= 2
    assert all(one != other for one, other in pairwise(told))


def test_follow_ends_with_the_rollout_and_its_exit_code(story: Story) -> None:
    """JSON lines to the last entry, and an end that names phase and code; `status --follow` is the same."""
    story.world.new["errors"] = 0.1
    rollout = lived(story, 20)
    told = command(story, "watch", rollout, "--follow", "--after", "3")
    assert told.exit_code == 10
    lines = events(told.stdout)
    assert next(one["n"] for one in lines if one["event"] == "entry") == 4
    assert (lines[-1]["event"], lines[-1]["phase"], lines[-1]["exit_code"]) == ("end", "rolled_back", 10)
    assert lines[-2]["kind"] == "rolled_back"
    assert events(command(story, "status", rollout, "--follow", "--after", "3").stdout) == lines


# --- exit codes -------------------------------------------------------------------------------------


def test_the_time_is_over_and_it_goes_on(story: Story) -> None:
    """16 while a rollout needs nobody; the log says where to look."""
    rollout = lived(story, 6)
    told = command(story, "watch", rollout, "--timeout", "0.1s")
    assert told.exit_code == 16
    assert f"rollway explain {rollout}" in told.stdout
    assert "10% of users" in told.stdout


def test_the_time_is_over_and_people_are_waited_for(story: Story) -> None:
    """17 where a gate is open, or it is held."""
    plan = example_plan().model_copy(update={"windows": ()})
    story.now = datetime.now(UTC)
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    story.tick(rollout, 6, seconds=0.1)
    told = command(story, "watch", rollout, "--timeout", "0.1s")
    assert told.exit_code == 17
    assert "waits for" in told.stdout
    story.rollway.say(rollout, "pause", "mia")
    story.tick(rollout, seconds=0.1)
    assert command(story, "watch", rollout, "--timeout", "0.1s", "--follow").exit_code == 17


def test_the_time_is_over_and_nobody_carries_it_out(story: Story) -> None:
    """6 where no server has looked at it for too long; the stream says so too."""
    rollout = story.start(bare())
    story.tick(rollout, 6)
    told = command(story, "watch", rollout, "--timeout", "0.7s", "--follow")
    assert told.exit_code == 6
    assert "late" in [one["event"] for one in events(told.stdout)]


def test_until_a_stage_is_served(story: Story) -> None:
    """0 as soon as the stage was read back; not while it is only told."""
    rollout = lived(story, 6)
    assert command(story, "watch", rollout, "--until", "stage:10-percent").exit_code == 0
    told = command(story, "watch", rollout, "--until", "stage:50-percent", "--timeout", "0.1s")
    assert told.exit_code == 16
    view = rollout_view(story.rollway, rollout)
    assert not is_reached({**view, "entered_at": None}, "stage:10-percent")
    refused = command(story, "watch", rollout, "--until", "stage:nine")
    assert "stage:10-percent" in str(getattr(refused.exception, "hint", ""))


def test_a_log_has_one_line_for_each_entry(story: Story) -> None:
    """Where nothing can be redrawn nothing is: no escape sequences, every entry once, in order."""
    story.world.new["errors"] = 0.1
    rollout = lived(story, 20)
    told = command(story, "watch", rollout)
    assert told.exit_code == 10
    assert "\x1b" not in told.stdout
    lines = told.stdout.splitlines()
    numbers = [int(line[19:25]) for line in lines if line[19:25].strip().isdigit()]
    assert numbers == [entry.n for entry in story.rollway.rollouts.record(rollout)]
