"""What senders push is taken once, kept whole, and read back once; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from rollway.errors import ConflictError, NotFoundError
from rollway.judge import Counts, Histogram, Moments
from rollway.rollout.pushed import KeptCounter, Sent, SentRow, Wanted
from rollway.store import SqlPushed, open_engine
from rollway.store.pushed import KEEP
from rollway.store.tables import push_token, pushed

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def shelf(engine: sa.Engine, clock: Clock) -> SqlPushed:
    return SqlPushed(engine, clock)


def row(end: float, *, arm: str = "new", trials: int = 10, series: str = "tickets") -> SentRow:
    return SentRow(series, arm, end - 5, end, Counts(trials, 1))


def everything(shelf: SqlPushed, source: str = "desk", series: str = "tickets") -> Sent:
    return shelf.sent(source, series, Wanted(0.0, 0.0, 1e12, 0, shelf.newest(source)))


def test_rows_come_back_as_they_were_sent(shelf: SqlPushed) -> None:
    """Every kind of figures keeps its numbers; another source or series is none of ours."""
    rows = (
        row(100.0),
        SentRow("tickets", "old", 90.0, 100.0, Moments(3, 4.5, 9.25)),
        SentRow("tickets", "old", 90.0, 100.0, Histogram((0.1, 0.5), (1, 2, 3))),
    )
    assert shelf.take("desk", "k1", b"x", (*rows, row(100.0, series="other"))).rows == 4
    shelf.take("survey", "k1", b"x", [row(100.0)])
    assert everything(shelf) == Sent(rows)


def test_the_same_request_again_changes_nothing_and_says_so(shelf: SqlPushed, clock: Clock) -> None:
    """A sender that heard no answer may send again; the key of another request is refused."""
    shelf.take("desk", "k1", b"body", [row(100.0)])
    clock.now += timedelta(minutes=1)
    again = shelf.take("desk", "k1", b"body", [row(100.0)])
    assert (again.rows, again.known_since) == (0, NOON)
    assert shelf.known("desk", "k1", b"body") == again
    with pytest.raises(ConflictError, match="another request"):
        shelf.take("desk", "k1", b"other", [row(100.0)])
    assert len(everything(shelf).rows) == 1


def test_a_key_belongs_to_its_source(shelf: SqlPushed) -> None:
    """Two senders that count 1, 2, 3 do not stand in each other's way."""
    assert shelf.take("desk", "1", b"a", [row(1.0)]).rows == 1
    assert shelf.take("survey", "1", b"b", [row(1.0)]).rows == 1
    assert shelf.known("elsewhere", "1", b"a") is None


def test_what_cannot_be_kept_whole_is_not_kept_at_all(shelf: SqlPushed) -> None:
    """A failure in the middle leaves neither rows nor the key, so that it can be sent again."""

    def rows() -> Iterator[SentRow]:
        yield row(100.0)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        shelf.take("desk", "k1", b"x", rows())
    assert everything(shelf).rows == ()
    assert shelf.take("desk", "k1", b"x", [row(100.0)]).rows == 1


def test_a_row_that_comes_late_is_told_from_one_that_was_read(shelf: SqlPushed) -> None:
    """Of the time before `start` only what came since the last look is given, nothing of before `begun`."""
    shelf.take("desk", "a", b"", [row(95.0), row(105.0)])
    seen = shelf.newest("desk")
    shelf.take("desk", "b", b"", [row(96.0, trials=7), row(50.0), row(106.0), row(115.0)])
    newest = shelf.newest("desk")
    sent = shelf.sent("desk", "tickets", Wanted(90.0, 100.0, 110.0, seen, newest))
    assert [one.end for one in sent.rows] == [105.0, 96.0, 106.0]
    assert (sent.late, sent.too_late) == (1, 1)
    shelf.take("desk", "c", b"", [row(97.0)])
    assert shelf.sent("desk", "tickets", Wanted(90.0, 100.0, 110.0, seen, newest)) == sent


