"""explain: printed for a tired reader, and as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import unstyle
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.app.telling import Line
from rollway.cli.explain import _lines
from rollway.cli.main import cli
from rollway.errors import NotFoundError
from support.nights import bare, example_plan, lived
from web.story import Story, make_story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("data")
    made = make_story(shutil.copytree(folder, folder / "here"))
    yield made
    made.rollway.close()


@pytest.fixture(scope="module")
def ended(story: Story) -> str:
    """A rollout that was taken back."""
    story.world.new["errors"] = 0.1
    return lived(story, 20, bare(name="ended"))


@pytest.fixture(scope="module")
def waiting(story: Story, ended: str) -> str:
    """A rollout that waits for a gate, started after the other one."""
    plan = example_plan().model_copy(update={"windows": (), "name": "waiting"})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon", reset_target="the flag is made up here")
    story.tick(rollout, 6)
    return rollout


def command(story: Story, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", story.rollway.where, "explain", *words])


def test_it_fits_eighty_columns_but_for_what_is_typed(story: Story, ended: str, waiting: str) -> None:
    """Words wrap; a command stays on one line, so that it can be copied."""
    for name in (waiting, ended):
        lines = command(story, name).stdout.splitlines()
        assert len(lines) > 10
        assert all(len(line) <= 80 or "rollway" in line for line in lines)


def test_it_says_who_and_what_to_type(story: Story, waiting: str) -> None:
    """The gate, its people, the command; and who may say it."""
    told = command(story, waiting)
    assert told.exit_code == 0
    assert "What it waits for, and what it would take" in told.stdout
    assert (
        f"type                  rollway task confirm {waiting} 10-percent-task-before-telemetry --as "
        in told.stdout
    )


def test_json_has_the_same_in_values(story: Story, waiting: str, ended: str) -> None:
    """Sections by name; each line with its sentence and its numbers."""
    body = json.loads(command(story, waiting, "--json").stdout)
    assert body["rollout"] == waiting
    gate = next(one for one in body["waits"] if one["kind"] == "gate")
    assert gate["commands"][0].startswith("rollway task confirm")
    assert gate["text"].startswith("A gate: ")
    over = json.loads(command(story, ended, "--json").stdout)
    assert "waits" not in over
    assert over["ended"][0]["phase"] == "rolled_back"


def test_one_entry_by_its_number(story: Story, waiting: str) -> None:
    """With the rollout's name, or by the number alone for the newest one."""
    whole = command(story, waiting, "1").stdout
    assert "Entry 1: " in whole
    assert "Only an approved plan is started" in whole
    assert command(story, "1").stdout == whole
    number = json.loads(command(story, waiting, "1", "--json").stdout)
    assert number["entry_number"] == 1


def test_what_is_not_there_is_not_found(story: Story, ended: str) -> None:
    """An entry, and a rollout."""
    for words in ((ended, "999"), ("nothing",)):
        assert isinstance(command(story, *words).exception, NotFoundError)


def test_without_any_rollout_it_says_how_to_begin(tmp_path: Path) -> None:
    """Nothing was started yet."""
    Rollway(tmp_path).close()
    told = CliRunner().invoke(cli, ["--data", str(tmp_path), "explain"])
    assert "rollway start" in str(getattr(told.exception, "hint", ""))


def test_a_label_never_runs_into_its_text() -> None:
    """The longest label there is, and the trouble that it introduces, are read as two."""
    line = Line("It runs.", (("the target's trouble", "HAProxy does not answer"),))
    assert "trouble  HAProxy" in unstyle(_lines(line, 100)[-1])
