"""What senders push: their tokens (as hashes), rows that are taken once, and counters that never fall.
Fills the `PushedShelf` port."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rollway.errors import ConflictError, NotFoundError
from rollway.judge import sample_from_json, sample_to_json
from rollway.rollout.pushed import KeptCounter, Sent, SentRow, Wanted
from rollway.store.codec import from_text, new_id, to_text
from rollway.store.tables import push_key, push_token, pushed, pushed_counter

KEEP = timedelta(days=14)
"""Longer than any time that is taken is old: a request whose key is forgotten is refused for its times."""
PRUNE_EVERY = timedelta(minutes=10)
USED_EVERY = timedelta(minutes=1)
TOKEN_START = "rwp_"  # noqa: S105  # so that scanners for leaked secrets know it
_LOCK = 7265319
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request: how many rows were taken, or that its key was known since `known_since`."""

    rows: int
    known_since: datetime | None = None


class SqlPushed:
    """Rows get their numbers in the order in which they become visible, so a reader that has seen a number
    misses nothing below it."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._pruned_at: datetime | None = None

    # --- tokens ---

    def new_token(self, source: str, actor: str) -> tuple[int, str]:
        """The number and the text of a new token of this source. The text is kept nowhere."""
        text = TOKEN_START + secrets.token_urlsafe(32)
        row = {"source": source, "hash": _digest(text), "created_by": actor, "created_at": self._clock()}
        with self._engine.begin() as connection:
            return new_id(connection.execute(sa.insert(push_token).values(row))), text

    def revoke(self, number: int) -> str:
        """The source of the token that is not valid any more. Raises NotFoundError."""
        ours = push_token.c.id == number
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(push_token).where(ours)).first()
            if row is None:
                raise NotFoundError(f"there is no token {number}", hint="`rollway tokens` lists them")
            fresh = ours & push_token.c.revoked_at.is_(None)
            connection.execute(sa.update(push_token).where(fresh).values(revoked_at=self._clock()))
            return str(row.source)

    def tokens(self) -> Sequence[Any]:
        """Every token, oldest first: id, source, created_by, created_at, used_at, revoked_at."""
        columns = [column for column in push_token.c if column.name != "hash"]
        with self._engine.connect() as connection:
            return connection.execute(sa.select(*columns).order_by(push_token.c.id)).all()

    def source_of(self, token: str) -> str | None:
        """The source that the token is for; None where it is unknown or revoked."""
        valid = (push_token.c.hash == _digest(token)) & push_token.c.revoked_at.is_(None)
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(push_token).where(valid)).first()
        if row is None:
            return None
        now = self._clock()
        if row.used_at is None or now - row.used_at > USED_EVERY:
            with self._engine.begin() as connection:
                used = sa.update(push_token).where(push_token.c.id == row.id)
                connection.execute(used.values(used_at=now))
        return str(row.source)

    # --- rows ---

    def take(self, source: str, key: str, body: bytes, rows: Iterable[SentRow]) -> Taken:
        """Keep all rows of a request, or none. A key that is known changes nothing.

        Raises ConflictError where the key was used for another body.
        """
        now, digest = self._clock(), hashlib.sha256(body).hexdigest()
        with self._engine.begin() as connection:
            _queue(connection)
            known = _known(connection, source, key)
            if known is not None:
                return _refuse_other(known, digest, key)
            connection.execute(sa.insert(push_key).values(source=source, key=key, body_hash=digest, at=now))
            values = [_to_row(source, row, now) for row in rows]
            connection.execute(sa.insert(pushed), values)
            self._prune(connection, now)
        return Taken(len(values))

    def known(self, source: str, key: str, body: bytes) -> Taken | None:
        """What became of a request with this key before, or None. Raises ConflictError as `take`."""
        with self._engine.connect() as connection:
            row = _known(connection, source, key)
        return None if row is None else _refuse_other(row, hashlib.sha256(body).hexdigest(), key)

    def newest(self, source: str) -> int:
        with self._engine.connect() as connection:
            query = sa.select(sa.func.max(pushed.c.id)).where(pushed.c.source == source)
            return int(connection.scalar(query) or 0)

    def sent(self, source: str, series: str, wanted: Wanted) -> Sent:
        is_new = pushed.c.end_at > wanted.start
        is_late = (pushed.c.end_at > wanted.begun) & (pushed.c.id > wanted.seen)
        ours = (pushed.c.source == source) & (pushed.c.series == series) & (pushed.c.id <= wanted.newest)
        due = ours & (pushed.c.end_at <= wanted.end) & (is_new | is_late)
        missed = ours & (pushed.c.end_at <= wanted.begun) & (pushed.c.id > wanted.seen)
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(pushed).where(due).order_by(pushed.c.id)).all()
            too_late = connection.scalar(sa.select(sa.func.count()).select_from(pushed).where(missed))
        late = sum(row.end_at <= wanted.start for row in found)
        return Sent(tuple(_from_row(row) for row in found), late, int(too_late or 0))

    # --- counters ---

    def counters(self, source: str, metrics: Sequence[str]) -> tuple[KeptCounter, ...]:
        ours = (pushed_counter.c.source == source) & pushed_counter.c.metric.in_(metrics)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(pushed_counter).where(ours).order_by(pushed_counter.c.key))
            return tuple(_counter(row) for row in rows)

    def fold(
        self,
        source: str,
        keys: Sequence[str],
        change: Callable[[Mapping[str, KeptCounter], int], Mapping[str, KeptCounter]],
    ) -> None:
        """Replace the counters under these keys by what `change` makes of them, in one transaction.

        `change` is given the counters that are kept, and how many this source has in all.
        """
        now = self._clock()
        with self._engine.begin() as connection:
            _queue(connection)
            kept = {key: one for part in _chunks(keys) for key, one in _kept(connection, source, part)}
            ours = pushed_counter.c.source == source
            count = connection.scalar(sa.select(sa.func.count()).select_from(pushed_counter).where(ours))
            changed = change(kept, int(count or 0))
            for part in _chunks([key for key in changed if key in kept]):
                connection.execute(sa.delete(pushed_counter).where(ours & pushed_counter.c.key.in_(part)))
            if changed:
                values = [_counter_row(source, key, one) for key, one in changed.items()]
                connection.execute(sa.insert(pushed_counter), values)
            self._prune(connection, now)

    def _prune(self, connection: sa.Connection, now: datetime) -> None:
        if self._pruned_at is not None and now - self._pruned_at < PRUNE_EVERY:
            return
        self._pruned_at = now
        before = now - KEEP
        # The newest row stays, or SQLite would give its number again.
        newest = sa.select(sa.func.max(pushed.c.id)).scalar_subquery()
        old = (pushed.c.received_at < before) & (pushed.c.id < newest)
        connection.execute(sa.delete(pushed).where(old))
        connection.execute(sa.delete(push_key).where(push_key.c.at < before))
        connection.execute(sa.delete(pushed_counter).where(pushed_counter.c.seen_at < before.timestamp()))


def _digest(token: str) -> str:
    # The token has 256 random bits, so nobody can find it from its hash by trying.
    return hashlib.sha256(token.encode()).hexdigest()


def _queue(connection: sa.Connection) -> None:
    """One writer at a time, so that numbers become visible in their order; SQLite has no other way."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _known(connection: sa.Connection, source: str, key: str) -> Any:
    ours = (push_key.c.source == source) & (push_key.c.key == key)
    return connection.execute(sa.select(push_key).where(ours)).first()


