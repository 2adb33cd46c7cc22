"""The flags that Rollway serves itself, with their owner and fence. Fills the `FlagShelf` port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rollway.rollout import FINAL_PHASES
from rollway.store.codec import from_text, to_text
from rollway.store.tables import flag, rollout


class SqlFlags:
    """A flag belongs to one rollout at a time; another takes it over only when that one has ended."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after each write of this process."""
        self._listeners.append(listener)

    def read(self, key: str) -> Mapping[str, Any] | None:
        with self._engine.connect() as connection:
            text = connection.scalar(sa.select(flag.c.definition).where(flag.c.key == key))
        return None if text is None else dict(from_text(text))

    def write(self, key: str, definition: Mapping[str, Any], *, owner: str, fence: int) -> bool:
        with self._engine.begin() as connection:
            held = connection.execute(
                sa.select(flag, rollout.c.phase)
                .outerjoin(rollout, rollout.c.id == flag.c.owner)
                .where(flag.c.key == key)
            ).first()
            if held is not None and not _may_write(held, owner, fence):
                return False
            values = {
                "definition": to_text(dict(definition)),
                "owner": owner,
                "fence": fence,
                "version": (held.version if held else 0) + 1,
                "changed_at": self._clock(),
            }
            if held is None:
                connection.execute(sa.insert(flag).values(key=key, **values))
            else:
                # The version keeps two writers on PostgreSQL from both winning.
                same = sa.update(flag).where(flag.c.key == key, flag.c.version == held.version)
                if connection.execute(same.values(**values)).rowcount == 0:
                    return False
        for listener in self._listeners:
            listener()
        return True

    def stamp(self) -> tuple[int, int]:
        """Changes whenever any flag does: (number of flags, sum of versions)."""
        with self._engine.connect() as connection:
            query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(flag.c.version), 0))
            row = connection.execute(query.select_from(flag)).one()
            return int(row[0]), int(row[1])

    def document(self) -> dict[str, Any]:
        """All flags as one flagd document."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(flag.c.key, flag.c.definition).order_by(flag.c.key))
            return {"flags": {row.key: from_text(row.definition) for row in rows}}


def _may_write(held: Any, owner: str, fence: int) -> bool:
    if held.owner == owner:
        return bool(fence >= held.fence)
    return held.phase is None or held.phase in FINAL_PHASES
