"""The flags that Rollway serves itself, with their owner and fence. Fills the `FlagShelf` port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rollway.errors import TemporaryError
from rollway.rollout import FINAL_PHASES, Written
from rollway.store.codec import from_text, to_text
from rollway.store.tables import flag, rollout

MOST_TRIES = 5
"""How often a write is decided anew because somebody else wrote in between."""


class SqlFlags:
    """A flag belongs to one rollout at a time; another takes it over only when that one has ended."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []
        self._known: dict[str, tuple[str, Any]] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after each write of this process."""
        self._listeners.append(listener)

    def read(self, key: str) -> Mapping[str, Any] | None:
        """The definition, or None where there is no such flag. Raises TemporaryError for a broken row."""
        with self._engine.connect() as connection:
            text = connection.scalar(sa.select(flag.c.definition).where(flag.c.key == key))
        if text is None:
            return None
        definition = _definition(text)
        if not isinstance(definition, dict):
            raise TemporaryError(
                f'the row of flag "{key}" in the database holds no flag definition: {text[:60]!r}',
                hint="correct the row; the last good definition is served meanwhile, if there was one",
            )
        return definition

    def write(self, key: str, definition: Mapping[str, Any], *, owner: str, fence: int) -> Written:
        """Store the definition, unless another owner holds it or a newer fence of this owner was seen."""
        for _ in range(MOST_TRIES):
            done = self._try_to_write(key, to_text(dict(definition)), owner, fence)
            if done == "written":
                for listener in self._listeners:
                    listener()
            if done is not None:
                return done
        raise TemporaryError(f'flag "{key}" is being written by others all the time', hint="try again")

    def _try_to_write(self, key: str, text: str, owner: str, fence: int) -> Written | None:
        """None where somebody else wrote between our look and our write."""
        query = (
            sa.select(flag, rollout.c.phase)
            .outerjoin(rollout, rollout.c.id == flag.c.owner)
            .where(flag.c.key == key)
        )
        values = {"definition": text, "owner": owner, "fence": fence, "changed_at": self._clock()}
        try:
            with self._engine.begin() as connection:
                held = connection.execute(query).first()
                if held is None:
                    connection.execute(sa.insert(flag).values(key=key, version=1, **values))
                    return "written"
                refusal = _refusal(held, owner, fence)
                if refusal is not None:
                    return refusal
                # The version keeps two writers on PostgreSQL from both winning.
                same = sa.update(flag).where(flag.c.key == key, flag.c.version == held.version)
                moved = connection.execute(same.values(version=held.version + 1, **values)).rowcount
                return "written" if moved else None
        except sa.exc.IntegrityError:
            return None

    def stamp(self) -> tuple[int, int]:
        """Changes whenever any flag does: (number of flags, sum of versions)."""
        with self._engine.connect() as connection:
            query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(flag.c.version), 0))
            row = connection.execute(query.select_from(flag)).one()
            return int(row[0]), int(row[1])

    def definitions(self) -> dict[str, Any]:
        """What is stored, by key, read row by row. A row that is no JSON is given as its text, which is no
        definition either; so one broken row hides no other. A row whose text is as before gives the same
        object as before: with hundreds of flags, reading them all is most of what a change of one costs.
        """
        before = self._known
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(flag.c.key, flag.c.definition).order_by(flag.c.key))
            now = {key: _kept(before.get(key), text) for key, text in rows}
        self._known = now
        return {key: definition for key, (_, definition) in now.items()}


def _kept(before: tuple[str, Any] | None, text: str) -> tuple[str, Any]:
    return before if before is not None and before[0] == text else (text, _definition(text))


def _definition(text: str) -> Any:
    try:
        return from_text(text)
    except (ValueError, RecursionError):
        return text


def _refusal(held: Any, owner: str, fence: int) -> Written | None:
    if held.owner == owner:
        return "fenced" if fence < held.fence else None
    return None if held.phase is None or held.phase in FINAL_PHASES else "held"
