"""The command target runs the operators' own programs, without a shell, and believes what is read back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Served
from rollway.targets.command import CommandTarget

SET = "import os, pathlib, sys; pathlib.Path('share').write_text(sys.argv[1]); print('set to', sys.argv[1])"
GET = "import pathlib; print(pathlib.Path('share').read_text())"


def target(folder: Path, **options: Any) -> CommandTarget:
    given = {
        "apply": [sys.executable, "-c", SET, "{share}"],
        "observe": [sys.executable, "-c", GET],
        "folder": str(folder),
        **options,
    }
    if not (folder / "share").exists():
        (folder / "share").write_text("0")
    return CommandTarget(given, Surroundings(rollout="r-1", flags=None))  # type: ignore[arg-type]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_share_is_set_and_read_back_with_what_the_command_said(tmp_path: Path) -> None:
    """The share reaches the command in its words, and its last line is kept for the record."""
    switch = target(tmp_path)
    switch.apply(0.1, fence=1)
    assert switch.observe() == Served(0.1, note="apply said: set to 0.1")


def test_the_step_stands_in_the_environment_too(tmp_path: Path) -> None:
    """Scripts that take no words read ROLLWAY_PERCENT and the rest."""
    told = "import os; print(*(os.environ['ROLLWAY_' + x] for x in ('SHARE', 'PERCENT', 'ROLLOUT', 'FENCE')))"
    switch = target(tmp_path, apply=python(told))
    switch.apply(0.15, fence=7)
    assert switch.observe().note == "apply said: 0.15 15 r-1 7"


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """There is no shell: a semicolon in a word starts nothing."""
    (tmp_path / "share").write_text("0")
    switch = target(tmp_path, apply=[*python(SET), "{share}; touch broken"])
    switch.apply(0.5, fence=1)
    assert not (tmp_path / "broken").exists()


def test_a_command_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    """The second try succeeds, and nobody had to be asked."""
    flaky = "import pathlib, sys; p = pathlib.Path('n'); n = p.exists(); p.touch(); n or sys.exit('not yet')"
    target(tmp_path, apply=python(flaky), retries=1).apply(0.5, fence=1)
    (tmp_path / "n").unlink()
    with pytest.raises(TemporaryError, match="ended with 1: not yet"):
        target(tmp_path, apply=python(flaky), retries=0).apply(0.5, fence=1)


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Neither the command nor its children outlive their time."""
    hang = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', %r]); time.sleep(60)"
    child = "import pathlib, time; time.sleep(2); pathlib.Path('late').touch()"
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="took longer than 1 s"):
        target(tmp_path, apply=python(hang % child), timeout=1, retries=0).apply(0.5, fence=1)
    assert time.monotonic() - began < 5
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize(
    "answer", ["", "ten percent", "1.5", "-0.1", "true", "NaN", "{}", '{"share": "0.1"}']
)
def test_an_answer_that_is_no_share_is_never_taken_for_one(tmp_path: Path, answer: str) -> None:
    """No data is no evidence: neither nobody nor everyone is read out of it."""
    with pytest.raises(TemporaryError):
        target(tmp_path, observe=python(f"print({answer!r})")).observe()


def test_a_command_may_tell_more_than_the_share(tmp_path: Path) -> None:
    """As JSON it says which versions are ready, and what people should know."""
    told = (
        '{"share": 0.3, "mirrored": 0.1, "candidate_ready": true, "baseline_ready": false, "note": "3 of 9"}'
    )
    assert target(tmp_path, observe=python(f"print({told!r})")).observe() == Served(
        0.3, 0.1, True, False, "3 of 9"
    )


def test_a_preflight_tries_all_but_changes_nothing(tmp_path: Path) -> None:
    """The present share is set once more, and the operators' own check is run."""
    (tmp_path / "share").write_text("0.25")
    checks = {c.name: c for c in target(tmp_path, preflight=python("print('chart is there')")).preflight()}
    assert {name: check.state for name, check in checks.items()} == {
        "reachable": "ok",
        "candidate ready": "unknown",
        "baseline ready": "unknown",
        "prepared": "ok",
        "way back": "ok",
    }
    assert checks["prepared"].told == "chart is there"
    assert (tmp_path / "share").read_text() == "0.25"


def test_a_command_that_does_not_set_what_it_is_told_fails_the_preflight(tmp_path: Path) -> None:
    """A script that always sets a half is found before anybody is exposed."""
    always = target(tmp_path, apply=[*python(SET), "0.5"])
    assert {c.name: c.state for c in always.preflight()}["way back"] == "failed"


@pytest.mark.parametrize("broken", [["./none"], python("import sys; sys.exit(3)")])
def test_a_command_that_cannot_be_run_is_told(tmp_path: Path, broken: list[str]) -> None:
    """A missing file or a bad end: which command, and how it ended."""
    checks = target(tmp_path, observe=broken).preflight()
    assert [check.state for check in checks] == ["failed"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"apply": "helm upgrade"}, "target.apply: is no list"),
        ({"observe": None}, "target.observe: is missing"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    """A slip in the release file is told when the target is made."""
    with pytest.raises(InputError, match=problem):
        target(tmp_path, **options)
