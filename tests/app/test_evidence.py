"""The evidence of a rollout that really ran says all that its verdicts were made of."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.canonical import canonical_json
from rollway.cli.main import cli
from support.rollouts import started, wait_for
from support.world import Metrics


def recorded(rollway: Rollway, rollout: str) -> str:
    return "".join(f"{canonical_json(row['body'])}\n" for row in rollway.rollouts.verdicts(rollout))


def test_a_rollout_judged_again_says_the_same_byte_for_byte(
    database: str, rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """Export and replay give every recorded verdict of a bad release that was taken back, after an outage."""
    rollout = started(rollway, metrics)
    wait_for(lambda: rollway.load(rollout).state.desired_share == 0.1)
    metrics.is_down = True
    wait_for(lambda: any(one.problem for one in rollway.rollouts.readings(rollout)))
    metrics.break_new_version(0.10)
    metrics.is_down = False
    wait_for(lambda: rollway.load(rollout).state.is_final)
    file = tmp_path / "evidence.jsonl"
    exported = CliRunner().invoke(cli, ["--data", database, "judge", "export", rollout, "-o", str(file)])
    assert exported.exit_code == 0, exported.output
    replayed = CliRunner().invoke(cli, ["judge", "replay", str(file)])
    assert replayed.exit_code == 0, replayed.output
    assert '"kind":"harmful"' in replayed.output
    assert replayed.stdout == recorded(rollway, rollout)


def test_a_healthy_rollout_too(
    database: str, rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """From the first look, when nothing had been read yet, to the last one at everybody."""
    rollout = started(rollway, metrics)
    wait_for(lambda: rollway.load(rollout).state.is_final)
    printed = CliRunner().invoke(cli, ["--data", database, "judge", "export"])
    assert printed.stdout.startswith('{"format":"rollway.evidence/1"')
    file = tmp_path / "evidence.jsonl"
    file.write_text(printed.stdout, encoding="utf-8")
    replayed = CliRunner().invoke(cli, ["judge", "replay", str(file)])
    assert replayed.stdout == recorded(rollway, rollout)
    assert replayed.stdout.count("\n") > 10
