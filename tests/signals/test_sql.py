"""The sql signal counts rows of real databases, once each, and can change nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rollway.errors import InputError
from rollway.judge import Assigned, Counts, Moments
from rollway.rollout.ports import Interval
from rollway.signals.sql import SqlSignal

Ask = Callable[..., Interval]
QUERY = """
    SELECT version AS arm, count(*) AS trials, sum(CASE WHEN ok THEN 0 ELSE 1 END) AS bad
    FROM sale WHERE at_epoch > :start_epoch AND at_epoch <= :end_epoch GROUP BY version
"""
ARMS = {"candidate": "new", "baseline": "old"}


class Shop:
    """A database with sales; `sell` stores some at a moment."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        time = "timestamp with time zone" if url.startswith("postgresql") else "timestamp"
        columns = f"version text, ok boolean, at_epoch double precision, score int, at {time}"
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE sale ({columns})"))

    def sell(self, version: str, at: float, good: int, bad: int = 0, score: int = 0) -> None:
        rows = [
            {"v": version, "ok": number >= bad, "e": at, "s": score, "t": datetime.fromtimestamp(at, UTC)}
            for number in range(good + bad)
        ]
        with self.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO sale VALUES (:v, :ok, :e, :s, :t)"), rows)

    def signal(self, kind: str = "rate", **options: Any) -> SqlSignal:
        return SqlSignal("sales", kind, {"url": self.url, "query": QUERY, **ARMS, **options})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    if request.param == "sqlite":
        return Shop(f"sqlite:///{tmp_path / 'shop.db'}")
    return Shop(request.getfixturevalue("postgres_url"))


def test_every_row_is_counted_once(shop: Shop, at: Ask) -> None:
    """A row on the border of two intervals belongs to the earlier one; the first look only begins."""
    signal = shop.signal()
    shop.sell("new", 90, 7)
    begun = signal.collect(None, at(100.0))
    assert begun.reading is None
    shop.sell("new", 110, 8, 2)
    shop.sell("old", 110, 90)
    shop.sell("old", 120, 9, 1)
    first = signal.collect(begun.cursor, at(110.0))
    second = signal.collect(first.cursor, at(120.0))
    told = [(one.reading.candidate, one.reading.baseline) for one in (first, second) if one.reading]
    assert told == [(Counts(10, 2), Counts(90, 0)), (Counts(0, 0), Counts(10, 1))]


def test_late_rows_are_waited_for(shop: Shop, at: Ask) -> None:
    """With a delay nothing younger is asked for, so a row that comes in late is still counted."""
    signal = shop.signal(delay="30s")
    cursor = signal.collect(None, at(100.0)).cursor
    assert signal.collect(cursor, at(100.0)).reading is None
    first = signal.collect(cursor, at(110.0))
    shop.sell("new", 95, 3)
    second = signal.collect(first.cursor, at(130.0))
    assert first.reading is not None
    assert first.reading.end == 80.0
    assert second.reading is not None
    assert second.reading.candidate == Counts(3, 0)


@pytest.mark.postgres
def test_times_with_a_zone_can_be_asked_by(postgres_url: str, at: Ask) -> None:
    """A query may compare times instead of seconds, where the database knows times with a zone."""
    shop = Shop(postgres_url)
    signal = shop.signal(query=QUERY.replace("at_epoch", "at").replace("_epoch", ""))
    shop.sell("new", 105, 4, 1)
    told = signal.collect({"until": 100.0}, at(110.0)).reading
    assert told is not None
    assert told.candidate == Counts(5, 1)


def test_users_and_scores_are_read_too(shop: Shop, at: Ask) -> None:
    """An assignment counts units; a mean adds figures and their squares."""
    shop.sell("new", 105, 2, score=3)
    shop.sell("old", 105, 3, score=4)
    where = "FROM sale WHERE at_epoch > :start_epoch AND at_epoch <= :end_epoch GROUP BY version"
    units = shop.signal("assignment", query=f"SELECT version AS arm, count(*) AS units {where}")
    scores = shop.signal(
        "mean",
        query="SELECT version AS arm, count(*) AS units, sum(score) AS total, sum(score*score) AS squares "
        + where,
    )
    assigned = units.collect({"until": 100.0}, at(110.0)).reading
    scored = scores.collect({"until": 100.0}, at(110.0)).reading
    assert assigned is not None
    assert (assigned.candidate, assigned.baseline) == (Assigned(2), Assigned(3))
    assert scored is not None
    assert (scored.candidate, scored.baseline) == (Moments(2, 6.0, 18.0), Moments(3, 12.0, 48.0))


