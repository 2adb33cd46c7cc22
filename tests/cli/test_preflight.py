"""`rollway preflight` as a person and as a program reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.cli.main import cli
from rollway.errors import InputError
from support.world import Metrics, a_release

QUICK = ("--pause", "0.3s", "--within", "0.6s")


@pytest.fixture
def plan(tmp_path: Path, metrics: Metrics) -> str:
    rollway = Rollway(tmp_path)
    plan = rollway.plan(a_release(metrics.url, bake="1m", check_every="1s"))
    rollway.close()
    return plan.hash[:10]


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(folder), "preflight", *words])


def test_a_clear_plan_ends_with_0_and_says_so(tmp_path: Path, plan: str) -> None:
    """The checks stand under what they are about, each with its evidence."""
    done = run(tmp_path, plan, *QUICK)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines.index("target") < lines.index("errors")
    assert "Clear. Nothing failed." in done.output
    assert "fault x5 found" in done.output
    assert max(map(len, lines)) <= 100


def test_what_failed_is_named_and_ends_with_15(tmp_path: Path, plan: str, metrics: Metrics) -> None:
    """As a program sees it too: the code of the real process, and JSON with all that was found."""
    metrics.is_down = True
    command = [sys.executable, "-m", "rollway", "--data", str(tmp_path), "preflight", plan, *QUICK]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 15
    told = json.loads(done.stdout)
    assert not told["is_clear"]
    failed = [(row["about"], row["name"]) for row in told["checks"] if row["state"] == "failed"]
    assert failed == [("errors", "source")]
    shown = run(tmp_path, plan, *QUICK)
    assert shown.exit_code == 15
    assert "Not clear. Failed: errors: source." in shown.output


def test_the_size_of_the_fault_can_be_chosen(tmp_path: Path, plan: str) -> None:
    """A fault of x1.2 lies within the tolerance of x1.25, and is not found."""
    done = run(tmp_path, plan, *QUICK, "--fault", "1.2")
    assert done.exit_code == 15
    assert "fault x1.2 found" in done.output
    assert "not before the end of the plan" in done.output


@pytest.mark.parametrize("words", [("--pause", "0s"), ("--pause", "soon"), ("--within", "x")])
def test_an_option_that_cannot_be_used_is_named(tmp_path: Path, plan: str, words: tuple[str, str]) -> None:
    """Before anybody is asked anything."""
    refused = run(tmp_path, plan, *words)
    assert isinstance(refused.exception, InputError)
    assert refused.exception.message.startswith(words[0])
