"""Rows about a PostgreSQL server that Rollway keeps its data in."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.faults.database import Postgres
from tests.faults.rows import row
from tests.faults.rows_engine import KEPT, WAY_BACK
from tests.faults.stand import BACK, Stand


def _server(stand: Stand) -> Postgres:
    server = stand.engine.server
    assert server is not None
    return server


def _as_before(stand: Stand) -> None:
    stand.require(stand.engine.process.is_running, "the engine ended")
    stand.goes_on(20)
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
    stand.no_new_stage()


@row(
    "postgres-killed",
    "engine",
    "PostgreSQL is killed, and started again 8 s later",
    KEPT,
    word=r"^(?!verdict|confirm)",
    engine="postgres",
)
def postgres_killed(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with _server(stand).away():
        time.sleep(8)
    _as_before(stand)


@row(
    "postgres-frozen",
    "engine",
    "PostgreSQL hangs (SIGSTOP) for 12 s: connections are taken, and nobody answers",
    KEPT,
    word=r"^(?!verdict|confirm)",
    engine="postgres",
)
def postgres_frozen(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    with _server(stand).frozen():
        time.sleep(12)
    _as_before(stand)


def _bad_for_20_s(stand: Stand, fails: Callable[[], AbstractContextManager[None]]) -> None:
    stand.begin()
    stand.fault()
    with fails():
        stand.street.behave("new", fails=0.4)
        time.sleep(20)
    there = time.monotonic()
    stand.until_phase(BACK, 30)
    took = time.monotonic() - there
    stand.require(took < 10, f"{took:.0f} s from when it was there again until that was written")
    stand.went_back_unwritten(18)


@row(
    "postgres-killed-bad",
    "engine",
    "PostgreSQL is away for 20 s, and 40 % of the new version's answers fail",
    WAY_BACK,
    word="harmful|^rollback",
    engine="postgres",
)
def postgres_killed_and_bad(stand: Stand) -> None:
    _bad_for_20_s(stand, _server(stand).away)


@row(
    "postgres-frozen-bad",
    "engine",
    "PostgreSQL hangs for 20 s, and 40 % of the new version's answers fail",
    WAY_BACK,
    word="harmful|^rollback",
    engine="postgres",
)
def postgres_frozen_and_bad(stand: Stand) -> None:
    _bad_for_20_s(stand, _server(stand).frozen)
