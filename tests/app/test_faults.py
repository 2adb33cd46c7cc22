"""What breaks while a rollout runs does not leave users on a version nobody watches."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.rollout import Collected, Cursor, Interval, Move
from support.rollouts import share_of_users, started, wait_for
from support.world import Metrics


def at_ten_percent(rollway: Rollway, metrics: Metrics) -> str:
    rollout = started(rollway, metrics, bake="60s")
    wait_for(lambda: rollway.load(rollout).state.served_share == 0.1)
    return rollout


def test_a_signal_that_raises_is_a_source_that_is_down(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A faulty plugin makes the judge blind; the policy takes the release back and says why."""
    rollout = at_ten_percent(rollway, metrics)

    def fails(cursor: Cursor | None, interval: Interval) -> Collected:
        raise ValueError("the plugin is broken")

    guard = rollway.load(rollout).plan.guards[0]
    monkeypatch.setattr(rollway.connectors.signal(rollout, guard), "collect", fails)
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=60)
    told = [entry.text for entry in rollway.rollouts.record(rollout)]
    assert any("the plugin is broken" in text for text in told)
    assert any("Rolling back by policy" in text for text in told)


def test_a_tick_that_fails_to_commit_is_done_again(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails once while a rollback waits to be heard: it is heard by the next attempt."""
    rollout = at_ten_percent(rollway, metrics)
    commit, failed = rollway.rollouts.commit, []

    def fails_once(move: Move) -> bool:
        if move.heard and not failed:
            failed.append(move)
            raise sa.exc.OperationalError("commit", {}, Exception("disk full"))
        return commit(move)

    monkeypatch.setattr(rollway.rollouts, "commit", fails_once)
    rollway.say(rollout, "rollback", "anybody")
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=15)
    assert failed


def test_a_page_that_hangs_does_not_hold_a_rollback(
    rollway: Rollway, runtime: Runtime, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a tick waits for a signal, a person's rollback is acted on beside it."""
    rollout = at_ten_percent(rollway, metrics)
    signal: Any = rollway.connectors.signal(rollout, rollway.load(rollout).plan.guards[0])
    collect = signal.collect

    def hangs(cursor: Cursor | None, interval: Interval) -> Collected:
        time.sleep(4)
        found: Collected = collect(cursor, interval)
        return found

    monkeypatch.setattr(signal, "collect", hangs)
    time.sleep(0.5)
    rollway.say(rollout, "rollback", "anybody")
    wait_for(lambda: share_of_users(runtime.book) == 0.0, within=1.0)
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=8)


def test_a_clock_that_is_set_back_stops_nothing(rollway: Rollway, runtime: Runtime, metrics: Metrics) -> None:
    """Five minutes back in the middle of a stage: faults are still seen and taken back."""
    rollout = at_ten_percent(rollway, metrics)
    rollway.clock = lambda: datetime.now(UTC) - timedelta(minutes=5)
    metrics.break_new_version(0.5)
    wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=30)
    assert rollway.verify_record(rollout)[1] == ()
