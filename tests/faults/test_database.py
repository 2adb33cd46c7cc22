"""PostgreSQL servers of tests: a connection that is refused tells why."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.database import a_postgres
from tests.support.servers import postgres

pytestmark = pytest.mark.postgres


def test_where_a_server_is_gone_the_error_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """And whether it runs at all; so what refused a test's connection is read where the test failed."""
    with postgres(tmp_path / "postgres") as server:
        first, second = server.new_database(), server.new_database()
        assert first != second
        server.stop()
        with pytest.raises(sa.exc.OperationalError) as refused:
            server.new_database()
    (told,) = refused.value.__notes__
    assert told.startswith("pg_ctl: no server running")
    assert "database system was shut down" in told or "immediate shutdown request" in told


def test_a_server_that_was_away_has_what_it_had() -> None:
    """On the same address."""
    with a_postgres() as server:
        engine = sa.create_engine(server.url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE kept AS SELECT 7 AS number"))
        with server.away(), pytest.raises(sa.exc.OperationalError):
            engine.connect()
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT number FROM kept")) == 7


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The end of its log comes with the error."""
    with postgres(tmp_path / "postgres") as server:
        server.stop()
        (server.data / "postgresql.conf").write_text("port = elsewhere\n")
        with pytest.raises(RuntimeError, match='invalid value for parameter "port": "elsewhere"'):
            server.start()
