"""A target that takes its time is told one thing at a time, and what went wrong with it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.facts import Release
from support.rollouts import start_plan, wait_for
from support.world import Metrics, release_facts

SLOW = "echo begin >> log; sleep 1.5; echo {share} > share; echo end >> log"
FAILS = "test {share} = 0 || { sleep 1; exit 3; }"


def started_with(rollway: Rollway, metrics: Metrics, folder: Path, apply: str) -> str:
    """A rollout whose target is this shell command; its first stage asks for nothing."""
    (folder / "share").write_text("0")
    target: dict[str, Any] = {"type": "command", "apply": ["sh", "-c", apply], "observe": ["cat", "share"]}
    facts = release_facts(metrics.url, bake="60s")
    facts["target"] = {**target, "folder": str(folder), "retries": 0}
    plan = rollway.plan(Release.model_validate(facts))
    rollway.approve(plan, "bo")
    return start_plan(rollway, plan, "ops")


def test_a_command_that_takes_longer_than_a_tick_is_not_run_twice_at_once(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """It runs for five ticks; each run ends before the next one begins."""
    rollout = started_with(rollway, metrics, tmp_path, SLOW)
    wait_for(lambda: rollway.load(rollout).state.served_share == 0.1)
    runs = (tmp_path / "log").read_text().split()
    assert runs
    assert runs == ["begin", "end"] * (len(runs) // 2)


def test_a_command_that_fails_late_is_said_to_have_failed(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, tmp_path: Path
) -> None:
    """Also where ticks are due before it fails; it is said once, and the rollout waits for it."""
    rollout = started_with(rollway, metrics, tmp_path, FAILS)

    def told() -> list[str]:
        return [entry.text for entry in rollway.rollouts.record(rollout) if entry.kind == "target_failed"]

    wait_for(lambda: bool(told()))
    assert "ended with 3" in told()[0]
    seq = rollway.rollouts.seq(rollout) or 0
    wait_for(lambda: (rollway.rollouts.seq(rollout) or 0) > seq + 2)
    assert len(told()) == 1
    assert rollway.load(rollout).state.entered_at is None
