"""The record of a rollout: append-only, each entry chained by hash to the one before.

The hash covers the rollout, the number, the time, the tick, who, what, the words and the numbers, and the
hash before: change, drop or swap one entry and every later hash is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rollway.canonical import content_hash
from rollway.rollout import Entry
from rollway.store.codec import from_text, to_text
from rollway.store.outbox import enqueue
from rollway.store.tables import record

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of the record. `n` counts from 1; `seq` is the tick that wrote it."""

    n: int
    seq: int
    at: datetime
    kind: str
    actor: str
    text: str
    data: dict[str, Any]
    previous: str
    hash: str


def append(connection: sa.Connection, rollout: str, seq: int, at: datetime, entries: Iterable[Entry]) -> None:
    """Append entries, and tell the channels of them; part of the caller's transaction."""
    last = connection.execute(
        sa.select(record.c.n, record.c.hash)
        .where(record.c.rollout_id == rollout)
        .order_by(record.c.n.desc())
        .limit(1)
    ).first()
    before, previous = (last.n, last.hash) if last else (0, FIRST)
    numbered = tuple(enumerate(entries, start=before + 1))
    rows = []
    for n, entry in numbered:
        row = Recorded(n, seq, at, entry.kind, entry.actor, entry.text, entry.data, previous, "")
        digest = _digest(rollout, row)
        rows.append(
            {
                "rollout_id": rollout,
                "n": n,
                "seq": seq,
                "at": at,
                "kind": entry.kind,
                "actor": entry.actor,
                "text": entry.text,
                "data": to_text(entry.data),
                "previous": previous,
                "hash": digest,
            }
        )
        previous = digest
    if rows:
        connection.execute(sa.insert(record), rows)
        enqueue(connection, rollout, at, numbered)


def read(connection: sa.Connection, rollout: str, *, after: int = 0, kind: str = "") -> tuple[Recorded, ...]:
    """The entries of a rollout in their order, those with n > `after`; of one kind, where one is given."""
    query = sa.select(record).where(record.c.rollout_id == rollout, record.c.n > after)
    query = query.where(record.c.kind == kind) if kind else query
    rows = connection.execute(query.order_by(record.c.n))
    return tuple(
        Recorded(r.n, r.seq, r.at, r.kind, r.actor, r.text, from_text(r.data), r.previous, r.hash)
        for r in rows
    )


def faults(rollout: str, entries: Sequence[Recorded]) -> tuple[str, ...]:
    """What is wrong with a record, a line each; empty when it is whole."""
    found = []
    previous = FIRST
    for expected, entry in enumerate(entries, start=1):
        if entry.n != expected:
            found.append(f"entry {expected} is missing (found {entry.n})")
            break
        if entry.previous != previous:
            found.append(f"entry {entry.n} does not follow the one before it")
        if _digest(rollout, entry) != entry.hash:
            found.append(f"entry {entry.n} was changed after it was written")
        previous = entry.hash
    return tuple(found)


def _digest(rollout: str, entry: Recorded) -> str:
    return content_hash(
        {
            "rollout": rollout,
            "n": entry.n,
            "seq": entry.seq,
            "at": round(entry.at.timestamp() * 1_000_000),
            "kind": entry.kind,
            "actor": entry.actor,
            "text": entry.text,
            "data": entry.data,
            "previous": entry.previous,
        }
    )
