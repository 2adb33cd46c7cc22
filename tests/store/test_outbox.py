"""The outbox: written with the record or not at all, handed to one sender at a time, in order; on both
databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from rollway.errors import ConflictError, NotFoundError
from rollway.planning import Message
from rollway.rollout import Entry, Move
from rollway.store import Claimed, SqlChannels, SqlOutbox, SqlPlans, SqlRollouts, close_engine, open_engine
from rollway.store.database import HEAD
from support.stories import START, canary

LEASE = timedelta(minutes=2)
NEWS = Message(
    stage="baseline",
    when="",
    audience="all",
    channel="status page",
    text="it comes",
    kind="news",
    id="a",
    offset_seconds=0.0,
)


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    yield engine
    close_engine(engine)


@pytest.fixture
def rollouts(engine: sa.Engine) -> SqlRollouts:
    return SqlRollouts(engine)


@pytest.fixture
def channels(engine: sa.Engine) -> SqlChannels:
    return SqlChannels(engine, lambda: START)


@pytest.fixture
def outbox(engine: sa.Engine) -> SqlOutbox:
    return SqlOutbox(engine)


def start(engine: sa.Engine, rollout: str = "reporting-1") -> None:
    plan = canary(communication=(NEWS,))
    SqlPlans(engine).save(plan, START)
    SqlRollouts(engine).create(rollout, plan, START, Entry(kind="started", text="go", actor="ana"))


def move(rollouts: SqlRollouts, *kinds: str, seq: int | None = None, rollout: str = "reporting-1") -> bool:
    loaded = rollouts.load(rollout)
    assert loaded is not None
    return rollouts.commit(
        Move(
            rollout=rollout,
            seq=loaded.seq if seq is None else seq,
            at=START + timedelta(seconds=loaded.seq),
            state=loaded.state,
            judge={},
            cursors={},
            readings=(),
            verdict=None,
            entries=tuple(Entry(kind=kind, text=f"it is {kind}") for kind in kinds),
            heard=(),
            wake_after=timedelta(seconds=1),
        )
    )


def add(channels: SqlChannels, name: str = "desk", *wanted: str, **more: object) -> int:
    channels.add(name, "webhook", "http://x", wanted=wanted or ("all",), actor="ana", **more)  # type: ignore[arg-type]
    return channels.find(name).id


def keys(outbox: SqlOutbox) -> list[str]:
    return [row.key for row in outbox.log(newest=100)]


def claim(outbox: SqlOutbox, channel: int, rollout: str = "reporting-1", after: float = 0) -> Claimed | None:
    return outbox.claim(channel, rollout, START + timedelta(seconds=after), LEASE)


def claimed(outbox: SqlOutbox, channel: int, after: float = 0) -> Claimed:
    got = claim(outbox, channel, after=after)
    assert got is not None
    return got


def test_a_tick_run_twice_leaves_one_row(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """The start and each entry are enqueued with the record; the stale repeat of a tick adds nothing."""
    add(channels)
    start(engine)
    assert move(rollouts, "held", seq=0)
    assert not move(rollouts, "held", seq=0)
    assert keys(outbox) == ["reporting-1:1", "reporting-1:2"]


def test_many_workers_at_once_enqueue_once(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """Eight of them commit the same tick."""
    add(channels)
    start(engine)
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda _: move(rollouts, "held", seq=0), range(8)))
    assert (sum(moved), keys(outbox)) == (1, ["reporting-1:1", "reporting-1:2"])


def test_what_cannot_be_enqueued_is_not_recorded(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """One transaction: with the outbox broken the tick changes nothing, and with it mended it does."""
    add(channels)
    start(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE outbox RENAME TO elsewhere"))
    with pytest.raises(sa.exc.DatabaseError):
        move(rollouts, "held")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO outbox"))
    assert [entry.kind for entry in rollouts.record("reporting-1")] == ["started"]
    assert move(rollouts, "held")
    assert keys(outbox) == ["reporting-1:1", "reporting-1:2"]


def test_a_channel_gets_what_it_wants_and_nothing_older_than_itself(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """Kinds are filtered as they are enqueued."""
    start(engine)
    add(channels, "ends", "done", "rollback")
    add(channels, "main", "main")
    move(rollouts, "verdict", "held", "rollback")
    seen = {(row.channel, row.kind) for row in outbox.log(newest=100)}
    assert seen == {("ends", "rollback"), ("main", "held"), ("main", "rollback")}


def test_a_line_is_sent_in_order_and_by_one(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """Nothing is handed out before what came before it is sent; another rollout is not held up by it."""
    desk = add(channels)
    start(engine)
    start(engine, "reporting-2")
    move(rollouts, "held")
    first = claimed(outbox, desk)
    assert first.notification.key == "reporting-1:1"
    assert claim(outbox, desk) is None
    assert outbox.lines_due(START) == ((desk, "reporting-2"),)
    outbox.put_off(first, START + timedelta(seconds=5), "busy")
    assert claim(outbox, desk, after=4) is None
    again = claimed(outbox, desk, after=5)
    assert (again.notification, again.attempt, again.is_unsure) == (first.notification, 2, False)
    outbox.sent(again, START)
    assert claimed(outbox, desk, after=5).notification.key == "reporting-1:2"


def test_of_many_senders_one_gets_it(engine: sa.Engine, channels: SqlChannels, outbox: SqlOutbox) -> None:
    """Eight ask at the same moment."""
    desk = add(channels)
    start(engine)
    with ThreadPoolExecutor(8) as pool:
        got = [one for one in pool.map(lambda _: claim(outbox, desk), range(8)) if one is not None]
    assert len(got) == 1


def test_what_a_dead_sender_held_comes_back_unsure_and_he_changes_nothing_more(
    engine: sa.Engine, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """Once its lease is over. It stays unsure when the next attempt fails too."""
    desk = add(channels)
    start(engine)
    dead = claimed(outbox, desk)
    assert claim(outbox, desk, after=LEASE.total_seconds() - 1) is None
    heir = claimed(outbox, desk, after=LEASE.total_seconds())
    assert (heir.is_unsure, heir.notification) == (True, dead.notification)
    outbox.put_off(dead, START, "too late to say")
    outbox.give_up(dead, START, "too late to say")
    (row,) = outbox.log(newest=9)
    assert (row.state, row.problem) == ("sending", "")
    outbox.put_off(heir, START + LEASE, "busy")
    assert claimed(outbox, desk, after=LEASE.total_seconds()).is_unsure


def test_the_only_worker_takes_up_at_once_what_its_last_life_left(
    engine: sa.Engine, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """It need not wait for the lease to be over."""
    desk = add(channels)
    start(engine)
    claimed(outbox, desk)
    assert outbox.release(START) == 1
    assert claimed(outbox, desk).is_unsure


def test_a_channel_that_is_back_gets_at_once_all_that_waits(
    engine: sa.Engine, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """What another rollout has waiting for it does not sit out its hours."""
    desk = add(channels)
    start(engine)
    start(engine, "reporting-2")
    other = claim(outbox, desk, "reporting-2")
    assert other is not None
    outbox.put_off(other, START + timedelta(hours=4), "down")
    outbox.put_off(claimed(outbox, desk), START, "down")
    assert claim(outbox, desk, "reporting-2") is None
    outbox.sent(claimed(outbox, desk), START)
    assert claim(outbox, desk, "reporting-2") is not None


def test_what_was_given_up_is_seen_and_tried_again_when_a_person_says_so(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """With the time and the key it had; meanwhile the next one had its turn."""
    desk = add(channels)
    start(engine)
    move(rollouts, "held")
    first = claimed(outbox, desk)
    outbox.give_up(first, START, "never there")
    assert claimed(outbox, desk).notification.kind == "held"
    seen = outbox.standings()[desk]
    assert (seen.given_up, seen.waiting, seen.sent) == (1, 1, 0)
    assert outbox.retry(desk, START + timedelta(days=2)) == 1
    again = claimed(outbox, desk, after=2 * 86400)
    assert again.notification == first.notification


def test_standings_say_what_was_sent_and_why_the_rest_waits(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """The trouble is that of the oldest one that waits."""
    desk = add(channels)
    start(engine)
    move(rollouts, "held")
    outbox.sent(claimed(outbox, desk), START)
    outbox.put_off(claimed(outbox, desk), START, "it is full")
    seen = outbox.standings()[desk]
    assert (seen.sent, seen.last_sent_at, seen.waiting, seen.problem) == (1, START, 1, "it is full")


def test_a_removed_channel_drops_what_waits_and_its_name_is_free(
    engine: sa.Engine, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """The log keeps what became of it; nobody sends it any more."""
    desk = add(channels)
    start(engine)
    with pytest.raises(ConflictError, match="desk"):
        add(channels)
    assert channels.remove("desk") == 1
    assert (outbox.lines_due(START), outbox.channel(desk)) == ((), None)
    (row,) = outbox.log(newest=9)
    assert (row.state, row.problem) == ("dropped", "the channel was removed")
    with pytest.raises(NotFoundError):
        channels.find("desk")
    assert add(channels) != desk


def test_a_message_is_sent_once_its_own_channel_took_it(
    engine: sa.Engine, rollouts: SqlRollouts, channels: SqlChannels, outbox: SqlOutbox
) -> None:
    """Handed to people who forward it is not sent yet."""
    ops = add(channels, "ops", "done", messages="all")
    page = add(channels, "status-page", "done", messages="own")
    start(engine)
    move(rollouts, "stage_entered")
    outbox.sent(claimed(outbox, ops), START)
    assert "a" not in outbox.delivered("reporting-1")
    letter = claimed(outbox, page)
    assert letter.notification.text == "it comes"
    assert "a" not in outbox.delivered("reporting-1")
    outbox.sent(letter, START)
    assert "a" in outbox.delivered("reporting-1")
    assert "b" not in outbox.delivered("reporting-1")


def test_a_database_of_the_newest_migration_needs_no_other(engine: sa.Engine) -> None:
    """The number that is looked for at each start is that of the newest migration."""
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD
