"""The database keeps whole transactions, refuses stale moves, and chains the record; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from rollway.approvals import Approval
from rollway.errors import InputError, TemporaryError
from rollway.judge import Counts, Reading
from rollway.rollout import CommandGiven, Entry, Loaded, Move
from rollway.store import SqlFlags, SqlPlans, SqlRollouts, close_engine, database_url, faults, open_engine
from rollway.store.tables import flag, metadata, record
from support.stories import START, canary, verdict


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


def a_move(loaded: Loaded, **more: object) -> Move:
    body: dict[str, object] = {
        "rollout": loaded.id,
        "seq": loaded.seq,
        "at": START + timedelta(seconds=loaded.seq),
        "state": loaded.state,
        "judge": {"seen": loaded.seq},
        "cursors": {"errors": {"at": 1.5}},
        "readings": (),
        "verdict": None,
        "entries": (Entry(kind="note", text=f"tick {loaded.seq}", data={"n": 0.1}),),
        "heard": tuple(one.id for one in loaded.pending),
        "wake_after": timedelta(seconds=1),
    }
    return Move(**{**body, **more})  # type: ignore[arg-type]


def load(rollouts: SqlRollouts) -> Loaded:
    loaded = rollouts.load("reporting-1")
    assert loaded is not None
    return loaded


def test_the_migration_makes_the_tables_of_the_code(engine: sa.Engine) -> None:
    """Tables, columns, nullability and indexes are the same in the migration and in the code."""
    inspector = sa.inspect(engine)
    for table in metadata.sorted_tables:
        made = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert made == {column.name: bool(column.nullable) for column in table.columns}
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        assert {str(index.name) for index in table.indexes} <= indexes


def test_opening_twice_changes_nothing(database: str, rollouts: SqlRollouts) -> None:
    """A second process finds the same data."""
    again = open_engine(database)
    assert SqlRollouts(again).load("reporting-1") == load(rollouts)
    again.dispose()


def test_a_move_is_whole_and_comes_back_as_it_was(rollouts: SqlRollouts) -> None:
    """State, cursors, judge memory, readings, verdict and record are read back equal."""
    reading = Reading("errors", 1.0, 2.0, "ten", 0.1, Counts(10, 1), None, None)
    said = verdict("healthy", START, "ten")
    assert rollouts.commit(a_move(load(rollouts), readings=(reading,), verdict=said))
    loaded = load(rollouts)
    assert (loaded.seq, loaded.judge, loaded.cursors) == (1, {"seen": 0}, {"errors": {"at": 1.5}})
    assert rollouts.readings("reporting-1") == (reading,)
    assert rollouts.verdicts("reporting-1")[0]["body"]["reason"] == said.reason
    assert [entry.text for entry in rollouts.record("reporting-1")] == ["go", "tick 0"]


def test_a_stale_move_changes_nothing(rollouts: SqlRollouts) -> None:
    """Of two moves from the same number one wins; the other leaves no trace."""
    found = load(rollouts)
    assert rollouts.commit(a_move(found))
    assert not rollouts.commit(a_move(found, entries=(Entry(kind="note", text="late"),)))
    assert [entry.text for entry in rollouts.record("reporting-1")] == ["go", "tick 0"]


def test_many_at_once_move_it_once(rollouts: SqlRollouts) -> None:
    """Eight threads with the same number: one move, one record entry, an unbroken chain."""
    for _ in range(5):
        found = load(rollouts)
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda _, found=found: rollouts.commit(a_move(found)), range(8)))
        assert sum(won) == 1
    entries = rollouts.record("reporting-1")
    assert [entry.n for entry in entries] == list(range(1, 7))
    assert faults("reporting-1", entries) == ()


@pytest.mark.parametrize("change", ["text", "data", "drop"])
def test_a_forged_record_is_found(rollouts: SqlRollouts, engine: sa.Engine, change: str) -> None:
    """A changed word, a changed number and a dropped entry each break the chain where they are."""
    for _ in range(3):
        rollouts.commit(a_move(load(rollouts)))
    second = sa.and_(record.c.rollout_id == "reporting-1", record.c.n == 2)
    with engine.begin() as connection:
        if change == "drop":
            connection.execute(sa.delete(record).where(second))
        else:
            forged = "forged" if change == "text" else '{"n":0.2}'
            connection.execute(sa.update(record).where(second).values({change: forged}))
    found = faults("reporting-1", rollouts.record("reporting-1"))
    assert found
    assert "2" in found[0]


def test_a_command_waits_until_a_tick_has_heard_it(rollouts: SqlRollouts) -> None:
    """A person's word is pending until the move that heard it, and then never again."""
    number = rollouts.say("reporting-1", CommandGiven(at=START, kind="pause", actor="ops", reason="lunch"))
    grace = timedelta(seconds=3)
    assert rollouts.due(START, grace)[0][2] == f"command-{number}-0"
    assert rollouts.due(START + 2 * grace, grace)[0][2] == f"command-{number}-2"
    found = load(rollouts)
    assert [one.event.reason for one in found.pending] == ["lunch"]
    rollouts.commit(a_move(found))
    assert load(rollouts).pending == ()
    assert rollouts.heard_in(number) == 0


