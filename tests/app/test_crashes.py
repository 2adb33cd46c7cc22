"""kill -9 at random moments of real rollouts: each goes on where it was and ends where it should."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from rollway.app import Rollway
from support.rollouts import start_plan
from support.served import Served
from support.world import a_release, metrics_server

KILLS = 20
ROLLOUTS = 8
GIVE_UP_AFTER = 240.0

pytestmark = pytest.mark.slow


def run_through_kills(
    where: str, tmp_path: Path, *, workers: int, kills: int
) -> tuple[Rollway, dict[str, str]]:
    """Start rollouts, half of them bad, and kill workers at random moments until `kills` are done and every
    rollout has ended. Returns Rollway, and for each rollout the phase it should end in."""
    chance = random.Random(7)
    servers = [
        Served(where, tmp_path / f"serve-{n}.log", worker=f"w{n}" if workers > 1 else "")
        for n in range(workers)
    ]
    rollway = Rollway(where)
    with metrics_server() as good, metrics_server() as bad:
        bad.break_new_version(0.10)
        try:
            for server in servers:
                server.start()
            for server in servers:
                server.wait_ready()
            expected: dict[str, str] = {}
            begun, killed = time.monotonic(), 0
            while killed < kills or not _all_ended(rollway, expected):
                assert time.monotonic() - begun < GIVE_UP_AFTER, _standings(rollway, expected)
                if len(expected) < ROLLOUTS or (killed < kills and _all_ended(rollway, expected)):
                    number = len(expected)
                    metrics, end = ((good, "done"), (bad, "rolled_back"))[number % 2]
                    plan = rollway.plan(a_release(metrics.url, name=f"report-{number}"))
                    rollway.approve(plan, "bo")
                    expected[start_plan(rollway, plan, "ops")] = end
                time.sleep(chance.uniform(0.05, 1.2))
                if killed < kills:
                    victim = chance.choice(servers)
                    victim.kill()
                    killed += 1
                    victim.start()
                    if chance.random() < 0.7:
                        victim.wait_ready()
        finally:
            for server in servers:
                server.stop()
    return rollway, expected


def _all_ended(rollway: Rollway, rollouts: dict[str, str]) -> bool:
    return all(rollway.load(rollout).state.is_final for rollout in rollouts)


def _standings(rollway: Rollway, rollouts: dict[str, str]) -> str:
    return "\n".join(f"{name}: {rollway.load(name).state}" for name in rollouts)


def assert_right(rollway: Rollway, expected: dict[str, str]) -> None:
    """Every rollout ended as it should; records are whole; nothing was entered, started or counted twice."""
    for rollout, end in expected.items():
        loaded = rollway.load(rollout)
        assert loaded.state.phase == end, loaded.state
        flag = rollway.flags.read(f"{rollout.rsplit('-', 2)[0]}-flag")
        assert flag is not None
        entries = rollway.rollouts.record(rollout)
        assert rollway.verify_record(rollout) == (len(entries), ())
        assert [entry.n for entry in entries] == list(range(1, len(entries) + 1))
        once = Counter(entry.data["stage"] for entry in entries if entry.kind == "stage_entered")
        assert set(once.values()) == {1}
        kinds = Counter(entry.kind for entry in entries)
        assert kinds["started"] == kinds[end] == 1
        assert_evidence_has_no_gap(rollway, rollout)


def assert_evidence_has_no_gap(rollway: Rollway, rollout: str) -> None:
    """Each reading begins where the one before it ended: no interval is lost, none counted twice."""
    intervals: Sequence[tuple[float, float]] = [
        (one.start, one.end) for one in rollway.rollouts.readings(rollout) if one.problem is None
    ]
    assert intervals
    for (_, end), (start, _) in pairwise(intervals):
        assert start == end


def test_kill_minus_nine_on_the_embedded_database(tmp_path: Path) -> None:
    """Twenty kills of the only process, on SQLite."""
    rollway, expected = run_through_kills(str(tmp_path / "data"), tmp_path, workers=1, kills=KILLS)
    assert_right(rollway, expected)
    rollway.close()


@pytest.mark.postgres
def test_kill_minus_nine_of_two_workers_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Two workers share a PostgreSQL server; ten kills hit either of them."""
    rollway, expected = run_through_kills(postgres_url, tmp_path, workers=2, kills=KILLS // 2)
    assert_right(rollway, expected)
    rollway.close()
