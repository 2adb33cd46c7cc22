"""Opening the database: SQLite in a data folder, or PostgreSQL by URL. Brings the schema up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from rollway.errors import InputError, TemporaryError

HEAD = "0004"
"""The newest migration. Comparing it with the database saves importing Alembic at each start."""

_PRAGMAS = ("journal_mode=WAL", "busy_timeout=30000", "foreign_keys=ON", "synchronous=FULL")


def database_url(where: str | Path) -> str:
    """The URL for a data folder (SQLite inside it) or for what already is a PostgreSQL URL."""
    text = str(where).strip()
    if not text:
        raise InputError("the data folder has no name", hint="give one with --data, such as --data .rollway")
    if "://" not in text:
        return f"sqlite:///{Path(text).resolve() / 'rollway.db'}"
    url = make_url(text)
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(
            f"{text}: Rollway keeps its data in SQLite or PostgreSQL, not in {url.get_backend_name()}",
            hint="give a folder, or a URL such as postgresql://user@host/rollway",
        )
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def open_engine(where: str | Path) -> sa.Engine:
    """An engine whose schema is up to date. Makes the data folder where it is missing."""
    url = database_url(where)
    if url.startswith("sqlite"):
        _make_folder(Path(make_url(url).database or "."))
        engine = sa.create_engine(url, pool_size=20, max_overflow=20)
        sa.event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = sa.create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
    try:
        migrate(engine)
    except sa.exc.OperationalError as error:
        raise TemporaryError(
            f"the database does not answer: {make_url(url).render_as_string()}",
            hint=str(error.orig).strip().splitlines()[0],
        ) from error
    except sa.exc.DatabaseError as error:
        raise InputError(
            f"{make_url(url).render_as_string()} is no database of Rollway: {error.orig}",
            hint="give another folder with --data",
        ) from error
    return engine


def close_engine(engine: sa.Engine) -> None:
    """Close all connections: those at rest now, and one that a thread still works with when it gives it back.

    Without that the last ones go back to a pool that nobody looks after any more, and are left open.
    """
    sa.event.listen(engine, "checkin", _close_late)
    engine.dispose()


def _close_late(_connection: object, record: Any) -> None:
    record.invalidate()


def _make_folder(database: Path) -> None:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        database.open("ab").close()
    except OSError as error:
        raise InputError(
            f"the data folder {database.parent} cannot be used: {error.strerror}",
            hint="give another one with --data",
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to HEAD. Safe when several processes start at once."""
    if _revision(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7265318)"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise InputError(
                f"this database was made by another version of Rollway ({error})",
                hint="use that version, or another data folder",
            ) from error


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found
