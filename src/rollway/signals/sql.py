"""Reads a KPI from a database, by a query that counts what happened between two moments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rollway.signals.windowed import Asked, DownError, WindowedSignal
from rollway.signals.windowed_options import WindowedOptions

if TYPE_CHECKING:
    from sqlalchemy import Engine

_MOST_ROWS = 1_000


class SqlSignal(WindowedSignal):
    """What a query counts for each version.

    Options:

    - `query`: one SELECT with a row for each version: `arm`, `trials` and `bad` (the good ones, for a rate of
      which less is worse); `arm` and `units` for an assignment; `arm`, `units`, `total` and `squares` for a
      mean. `:start` (not included) and `:end` (included) are the moments, as times with a zone;
      `:start_epoch` and `:end_epoch` the same as unix seconds. Every event must fall into one interval only,
      by the time at which it is stored;
    - `candidate`, `baseline`: the values of `arm` for the two versions;
    - `url_env`: the environment variable with the database's SQLAlchemy URL; or `url`, where it holds no
      password;
    - `delay` (default 0s): how long rows may come late; nothing younger is asked for;
    - `timeout` (default 10s).

    The query runs in a transaction that may only read, where the database knows such, and is always rolled
    back. A version without a row had no trials in that time.
    """

    def __init__(self, kpi: str, kind: Any, options: Mapping[str, Any]) -> None:
        """Raises InputError, naming the option, without asking the database anything."""
        given = WindowedOptions("sql", kpi, kind, options, ("url", "url_env", "query"))
        self.kpi, self.kind = kpi, kind
        self._query, self.arms = given.text("query"), given.arms()
        self._url, self._url_env = _address(given)
        self.delay, self._timeout = given.seconds("delay", "0s"), max(1.0, given.seconds("timeout", "10s"))

    def rows(self, asked: Asked) -> list[Mapping[str, Any]]:
        """What the query answers."""
        try:
            return self._answer(asked)
        except Exception as error:  # drivers raise what they like
            raise DownError(f"the database did not answer: {_first_line(error)}") from error

    def _answer(self, asked: Asked) -> list[Mapping[str, Any]]:
        import sqlalchemy as sa

        values = {
            "start": datetime.fromtimestamp(asked.start, UTC),
            "end": datetime.fromtimestamp(asked.end, UTC),
            "start_epoch": asked.start,
            "end_epoch": asked.end,
        }
        statement = sa.text(self._query)
        named = statement.compile().params
        with _engine(self._address(), self._timeout).connect() as connection:
            _only_read(connection)
            answer = connection.execute(statement, {name: values[name] for name in named if name in values})
            try:
                rows: list[Mapping[str, Any]] = [dict(row) for row in answer.mappings().fetchmany(_MOST_ROWS)]
            finally:
                connection.rollback()
        return rows

    def _address(self) -> str:
        if self._url:
            return self._url
        address = os.environ.get(self._url_env)
        if not address:
            raise RuntimeError(f"the environment has no {self._url_env}, the address of the database")
        return address


@lru_cache(maxsize=32)
def _engine(address: str, timeout: float) -> Engine:
    import sqlalchemy as sa
    from sqlalchemy.pool import NullPool

    more: dict[str, Any] = {}
    if address.startswith("postgresql"):
        wait = f"-c statement_timeout={int(timeout * 1000)}"
        more = {"connect_timeout": max(2, int(timeout)), "options": wait}
    elif address.startswith("sqlite"):
        more = {"timeout": timeout}
    # A connection for each question: between two ticks hours may lie.
    return sa.create_engine(address, connect_args=more, poolclass=NullPool)


def _only_read(connection: Any) -> None:
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
    elif connection.dialect.name == "sqlite":
        connection.execute(sa.text("PRAGMA query_only = ON"))


def _address(given: WindowedOptions) -> tuple[str, str]:
    import sqlalchemy as sa

    if "url_env" in given:
        return "", given.text("url_env")
    text = given.text("url")
    try:
        url = sa.engine.make_url(text)
    except sa.exc.ArgumentError as error:
        hint = "such as postgresql+psycopg://reader@db.example.com/shop"
        raise given.error("url", f"not a database's address: {text!r}", hint) from error
    if url.password:
        hint = "put the whole address into an environment variable and name it as url_env"
        raise given.error("url", "a password does not belong into a release file", hint)
    return text, ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300] or type(error).__name__
