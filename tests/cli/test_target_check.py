"""`rollway target check` as its user meets it: a line per promise, and a code for scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.cli.main import cli
from rollway.errors import InputError, RefusedError
from rollway.facts import Release
from support.world import release_facts

SET = "import pathlib, sys; pathlib.Path('share').write_text(sys.argv[1])"
GET = "import pathlib; print(pathlib.Path('share').read_text())"
RELEASE = release_facts("http://127.0.0.1:9/metrics")


def rollway(*words: str) -> Result:
    """The command in this process; what a person would be told as an error is raised."""
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A share in a file, and the programs that set and tell it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "share").write_text("0.25")
    python = [sys.executable, "-S", "-c"]
    good = {"type": "command", "apply": [*python, SET, "{share}"], "observe": [*python, GET], "retries": 0}
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(good))
    (tmp_path / "stuck.yaml").write_text(yaml.safe_dump({**good, "apply": [*python, SET, "0.25"]}))
    (tmp_path / "release.yaml").write_text(yaml.safe_dump(RELEASE))
    return tmp_path


def test_nothing_is_moved_without_leave(folder: Path) -> None:
    """It says what was tried, what was not, and by which words it would be."""
    done = rollway("target", "check", "good.yaml")
    assert done.exit_code == 0, done.output
    assert "kept     looking changes nothing    serves 25%, read back twice" in done.output
    assert "untried  100% is read back          it moves traffic" in done.output
    assert "--yes-move-traffic tries the rest" in done.output
    assert (folder / "share").read_text() == "0.25"


def test_a_good_target_is_moved_and_put_back(folder: Path) -> None:
    """All promises, as JSON for programs; the way back is timed."""
    done = rollway("target", "check", "good.yaml", "--yes-move-traffic", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["type"], told["is_kept"]) == ("command", True)
    back = told["promises"][-1]
    assert (back["name"], back["state"]) == ("back where it was", "kept")
    assert back["seconds"] > 0
    assert (folder / "share").read_text() == "0.25"


def test_a_broken_promise_has_a_code_of_its_own(folder: Path) -> None:
    """A program that always sets a quarter: fifteen, and in words what it did."""
    done = rollway("target", "check", "stuck.yaml", "--yes-move-traffic", "--within", "1s")
    assert done.exit_code == 15
    assert "told 0.5, it tells 25% after 1 s" in " ".join(done.output.split())


def test_the_target_of_a_release_and_of_its_plan_is_found(folder: Path) -> None:
    """The file that one has at hand is enough."""
    plan = rollway("plan", "release.yaml", "--output", "plan.json")
    assert plan.exit_code == 0, plan.output
    for file in ("release.yaml", "plan.json"):
        done = rollway("target", "check", file)
        assert done.exit_code == 0, done.output
        assert "flag:reporting-flag" in done.output


def test_what_a_rollout_uses_is_not_moved(folder: Path) -> None:
    """Its users would be moved under its feet."""
    here = Rollway(folder / ".rollway")
    plan = here.plan(Release.model_validate(RELEASE))
    here.approve(plan, "bo")
    rollout = here.start(plan, "ops")
    here.close()
    with pytest.raises(RefusedError, match=f"{rollout} is carried out on the same target"):
        rollway("target", "check", "release.yaml", "--yes-move-traffic")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "none.yaml: No such file or directory"),
        ("type: mesh", "'mesh', which is not installed"),
        ("{type: flag, flag: a}", "target.candidate: is missing"),
        ("{a: [", r"none\.yaml:1:6: "),
        ("a: \xff", "none.yaml: this is no UTF-8 text"),
    ],
)
def test_a_file_that_names_no_target_is_told(folder: Path, text: str | None, problem: str) -> None:
    """One message that says what is wrong."""
    if text is not None:
        (folder / "none.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=problem):
        rollway("target", "check", "none.yaml")