def test_a_query_can_change_nothing(shop: Shop, at: Ask) -> None:
    """Whatever somebody writes into the release file: no row is touched, and it is told."""
    shop.sell("new", 105, 2)
    signal = shop.signal(query="DELETE FROM sale")
    collected = signal.collect({"until": 100.0}, at(110.0))
    assert collected.reading is not None
    assert collected.reading.problem == "source_down"
    with shop.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sale")) == 2


def test_a_gap_is_covered_by_the_next_answer(shop: Shop, at: Ask) -> None:
    """While the table is gone the source is down; afterwards the whole time since is one interval."""
    signal = shop.signal()
    with shop.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE sale RENAME TO away"))
    down = signal.collect({"until": 100.0}, at(110.0))
    assert down.reading is not None
    assert down.reading.problem == "source_down"
    assert "sale" in down.note
    with shop.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO sale"))
    shop.sell("new", 105, 2)
    again = signal.collect(down.cursor, at(120.0))
    assert again.reading is not None
    assert (again.reading.start, again.reading.candidate) == (100.0, Counts(2, 0))


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ("'new' AS arm, 3 AS trials", "no column bad"),
        ("'new' AS arm, 3 AS trials, 4 AS bad", "4 bad ones among 3"),
        ("'new' AS arm, -3 AS trials, 0 AS bad", "no count for trials"),
        ("'new' AS arm, 2.5 AS trials, 0 AS bad", "no count for trials"),
        ("'new' AS arm, NULL AS trials, 0 AS bad", "no number for trials"),
        ("'new' AS arm, 'many' AS trials, 0 AS bad", "no number for trials"),
        ("'new' AS arm, 3 AS trials, 0 AS bad UNION ALL SELECT 'new', 4, 0", "told twice"),
    ],
)
def test_an_answer_that_cannot_be_true_is_no_evidence(shop: Shop, at: Ask, columns: str, note: str) -> None:
    """It is implausible, and the note says why; nothing of it is counted."""
    collected = shop.signal(query=f"SELECT {columns}").collect({"until": 100.0}, at(110.0))
    assert collected.reading is not None
    assert (collected.reading.problem, collected.reading.candidate) == ("implausible", None)
    assert note in collected.note
    assert collected.cursor == {"until": 100.0}


def test_the_address_may_come_from_the_environment(
    shop: Shop, at: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a password need not stand in a file; a variable that is missing is named."""
    signal = SqlSignal("sales", "rate", {"url_env": "SHOP_DB", "query": QUERY, **ARMS})
    monkeypatch.delenv("SHOP_DB", raising=False)
    assert "SHOP_DB" in signal.collect({"until": 100.0}, at(110.0)).note
    monkeypatch.setenv("SHOP_DB", shop.url)
    assert signal.collect({"until": 100.0}, at(110.0)).reading is not None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "postgresql://u:secret@db/shop"}, r"signal\.url: a password"),
        ({"url": "not an address"}, r"signal\.url"),
        ({"query": ""}, r"signal\.query"),
        ({"candidate": "old"}, r"signal\.candidate: the same"),
        ({"delay": "an hour"}, r"signal\.delay"),
        ({"querry": "x"}, r"signal\.querry"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, str], problem: str) -> None:
    """A slip in the release file is told when the signal is made."""
    with pytest.raises(InputError, match=problem):
        SqlSignal("sales", "rate", {"url": "sqlite://", "query": QUERY, **ARMS, **options})


def test_a_kind_that_no_row_can_hold_is_refused() -> None:
    """A latency needs a histogram."""
    with pytest.raises(InputError, match="cannot read a latency"):
        SqlSignal("speed", "latency", {"url": "sqlite://", "query": QUERY, **ARMS})
