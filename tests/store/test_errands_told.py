"""Whoever is asked to do something is told by the channels, in the transaction that asks them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from rollway.errors import TemporaryError
from rollway.rollout import Entry, Errand
from rollway.store import SqlChannels, SqlErrands, SqlOutbox, SqlPlans, SqlRollouts, close_engine, open_engine
from rollway.store.codec import from_text
from support.stories import START, canary


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    plan = canary()
    SqlPlans(engine).save(plan, START)
    SqlRollouts(engine).create("reporting-1", plan, START, Entry(kind="started", text="go"))
    yield engine
    close_engine(engine)


def channel(engine: sa.Engine, *wanted: str) -> None:
    SqlChannels(engine, lambda: START).add(
        "desk", "webhook", "https://a.example.com", wanted=wanted, actor="a"
    )


def told(engine: sa.Engine) -> list[dict[str, object]]:
    return [from_text(row.body) | {"key": row.key} for row in SqlOutbox(engine).log(newest=99)]


def test_each_person_is_told_once_what_they_are_asked_for(engine: sa.Engine) -> None:
    """One notification for each who is asked first; what was asked before is not told again."""
    channel(engine, "people")
    shelf = SqlErrands(engine, lambda: START).of("reporting-1")
    first = [
        Errand("1-up:Oslo", "kari, tom", "Install 2.4."),
        Errand("1-up:Rome", "luca", "Install 2.4 there."),
    ]
    shelf.ask(first)
    shelf.ask([*first, Errand("1-up:Wien", "luca", "And there.")])
    said = told(engine)
    assert [one["title"] for one in said] == [
        f"reporting 2.4.0: {name} is asked to do something" for name in ("kari", "luca", "luca")
    ]
    assert str(said[0]["text"]).startswith("kari (or tom) is asked for this; `rollway errands reporting-1`")
    assert "1-up:Oslo: Install 2.4." in str(said[0]["text"])
    assert "1-up:Wien" in str(said[2]["text"])
    assert len({one["key"] for one in said}) == 3


def test_many_errands_of_one_person_are_one_notification(engine: sa.Engine) -> None:
    """A wave of forty shops is no forty letters."""
    channel(engine, "errand")
    shelf = SqlErrands(engine, lambda: START).of("reporting-1")
    shelf.ask([Errand(f"1-up:S{n:03}", "kari", "Install it.") for n in range(40)])
    (one,) = told(engine)
    assert "asked for 40 things" in str(one["text"])
    assert str(one["text"]).endswith("and 32 more")


def test_what_is_withdrawn_and_asked_anew_is_told_anew(engine: sa.Engine) -> None:
    """The person thinks that it is over."""
    channel(engine, "people")
    times = iter([START.replace(minute=n // 2) for n in range(20)])
    shelf = SqlErrands(engine, lambda: next(times)).of("reporting-1")
    for _ in range(2):
        shelf.ask([Errand("1-up:Oslo", "kari", "Install it.")])
        shelf.withdraw(["1-up:Oslo"])
    assert len(told(engine)) == 2


def test_who_does_not_want_it_is_not_told(engine: sa.Engine) -> None:
    """As any kind of notification."""
    channel(engine, "ends")
    SqlErrands(engine, lambda: START).of("reporting-1").ask([Errand("1-up:Oslo", "kari", "Install it.")])
    assert told(engine) == []


def test_nobody_is_told_of_what_was_not_asked(engine: sa.Engine) -> None:
    """Both are one transaction: no rollout, no errand, no notification."""
    channel(engine, "people")
    with pytest.raises(TemporaryError):
        SqlErrands(engine, lambda: START).of("nobody-1").ask([Errand("1-up:Oslo", "kari", "Install it.")])
    assert told(engine) == []
