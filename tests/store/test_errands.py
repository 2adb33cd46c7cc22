"""Errands are asked for once, answered once, and outlive everything; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from rollway.errors import ConflictError, NotFoundError, TemporaryError
from rollway.rollout import Errand
from rollway.store import SqlErrands, open_engine
from rollway.store.tables import rollout

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = open_engine(database)
    for name in ("shop-1", "till-1"):
        add_rollout(engine, name)
    yield engine
    engine.dispose()


@pytest.fixture
def errands(engine: sa.Engine) -> SqlErrands:
    return SqlErrands(engine, Clock())


def add_rollout(engine: sa.Engine, name: str, phase: str = "running") -> None:
    with engine.begin() as connection:
        plan = sa.table("plan", *(sa.column(c) for c in ("hash", "name", "version", "body", "created_at")))
        if connection.scalar(sa.select(plan.c.hash)) is None:
            row = {"hash": "p", "name": "shop", "version": "1", "body": "{}", "created_at": NOON}
            connection.execute(sa.insert(plan).values(**row))
        values = {"id": name, "plan_hash": "p", "seq": 0, "phase": phase, "state": "{}", "judge": "{}"}
        values |= {"cursors": "{}", "target_problem": "", "created_at": NOON, "moved_at": NOON}
        connection.execute(sa.insert(rollout).values(**values))


def test_what_is_asked_for_is_read_back_and_asked_once(errands: SqlErrands) -> None:
    """The second asking leaves what is known as it was, and asks for the rest."""
    shelf = errands.of("shop-1")
    shelf.ask([Errand("1-up-10", "eva, tom", "Install 2.4.0")])
    errands.answer("shop-1", "1-up-10", "done", "eva", "all tills up")
    shelf.ask([Errand("1-up-10", "kim", "something else"), Errand("2-up-50", "eva", "Go on")])
    assert shelf.read() == {
        "1-up-10": Errand("1-up-10", "eva, tom", "Install 2.4.0", "done", "eva", "all tills up"),
        "2-up-50": Errand("2-up-50", "eva", "Go on"),
    }
    assert errands.of("till-1").read() == {}


def test_what_is_withdrawn_can_be_asked_anew(errands: SqlErrands) -> None:
    """Whether it was answered or not; others stay; a thousand keys are no problem."""
    shelf = errands.of("shop-1")
    shelf.ask([Errand(f"{n}-up", "eva", "Do") for n in range(1000)])
    errands.answer("shop-1", "1-up", "failed", "eva", "no power")
    shelf.withdraw(f"{n}-up" for n in range(999))
    assert list(shelf.read()) == ["999-up"]
    shelf.ask([Errand("1-up", "tom", "Do")])
    assert shelf.read()["1-up"] == Errand("1-up", "tom", "Do")


def test_the_list_has_what_is_open_the_oldest_first(errands: SqlErrands, engine: sa.Engine) -> None:
    """Neither what was answered nor what an ended rollout asked for is anybody's business any more."""
    add_rollout(engine, "old-1", phase="rolled_back")
    errands.of("till-1").ask([Errand("b", "tom", "Second")])
    errands.of("shop-1").ask([Errand("a", "eva", "Third")])
    errands.of("old-1").ask([Errand("c", "eva", "Never mind")])
    errands.of("shop-1").ask([Errand("d", "eva", "Done soon")])
    errands.answer("shop-1", "d", "done", "eva", "")
    assert [(one.rollout, one.errand.key, one.answered_at) for one in errands.open()] == [
        ("till-1", "b", None),
        ("shop-1", "a", None),
    ]
    assert errands.open()[0].asked_at > NOON
    assert [one.errand.key for one in errands.all_of("shop-1")] == ["a", "d"]


def test_somebody_else_does_not_overrule_an_answer(errands: SqlErrands) -> None:
    """The same word again is no harm, one's own word may be mended, another's may not."""
    errands.of("shop-1").ask([Errand("a", "eva, tom", "Do")])
    errands.answer("shop-1", "a", "done", "eva", "")
    assert errands.answer("shop-1", "a", "done", "tom", "me too").actor == "eva"
    with pytest.raises(ConflictError, match="eva has said done of a already"):
        errands.answer("shop-1", "a", "failed", "tom", "it is dark")
    assert errands.answer("shop-1", "a", "failed", "Eva ", "it went dark").note == "it went dark"
    assert errands.find("shop-1", "a").errand.state == "failed"


def test_of_two_who_answer_at_the_same_moment_one_is_heard(errands: SqlErrands) -> None:
    """The other is told so, and not silently lost."""
    errands.of("shop-1").ask([Errand("a", "eva, tom", "Do")])
    heard: list[str] = []

    def answer(actor: str, state: str) -> None:
        try:
            errands.answer("shop-1", "a", state, actor, "")  # type: ignore[arg-type]
            heard.append(actor)
        except ConflictError:
            heard.append("refused")

    threads = [Thread(target=answer, args=pair) for pair in (("eva", "done"), ("tom", "failed"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = errands.find("shop-1", "a").errand
    assert sorted(heard) == sorted(["refused", kept.actor])


def test_what_nobody_asked_for_cannot_be_answered(errands: SqlErrands) -> None:
    """Neither an unknown key nor an unknown rollout; and an unknown rollout can ask nobody."""
    with pytest.raises(NotFoundError, match="shop-1 asks nobody for 'z'"):
        errands.answer("shop-1", "z", "done", "eva", "")
    with pytest.raises(NotFoundError):
        errands.find("no-such-1", "a")
    with pytest.raises(TemporaryError, match="there is no rollout no-such-1"):
        errands.of("no-such-1").ask([Errand("a", "eva", "Do")])
    assert errands.of("no-such-1").read() == {}


def test_a_locked_database_is_tried_again_later(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Somebody else writes for too long: the error says that it is for now, and nothing is half written."""
    engine = open_engine(tmp_path)
    add_rollout(engine, "shop-1")
    sa.event.listen(engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=10"))
    shelf = SqlErrands(engine, Clock()).of("shop-1")
    with engine.begin() as other:
        other.execute(sa.update(rollout).values(seq=1))
        with pytest.raises(TemporaryError, match="the database does not answer: database is locked"):
            shelf.ask([Errand("a", "eva", "Do")])
    shelf.ask([Errand("a", "eva", "Do")])
    assert list(shelf.read()) == ["a"]
    engine.dispose()