def test_a_tick_is_due_when_its_time_has_come(rollouts: SqlRollouts) -> None:
    """A new rollout is due at once, a planned tick at its time, a finished one never."""
    grace = timedelta(seconds=3)
    assert [why for _, _, why in rollouts.due(START, grace)] == ["due-0"]
    rollouts.commit(a_move(load(rollouts)))
    assert rollouts.due(START + timedelta(seconds=0.9), grace) == ()
    assert [why for _, _, why in rollouts.due(START + timedelta(seconds=8), grace)] == ["due-2"]
    assert [why[:6] for _, _, why in rollouts.due(START - timedelta(hours=1), grace)] == ["behind"]
    rollouts.commit(a_move(load(rollouts), wake_after=None))
    assert rollouts.due(START + timedelta(days=1), grace) == ()
    assert rollouts.due(START - timedelta(days=1), grace) == ()


def test_a_flag_has_one_owner_and_no_way_back_in_time(rollouts: SqlRollouts, engine: sa.Engine) -> None:
    """An older fence and another running rollout are refused; a finished owner gives the flag free."""
    plan = canary()
    rollouts.create("reporting-2", plan, START, Entry(kind="started", text="go"))
    flags = SqlFlags(engine, lambda: START)
    heard: list[int] = []
    flags.on_change(lambda: heard.append(1))
    assert flags.write("new-reporting", {"share": 0.1}, owner="reporting-1", fence=5) == "written"
    assert flags.write("new-reporting", {"share": 0.5}, owner="reporting-1", fence=4) == "fenced"
    assert flags.write("new-reporting", {"share": 0.5}, owner="reporting-2", fence=9) == "held"
    assert flags.read("new-reporting") == {"share": 0.1}
    loaded = load(rollouts)
    rollouts.commit(a_move(loaded, state=loaded.state.model_copy(update={"phase": "done"}), wake_after=None))
    assert flags.write("new-reporting", {"share": 0.5}, owner="reporting-2", fence=1) == "written"
    assert flags.definitions() == {"new-reporting": {"share": 0.5}}
    assert (len(heard), flags.stamp()) == (2, (1, 2))


@pytest.mark.parametrize("text", ["{oops", "[1]", "7", "[" * 100_000, "9" * 10_000])
def test_a_flag_whose_row_is_no_definition_hides_no_other(engine: sa.Engine, text: str) -> None:
    """Reading it is a temporary error that names it; the other rows are read as ever; a write replaces it."""
    flags = SqlFlags(engine, lambda: START)
    for key in ("broken", "well"):
        flags.write(key, {"share": 0.1}, owner="reporting-1", fence=1)
    with engine.begin() as connection:
        connection.execute(sa.update(flag).where(flag.c.key == "broken").values(definition=text))
    with pytest.raises(TemporaryError, match='flag "broken" in the database holds no flag definition'):
        flags.read("broken")
    assert flags.definitions()["well"] == {"share": 0.1}
    assert list(flags.definitions()) == ["broken", "well"]
    assert flags.definitions()["well"] is flags.definitions()["well"]
    assert flags.write("broken", {"share": 0.2}, owner="reporting-1", fence=2) == "written"
    assert flags.read("broken") == {"share": 0.2}
    assert flags.definitions()["broken"] == {"share": 0.2}


def test_two_rollouts_that_write_one_new_flag_at_once_do_not_both_get_it(
    rollouts: SqlRollouts, engine: sa.Engine
) -> None:
    """One has written it, the other is told that it is held; nobody meets an error of the database."""
    rollouts.create("reporting-2", canary(), START, Entry(kind="started", text="go"))
    flags = SqlFlags(engine, lambda: START)
    with ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            owners = ("reporting-1", "reporting-2")
            done = pool.map(lambda one: flags.write(f"f{turn}", {}, owner=one, fence=1), owners)  # noqa: B023  # run before the next turn
            assert sorted(done) == ["held", "written"]


def test_a_plan_is_kept_once_and_approved_by_hash(engine: sa.Engine) -> None:
    """Saving twice is saving once; approvals come back in their order."""
    plans, plan = SqlPlans(engine), canary()
    plans.save(plan, START)
    plans.save(plan, START + timedelta(days=1))
    assert plans.find(plan.hash[:8]) == (plan,)
    assert len(plans.summaries()) == 1
    plans.approve(plan.hash, Approval("bo", "yes", START, "fine"))
    assert plans.approvals(plan.hash) == (Approval("bo", "yes", START, "fine"),)


def test_a_naive_time_is_refused(rollouts: SqlRollouts) -> None:
    """No time without a zone gets into the database."""
    with pytest.raises(sa.exc.StatementError, match="naive"):
        rollouts.due(datetime(2026, 1, 1), timedelta(seconds=1))  # noqa: DTZ001  # that is the point


def test_a_url_of_another_kind_is_refused() -> None:
    """Rollway says which databases it keeps its data in."""
    with pytest.raises(InputError, match="SQLite or PostgreSQL"):
        database_url("mysql://somewhere/rollway")


def test_a_server_that_is_not_there_is_a_temporary_error() -> None:
    """The message names the server without its password."""
    with pytest.raises(TemporaryError) as told:
        open_engine("postgresql://rollway:secret@127.0.0.1:1/none")
    assert "127.0.0.1:1" in str(told.value)
    assert "secret" not in str(told.value)


def test_a_connection_that_comes_back_after_the_end_is_closed(database: str) -> None:
    """A thread that is still at work when all is closed leaves nothing open behind it."""
    engine = open_engine(database)
    held = engine.raw_connection()
    driver = held.dbapi_connection
    close_engine(engine)
    held.close()
    with pytest.raises(Exception, match="closed"):
        driver.cursor().execute("SELECT 1")  # type: ignore[union-attr]