def _refuse_other(known: Any, digest: str, key: str) -> Taken:
    if known.body_hash != digest:
        raise ConflictError(
            f"the key {key!r} was used at {known.at:%Y-%m-%d %H:%M:%S} UTC for another request",
            hint="each request needs a key of its own; only a repetition has the same",
        )
    return Taken(0, known.at)


def _to_row(source: str, row: SentRow, now: datetime) -> dict[str, Any]:
    return {
        "source": source,
        "series": row.series,
        "arm": row.arm,
        "start_at": row.start,
        "end_at": row.end,
        "sample": to_text(sample_to_json(row.sample)),
        "received_at": now,
    }


def _from_row(row: Any) -> SentRow:
    sample = sample_from_json(from_text(row.sample))
    assert sample is not None  # noqa: S101  # the column is never empty
    return SentRow(row.series, row.arm, row.start_at, row.end_at, sample)


def _chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))


def _kept(connection: sa.Connection, source: str, keys: Sequence[str]) -> Iterable[tuple[str, KeptCounter]]:
    ours = (pushed_counter.c.source == source) & pushed_counter.c.key.in_(keys)
    return [(row.key, _counter(row)) for row in connection.execute(sa.select(pushed_counter).where(ours))]


def _counter(row: Any) -> KeptCounter:
    return KeptCounter(
        metric=row.metric,
        labels=json.loads(row.labels),
        bounds=tuple(json.loads(row.bounds)),
        started=row.started,
        point_at=row.point_at,
        last=tuple(json.loads(row.last)),
        total=tuple(json.loads(row.total)),
        seen_at=row.seen_at,
    )


def _counter_row(source: str, key: str, one: KeptCounter) -> dict[str, Any]:
    return {
        "source": source,
        "key": key,
        "metric": one.metric,
        "labels": to_text(dict(one.labels)),
        "bounds": json.dumps(one.bounds),
        "started": one.started,
        "point_at": one.point_at,
        "last": json.dumps(one.last),
        "total": json.dumps(one.total),
        "seen_at": one.seen_at,
    }