def test_many_senders_at_once_lose_and_double_nothing(shelf: SqlPushed) -> None:
    """While they write, a reader that goes on from the number it has seen finds each row once."""
    found: list[SentRow] = []

    def send(sender: int) -> None:
        for n in range(15):
            shelf.take("desk", f"{sender}-{n}", b"", [row(100.0 + sender, trials=n + 1)])

    threads = [Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    seen = 0
    while True:
        is_last = not any(thread.is_alive() for thread in threads)
        newest = shelf.newest("desk")
        found += shelf.sent("desk", "tickets", Wanted(0.0, 200.0, 201.0, seen, newest)).rows
        seen = newest
        if is_last:
            break
    told = sorted((one.end, one.sample.trials) for one in found if isinstance(one.sample, Counts))
    assert told == [(100.0 + sender, n + 1) for sender in range(4) for n in range(15)]


def test_old_rows_and_keys_are_forgotten(shelf: SqlPushed, clock: Clock) -> None:
    """What no rollout will ask for any more goes with the next request; the numbers go on rising."""
    shelf.take("desk", "old", b"", [row(100.0), row(101.0)])
    before = shelf.newest("desk")
    clock.now += KEEP + timedelta(hours=1)
    shelf.take("desk", "new", b"", [row(200.0)])
    assert [one.end for one in everything(shelf).rows] == [200.0]
    assert shelf.newest("desk") > before
    assert shelf.known("desk", "old", b"") is None


def test_a_token_is_kept_as_a_hash_only(shelf: SqlPushed, engine: sa.Engine) -> None:
    """Whoever reads the database cannot send in another's name."""
    _, text = shelf.new_token("desk", "ana")
    with engine.connect() as connection:
        kept = connection.execute(sa.select(push_token)).one()
    assert text not in str(kept)
    assert text.removeprefix("rwp_") not in str(kept)
    assert shelf.source_of(text) == "desk"
    assert shelf.source_of(kept.hash) is None
    assert shelf.source_of("") is None


def test_a_revoked_token_is_valid_no_more(shelf: SqlPushed, clock: Clock) -> None:
    """From the next request on; the list tells when it was used and revoked, and others stay valid."""
    number, text = shelf.new_token("desk", "ana")
    _, other = shelf.new_token("desk", "ana")
    assert shelf.source_of(text) == "desk"
    clock.now += timedelta(hours=1)
    assert shelf.revoke(number) == "desk"
    assert shelf.source_of(text) is None
    assert shelf.source_of(other) == "desk"
    told = shelf.tokens()[0]
    assert (told.used_at, told.revoked_at) == (NOON, NOON + timedelta(hours=1))
    clock.now += timedelta(hours=1)
    shelf.revoke(number)
    assert shelf.tokens()[0].revoked_at == NOON + timedelta(hours=1)
    with pytest.raises(NotFoundError, match="no token 99"):
        shelf.revoke(99)


def test_counters_are_changed_together(shelf: SqlPushed) -> None:
    """What `change` makes of them is kept; where it fails, nothing is."""
    one = KeptCounter("hits", {"version": "2"}, (), 2**62, 2**62 + 1, (5.0,), (5.0,), NOON.timestamp())
    two = KeptCounter("wait", {}, (0.1, 0.5), 1, 2, (1.0, 2.0, 3.0), (1.0, 2.0, 3.0), NOON.timestamp())
    shelf.fold("shop", ("a", "b"), lambda kept, count: {"a": one, "b": two} if not kept and not count else {})
    assert shelf.counters("shop", ["hits", "wait"]) == (one, two)
    assert shelf.counters("shop", ["wait"]) == (two,)
    assert shelf.counters("desk", ["hits"]) == ()

    def fail(kept: object, count: int) -> dict[str, KeptCounter]:
        raise ValueError(f"{count} counters")

    with pytest.raises(ValueError, match="2 counters"):
        shelf.fold("shop", ("a",), fail)
    assert shelf.counters("shop", ["hits", "wait"]) == (one, two)


def test_the_tables_of_what_is_sent_are_there(engine: sa.Engine) -> None:
    """The index by which rows are read is made by the migration."""
    names = {index["name"] for index in sa.inspect(engine).get_indexes(pushed.name)}
    assert names == {"ix_pushed_source_series_end_at", "ix_pushed_received_at"}
