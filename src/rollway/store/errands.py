"""What targets ask people to do, and what they said of it. Fills the `ErrandShelf` port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rollway.approvals import same_name
from rollway.errors import ConflictError, NotFoundError, TemporaryError
from rollway.rollout import FINAL_PHASES, Errand, ErrandState
from rollway.store.outbox import enqueue_errands
from rollway.store.tables import errand, rollout

MOST_TRIES = 5
"""How often it is asked anew because another worker asked for the same in between."""
_AT_ONCE = 200
"""How many keys stand in one statement; databases have a limit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An errand with the rollout it belongs to, and when it was asked for and answered."""

    rollout: str
    errand: Errand
    asked_at: datetime
    answered_at: datetime | None


class SqlErrands:
    """The errands of all rollouts: rows, so that a restart forgets nothing and asks nothing twice."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def of(self, rollout_id: str) -> RolloutErrands:
        """One rollout's errands, as its target sees them."""
        return RolloutErrands(rollout_id, self._engine, self._clock)

    def open(self) -> tuple[Asked, ...]:
        """What nobody has answered yet, in rollouts that still run; the oldest first."""
        runs = rollout.c.phase.not_in(FINAL_PHASES)
        return self._found(errand.c.state == "asked", runs)

    def all_of(self, rollout_id: str) -> tuple[Asked, ...]:
        """Everything that one rollout asked for, answered or not; the oldest first."""
        return self._found(errand.c.rollout_id == rollout_id)

    def find(self, rollout_id: str, key: str) -> Asked:
        """Raises NotFoundError where nothing like this was asked for."""
        found = self._found(errand.c.rollout_id == rollout_id, errand.c.key == key)
        if not found:
            raise NotFoundError(
                f"{rollout_id} asks nobody for {key!r}", hint="`rollway errands` lists what is asked for"
            )
        return found[0]

    def answer(self, rollout_id: str, key: str, state: ErrandState, actor: str, note: str) -> Errand:
        """Keep what a person says of an errand.

        The same word again changes nothing; a person may mend their own word. Raises ConflictError where
        somebody else has said something else, NotFoundError where it was never asked for or was withdrawn.
        """
        for _ in range(MOST_TRIES):
            known = self.find(rollout_id, key)
            was = known.errand
            if was.state == state:
                return was
            if was.state != "asked" and same_name(was.actor) != same_name(actor):
                raise ConflictError(
                    f"{was.actor} has said {was.state} of {key} already",
                    hint=f"talk to {was.actor}, who may say otherwise",
                )
            mine = errand.c.rollout_id == rollout_id, errand.c.key == key
            unchanged = errand.c.state == was.state, errand.c.actor == was.actor
            told = {"state": state, "actor": actor, "note": note, "answered_at": self._clock()}
            with _begun(self._engine) as connection:
                # Of two who answer at the same moment one finds the row changed, and looks again.
                if connection.execute(sa.update(errand).where(*mine, *unchanged).values(**told)).rowcount:
                    return Errand(key, was.owner, was.text, state, actor, note)
        raise TemporaryError(f"{key} is being answered by others all the time", hint="try again")

    def _found(self, *conditions: sa.ColumnElement[bool]) -> tuple[Asked, ...]:
        query = sa.select(errand).join(rollout, rollout.c.id == errand.c.rollout_id).where(*conditions)
        query = query.order_by(errand.c.asked_at, errand.c.rollout_id, errand.c.key)
        with _begun(self._engine) as connection:
            return tuple(
                Asked(row.rollout_id, _errand(row), row.asked_at, row.answered_at)
                for row in connection.execute(query)
            )


class RolloutErrands:
    """Fills the `ErrandShelf` port for one rollout. One method is one transaction."""

    def __init__(self, rollout_id: str, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._rollout = rollout_id
        self._engine = engine
        self._clock = clock

    def ask(self, errands: Iterable[Errand]) -> None:
        """Ask for what was not asked for yet, all or nothing. Raises TemporaryError."""
        wanted = tuple(errands)
        for _ in range(MOST_TRIES):
            if self._try_to_ask(wanted):
                return
        raise TemporaryError("people could not be asked: others ask for the same all the time")

    def _try_to_ask(self, wanted: tuple[Errand, ...]) -> bool:
        """False where another worker asked in between."""
        try:
            with _begun(self._engine) as connection:
                known = set(connection.scalars(sa.select(errand.c.key).where(self._mine())))
                asked = [one for one in wanted if one.key not in known]
                if asked:
                    connection.execute(sa.insert(errand), [self._row(one) for one in asked])
                    enqueue_errands(connection, self._rollout, self._clock(), asked)
        except sa.exc.IntegrityError as error:
            if self._has_rollout():
                return False
            raise TemporaryError(f"there is no rollout {self._rollout} that could ask anybody") from error
        return True

    def withdraw(self, keys: Iterable[str]) -> None:
        """Forget these, answered or not. Raises TemporaryError."""
        gone = tuple(keys)
        with _begun(self._engine) as connection:
            for start in range(0, len(gone), _AT_ONCE):
                some = errand.c.key.in_(gone[start : start + _AT_ONCE])
                connection.execute(sa.delete(errand).where(self._mine(), some))

    def read(self) -> Mapping[str, Errand]:
        """All errands of this rollout, by key. Raises TemporaryError."""
        with _begun(self._engine) as connection:
            rows = connection.execute(sa.select(errand).where(self._mine()))
            return {row.key: _errand(row) for row in rows}

    def _mine(self) -> sa.ColumnElement[bool]:
        return errand.c.rollout_id == self._rollout

    def _has_rollout(self) -> bool:
        with _begun(self._engine) as connection:
            known = sa.select(rollout.c.id).where(rollout.c.id == self._rollout)
            return connection.scalar(known) is not None

    def _row(self, one: Errand) -> dict[str, Any]:
        return {
            "rollout_id": self._rollout,
            "key": one.key,
            "owner": one.owner,
            "text": one.text,
            "state": "asked",
            "actor": "",
            "note": "",
            "asked_at": self._clock(),
            "answered_at": None,
        }


@contextmanager
def _begun(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction. Raises TemporaryError where the database is locked or does not answer."""
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        told = str(error.orig).strip().splitlines()[0]
        raise TemporaryError(f"the database does not answer: {told}", hint="try again") from error


def _errand(row: Any) -> Errand:
    return Errand(row.key, row.owner, row.text, row.state, row.actor, row.note)
