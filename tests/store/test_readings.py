"""Readings are kept as they came, so that a rollout can be judged again; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import rollway.store
from rollway.judge import Counts, Reading
from rollway.rollout import Entry, Move
from rollway.store import SqlPlans, SqlRollouts, open_engine
from support.stories import START, canary

EARLY = Reading(
    "errors", 1.0, 2.0, "ten", 0.1, Counts(9, 1), None, None, candidate_until=1.5, is_complete=False
)
WHOLE = replace(EARLY, candidate=Counts(10, 1), candidate_until=3.0, is_complete=True)
LATE = Reading("logins", 0.0, 1.0, "ten", 0.1, Counts(1, 0), Counts(2, 0))


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def rollouts(engine: sa.Engine) -> SqlRollouts:
    plan = canary()
    SqlPlans(engine).save(plan, START)
    rollouts = SqlRollouts(engine)
    rollouts.create("reporting-1", plan, START, Entry(kind="started", text="go", actor="ana"))
    return rollouts


def take(rollouts: SqlRollouts, *readings: Reading) -> None:
    loaded = rollouts.load("reporting-1")
    assert loaded is not None
    at = START + timedelta(seconds=loaded.seq)
    move = Move(
        rollout=loaded.id,
        seq=loaded.seq,
        at=at,
        state=loaded.state,
        judge={},
        cursors={},
        readings=readings,
        verdict=None,
        entries=(),
        heard=(),
        wake_after=timedelta(seconds=1),
    )
    assert rollouts.commit(move)


def test_a_reading_comes_back_with_its_watermarks(rollouts: SqlRollouts) -> None:
    """Watermarks and whether it was complete are part of what was judged."""
    take(rollouts, EARLY)
    assert rollouts.readings("reporting-1") == (EARLY,)


def test_a_complete_reading_stands_beside_the_one_it_replaces(rollouts: SqlRollouts) -> None:
    """The second reading of an interval is kept, not refused, and so is the first."""
    take(rollouts, EARLY)
    take(rollouts, WHOLE, LATE)
    assert rollouts.readings_by_tick("reporting-1") == {0: (EARLY,), 1: (LATE, WHOLE)}


def test_readings_of_an_older_database_are_complete(engine: sa.Engine, rollouts: SqlRollouts) -> None:
    """Going back to the first tables and forward again keeps the readings, without what had no column."""
    take(rollouts, WHOLE)
    config = Config()
    config.set_main_option("script_location", f"{rollway.store.__path__[0]}/migrations")
    for move, to in ((command.downgrade, "0001"), (command.upgrade, "head")):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            move(config, to)
    assert rollouts.readings("reporting-1") == (replace(WHOLE, candidate_until=None),)
