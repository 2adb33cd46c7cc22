"""Whole rollouts over shops with tills: real commands at each, waves, failures, crashes, and the way back."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.cli.main import cli
from support.rollouts import wait_for
from support.served import Served
from support.shops import Shops
from support.waves import ended, kinds, passed, reached, started, wave_facts

GROUPS = {"Oslo": 100, "Rome": 300, "Wien": 600}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """One kind of database is enough here: the engine has its own tests for both."""
    return str(tmp_path / "data")


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path, 12)


def a_rollout(rollway: Rollway, shops: Shops, **more: object) -> str:
    return started(rollway, wave_facts({"type": "sites", **shops.options(**more)}, groups=GROUPS))


def test_wave_by_wave_to_every_shop(rollway: Rollway, runtime: Runtime, shops: Shops) -> None:
    """Each wave is read back from the shops before a person goes on, and each shop is changed once."""
    rollout = a_rollout(rollway, shops)
    reached(rollway, rollout, "oslo")
    assert shops.having() == ["S001", "S002", "S003", "S004"]
    passed(rollway, rollout, "oslo")
    reached(rollway, rollout, "rome")
    assert shops.having() == shops.names[:8]
    passed(rollway, rollout, "rome")
    ended(rollway, rollout, "done")
    assert shops.having() == shops.names
    assert set(shops.runs().values()) == {1}
    served = [e.data.get("groups") for e in rollway.rollouts.record(rollout) if e.kind == "exposure_verified"]
    assert served == [["Oslo"], ["Oslo", "Rome"], ["Oslo", "Rome", "Wien"]]
    assert "drift" not in kinds(rollway, rollout)


def test_failures_hold_the_rollout_and_are_tried_again_when_it_is_resumed(
    rollway: Rollway, runtime: Runtime, shops: Shops
) -> None:
    """The record names the shops and what they said; only those are run again."""
    shops.fail("S002", "S003")
    rollout = a_rollout(rollway, shops, failures=1)
    wait_for(lambda: rollway.load(rollout).state.phase == "paused")
    (held,) = [e.text for e in rollway.rollouts.record(rollout) if e.kind == "held"]
    assert (
        "2 of 4 sites failed (at most 1 may): S002, S003. S002 said: it ended with 1: till 3 is open" in held
    )
    time.sleep(1)
    before = shops.runs()
    shops.mend("S002", "S003")
    rollway.say(rollout, "resume", "ops", "the tills are closed now")
    reached(rollway, rollout, "oslo")
    # It may be held before the last of the wave was begun, whose turn comes then.
    again = shops.runs() - before
    assert {name: times for name, times in again.items() if before[name]} == {"S002": 1, "S003": 1}
    assert max(again.values()) == 1
    assert "drift" not in kinds(rollway, rollout)


def test_a_rollback_in_the_middle_of_a_wave_takes_back_what_was_begun(
    rollway: Rollway, runtime: Runtime, shops: Shops
) -> None:
    """Those that have it, and those that are being changed at that moment; it ends when all are back."""
    rollout = a_rollout(rollway, shops, parallel=2)
    passed(rollway, rollout, "oslo")
    shops.slow(0.4)
    wait_for(lambda: len(shops.having()) >= 5)
    rollway.say(rollout, "rollback", "kim", "queues at the tills")
    ended(rollway, rollout, "rolled_back")
    assert shops.having("2.3.1") == shops.names
    assert "clash" not in {what for what, _, _ in shops.diary()}
    assert rollway.load(rollout).state.served_share == 0.0


def test_a_pause_in_the_middle_of_a_wave_begins_nothing_new_and_takes_nothing_back(
    rollway: Rollway, runtime: Runtime, shops: Shops
) -> None:
    """Resumed, it goes on where it was."""
    shops.slow(0.5)
    rollout = started(rollway, wave_facts({"type": "sites", **shops.options(parallel=1)}, shares=[0.75, 1.0]))
    wait_for(lambda: len(shops.having()) >= 1)
    rollway.say(rollout, "pause", "kim", "a call from the shop")
    wait_for(lambda: rollway.load(rollout).state.phase == "paused")
    time.sleep(2.5)
    stands = shops.having()
    assert 1 <= len(stands) < 9
    time.sleep(1)
    assert shops.having() == stands
    shops.slow(0)
    rollway.say(rollout, "resume", "ops", "it was nothing")
    reached(rollway, rollout, "wave-1")
    assert set(shops.runs().values()) == {1}
    assert shops.runs("2.3.1") == {}
    assert "drift" not in kinds(rollway, rollout)


def test_where_each_shop_stands_can_be_read_at_any_time(
    rollway: Rollway, runtime: Runtime, shops: Shops, database: str
) -> None:
    """As a table for people, and as JSON; also by another process than the one that works."""
    shops.fail("S003")
    rollout = a_rollout(rollway, shops, failures=1)
    reached(rollway, rollout, "oslo")

    def told(*words: str) -> str:
        return CliRunner().invoke(cli, ["--data", database, "sites", *words], catch_exceptions=False).output

    lines = told(rollout).splitlines()
    assert lines[0] == f"{rollout}  8 old version, 3 new version, 1 failed"
    assert lines[3].split()[:3] == ["S003", "Oslo", "failed"]
    assert lines[3].endswith("it ended with 1: till 3 is open")
    rows = json.loads(told("--json", "--only", "failed"))
    assert [(row["site"], row["state"], row["wanted"]) for row in rows] == [("S003", "failed", True)]


@pytest.mark.slow
def test_an_engine_that_is_killed_in_the_middle_of_a_wave_goes_on_where_it_was(tmp_path: Path) -> None:
    """300 shops, kill -9 four times: every shop is changed once, none by two at once, and all go back."""
    shops = Shops(tmp_path, 300)
    shops.slow(0.1)
    data = str(tmp_path / "data")
    server, rollway = Served(data, tmp_path / "serve.log"), Rollway(data)
    try:
        server.start()
        server.wait_ready()
        rollout = a_rollout(rollway, shops)
        passed(rollway, rollout, "oslo")
        for goal in (120, 150, 190):
            wait_for(lambda goal=goal: sum(shops.runs().values()) >= goal, within=90)  # type: ignore[misc]
            server.kill()
            server.start()
            server.wait_ready()
        reached(rollway, rollout, "rome")
        assert shops.having() == shops.names[:200]
        assert set(shops.runs().values()) == {1}
        rollway.say(rollout, "rollback", "kim", "queues at the tills")
        wait_for(lambda: len(shops.having()) < 150, within=90)
        server.kill()
        server.start()
        wait_for(lambda: rollway.load(rollout).state.phase == "rolled_back", within=120)
        assert shops.having("2.3.1") == shops.names
        assert "clash" not in {what for what, _, _ in shops.diary()}
        assert "drift" not in kinds(rollway, rollout)
    finally:
        server.stop()
        rollway.close()
