"""What was sent long ago is forgotten; what was not sent never is, nor what a running rollout may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from rollway.rollout import Entry
from rollway.store import SqlChannels, SqlOutbox, SqlPlans, SqlRollouts, close_engine, open_engine
from rollway.store.tables import rollout as rollout_table
from support.stories import START, canary

DAY = timedelta(days=1)
LEASE = timedelta(minutes=2)


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    yield engine
    close_engine(engine)


def begun(engine: sa.Engine, name: str, phase: str) -> None:
    """A rollout in this phase, whose start was put into the outbox."""
    plan = canary()
    SqlPlans(engine).save(plan, START)
    SqlRollouts(engine).create(name, plan, START, Entry(kind="started", text="go"))
    with engine.begin() as connection:
        connection.execute(sa.update(rollout_table).where(rollout_table.c.id == name).values(phase=phase))


def end(engine: sa.Engine, word: str) -> None:
    """The next that is due is sent, or given up, at START."""
    outbox = SqlOutbox(engine)
    ((channel, rollout), *_) = outbox.lines_due(START)
    claimed = outbox.claim(channel, rollout, START, LEASE)
    assert claimed is not None
    outbox.sent(claimed, START) if word == "sent" else outbox.give_up(claimed, START, "nobody there")


def states(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return [(row.rollout_id, row.state) for row in SqlOutbox(engine).log(newest=99)]


def test_only_what_arrived_is_forgotten_and_only_of_rollouts_that_ended(engine: sa.Engine) -> None:
    """Given up and waiting stay for people to try again; a running rollout's letters are its evidence."""
    SqlChannels(engine, lambda: START).add(
        "desk", "webhook", "https://a.example.com", wanted=("all",), actor="a"
    )
    begun(engine, "lost-1", "done")
    end(engine, "given_up")
    begun(engine, "sent-1", "rolled_back")
    end(engine, "sent")
    begun(engine, "runs-1", "running")
    end(engine, "sent")
    begun(engine, "late-1", "done")
    outbox = SqlOutbox(engine)
    assert outbox.prune(START) == 0
    assert outbox.prune(START + 90 * DAY) == 1
    assert states(engine) == [("lost-1", "given_up"), ("runs-1", "sent"), ("late-1", "waiting")]
