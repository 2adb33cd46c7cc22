"""`rollway start` and `rollway retry` as a person and as a script read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.app import Rollway
from rollway.app.proof import NotProvenError
from rollway.cli.main import cli
from rollway.errors import InputError, RefusedError
from support.world import Metrics, a_release

SKIP = ("--skip-preflight", "--because", "the source is back at nine")


@pytest.fixture
def plan(tmp_path: Path, metrics: Metrics) -> str:
    rollway = Rollway(tmp_path)
    plan = rollway.plan(a_release(metrics.url, bake="1m", check_every="1s"))
    rollway.approve(plan, "bo")
    rollway.close()
    return plan.hash[:10]


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(folder), *words, "--as", "ops"])


def test_it_says_what_it_started_with(tmp_path: Path, plan: str) -> None:
    """What was found in a sentence, and each thing that could not be known, in lines of a screen."""
    done = run(tmp_path, "start", plan)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "started reporting-2.4.0-1"
    assert lines[1].startswith("preflight: looked for ")
    assert any(line.startswith("  not proven: target, way back") for line in lines)
    assert lines[-1] == "next: `rollway watch reporting-2.4.0-1`"
    assert lines[-2].startswith("`rollway serve` carries it out")
    assert max(map(len, lines[:-2])) <= 100


def test_a_script_gets_all_that_was_found(tmp_path: Path, plan: str) -> None:
    """As the record has it."""
    told = json.loads(run(tmp_path, "start", plan, "--json").output)
    assert told["preflight"]["proven"] == ["errors"]
    assert {check["about"] for check in told["preflight"]["checks"]} == {"target", "errors"}


def test_what_failed_starts_nothing_and_ends_with_15(tmp_path: Path, plan: str, metrics: Metrics) -> None:
    """An exit code of its own: not an input that is wrong, nor a rule that forbids it."""
    metrics.is_down = True
    refused = run(tmp_path, "start", plan, "--within", "1s")
    assert isinstance(refused.exception, NotProvenError)
    assert refused.exception.exit_code == 15
    assert "--skip-preflight --because" in refused.exception.hint
    status = CliRunner().invoke(cli, ["--data", str(tmp_path), "status"]).output
    assert status.splitlines()[:2] == ["Rollouts", "  none"]


def test_skipping_needs_a_reason_and_is_kept_with_the_name(
    tmp_path: Path, plan: str, metrics: Metrics
) -> None:
    """And is said on the screen, so that nobody takes it for a look that found nothing."""
    metrics.is_down = True
    for words in (("--skip-preflight",), ("--skip-preflight", "--because", " ")):
        refused = run(tmp_path, "start", plan, *words)
        assert isinstance(refused.exception, RefusedError)
        assert "needs a reason" in refused.exception.message
    both = run(tmp_path, "start", plan, *SKIP, "--within", "3s")
    assert isinstance(both.exception, InputError)
    done = run(tmp_path, "start", plan, *SKIP)
    assert "preflight: skipped" in done.output
    record = CliRunner().invoke(cli, ["--data", str(tmp_path), "record", "show"]).output
    assert "without a preflight, on the word of ops: the source is back at nine" in record


def test_a_time_that_is_none_is_named(tmp_path: Path, plan: str) -> None:
    """Before anybody is asked anything."""
    refused = run(tmp_path, "start", plan, "--within", "soon")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.message.startswith("--within")
