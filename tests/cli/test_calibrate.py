"""`rollway judge calibrate`: from a file of healthy history to a dispersion and what it is worth."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rollway.cli.calibrate import calibrate
from rollway.errors import InputError
from rollway.judge import Counts, GuardRule, Reading, Rules
from rollway.judge.evidence_file import write_evidence

RULES = Rules(
    (GuardRule("errors", "rate", tolerance=1.0), GuardRule("basket", "mean", bound=10.0)),
    alpha=0.05,
    planned_seconds=1200.0,
)


def readings(hours: float) -> list[Reading]:
    """A reading each minute of two arms with 20% noise of their own."""
    rng, kept, luck, made = np.random.default_rng(107), math.exp(-60 / 300), np.zeros(2), []
    for i in range(round(60 * hours)):
        luck = kept * luck + math.sqrt(1 - kept**2) * 0.2 * rng.normal(size=2)
        trials = rng.poisson((3000, 3000))
        bad = rng.binomial(trials, 0.01 * np.exp(luck))
        arms = [Counts(int(n), int(d)) for n, d in zip(trials, bad, strict=True)]
        made.append(Reading("errors", 60.0 * i, 60.0 * i + 60, "aa", 0.5, *arms))
    return made


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with ten hours of history: thirty windows of 20 minutes."""
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    path.write_text("\n".join(write_evidence(RULES, readings(10))), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    answer = CliRunner().invoke(calibrate, [str(each) for each in arguments])
    if answer.exception is not None and not isinstance(answer.exception, InputError | SystemExit):
        raise answer.exception
    return answer


def test_it_tells_the_noise_the_share_and_what_they_are_worth(history: Path) -> None:
    """The page for people: per KPI what was learned, how many windows, and what does not follow."""
    told = run(history).output
    assert "errors: evidence divided by" in told
    assert "basket: kind mean counts no events" in told
    assert "Healthy windows of 20 min, alpha 5.00%" in told
    assert "of 30 rolled back" in told
    assert "does not show a share of at most 5.00%" in told


def test_json_has_everything(history: Path) -> None:
    """For programs: learned and calibrated dispersion, before and after, every trial."""
    said = json.loads(run(history, "--json").output)
    assert said["before"]["windows"] == said["after"]["windows"] == 30
    assert said["after"]["share"] <= 0.05
    assert said["learned"]["errors"]["growth"] > 0.01
    assert set(said["dispersion"]) == {"errors"}
    assert said["tried"][0]["multiplier"] == 1.0
    assert said["is_shown"] is False
    assert said["conclusions"]


def test_alpha_and_windows_are_taken_from_the_command_line(history: Path) -> None:
    """A stricter alpha, and the latest ten windows only."""
    said = json.loads(run(history, "--alpha", "0.01", "--windows", "10", "--json").output)
    assert said["alpha"] == 0.01
    assert said["before"]["windows"] == 10


def test_what_the_rules_name_can_be_judged_as_it_is(history: Path) -> None:
    """--keep learns nothing: without dispersion the noise shows as false rollbacks, and is multiplied."""
    said = json.loads(run(history, "--keep", "--json").output)
    assert said["learned"]["errors"] == {"floor": 1.0, "growth": 0.0, "block_seconds": 300.0}
    assert said["before"]["share"] > 0.05
    assert said["multiplier"] > 1


def test_the_dispersion_is_written_where_it_is_wanted(history: Path, tmp_path: Path) -> None:
    """The file names its format, and holds what the rules need."""
    target = tmp_path / "dispersion.json"
    assert str(target) in run(history, "--write", target).output
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["format"] == "rollway.dispersion/1"
    assert set(written["dispersion"]["errors"]) == {"floor", "growth", "block_seconds"}
    assert written["realised"]["windows"] == 30


def test_history_that_is_too_short_is_refused(tmp_path: Path) -> None:
    """Half a rollout is no window; the message says how long it must be, and nothing is written."""
    path, target = tmp_path / "short.jsonl", tmp_path / "dispersion.json"
    path.write_text("\n".join(write_evidence(RULES, readings(0.2))), encoding="utf-8")
    answer = run(path, "--write", target)
    assert isinstance(answer.exception, InputError)
    assert "no window of 20 min" in str(answer.exception)
    assert not target.exists()


def test_a_file_that_is_not_there_or_no_evidence_is_refused(tmp_path: Path) -> None:
    """Each with its name in the message."""
    nothing, binary = tmp_path / "nothing.jsonl", tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (nothing, binary):
        answer = run(path)
        assert isinstance(answer.exception, InputError)
        assert path.name in str(answer.exception)
