"""Rollouts in the database: loading one for a tick, and moving it in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from rollway.errors import ConflictError
from rollway.judge import Reading
from rollway.planning import Plan
from rollway.rollout import FINAL_PHASES, CommandGiven, Entry, Loaded, Move, Pending, State, TaskRan, begin
from rollway.store import record as records
from rollway.store.codec import from_text, new_id, reading_from_row, reading_to_row, to_text
from rollway.store.plans import is_approved, read_plan
from rollway.store.tables import command, reading, rollout, verdict

TASK_RAN = "task_ran"
"""The kind of a command's row that holds the end of a task's command."""


class SqlRollouts:
    """Fills the `Rollouts` port. One method is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # --- for ticks ---

    def load(self, rollout_id: str) -> Loaded | None:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(rollout).where(rollout.c.id == rollout_id)).first()
            if row is None:
                return None
            return Loaded(
                id=row.id,
                seq=row.seq,
                plan=read_plan(connection, row.plan_hash),
                state=State.model_validate_json(row.state),
                judge=from_text(row.judge),
                cursors=from_text(row.cursors),
                target_problem=row.target_problem,
                pending=_pending(connection, rollout_id),
                moved_at=row.moved_at,
                due_at=row.next_at,
                is_approved=row.phase != "waiting" or is_approved(connection, row.plan_hash),
            )

    def seq(self, rollout_id: str) -> int | None:
        """The number of the next tick; None where there is no such rollout."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(rollout.c.seq).where(rollout.c.id == rollout_id))

    def commit(self, move: Move) -> bool:
        with self._engine.begin() as connection:
            moved = connection.execute(
                sa.update(rollout)
                .where(rollout.c.id == move.rollout, rollout.c.seq == move.seq)
                .values(
                    seq=move.seq + 1,
                    phase=move.state.phase,
                    state=to_text(move.state.model_dump(mode="json")),
                    judge=to_text(move.judge),
                    cursors=to_text(move.cursors),
                    target_problem="",
                    moved_at=move.at,
                    next_at=None if move.wake_after is None else move.at + move.wake_after,
                    **({"target": None} if move.state.is_final else {}),
                )
            ).rowcount
            if moved == 0:
                return False
            self._write(connection, move)
        return True

    def _write(self, connection: sa.Connection, move: Move) -> None:
        if move.heard:
            heard = sa.update(command).where(command.c.id.in_(move.heard), command.c.heard_in.is_(None))
            connection.execute(heard.values(heard_in=move.seq))
        if move.readings:
            rows = [reading_to_row(move.rollout, move.seq, one) for one in move.readings]
            connection.execute(sa.insert(reading), rows)
        if move.verdict is not None:
            connection.execute(
                sa.insert(verdict).values(
                    rollout_id=move.rollout,
                    seq=move.seq,
                    at=move.at,
                    kind=move.verdict.kind,
                    share=move.state.desired_share,
                    body=to_text(move.verdict.to_json()),
                )
            )
        records.append(connection, move.rollout, move.seq, move.at, move.entries)

    def note_target_problem(self, rollout_id: str, seq: int, problem: str) -> None:
        mine = sa.update(rollout).where(rollout.c.id == rollout_id, rollout.c.seq == seq)
        with self._engine.begin() as connection:
            connection.execute(mine.values(target_problem=problem))

    # --- for people ---

    def create(
        self,
        rollout_id: str,
        plan: Plan,
        at: datetime,
        *entries: Entry,
        target: str = "",
        earlier: tuple[str, Entry] | None = None,
    ) -> None:
        """A new rollout, due at once, with the first entries of its record.

        `target` is what it switches: while it runs, another one with the same text raises ConflictError,
        as does a second one with the same id. `earlier` is a rollout that has ended and what its record says
        of this one, written in the same transaction.
        """
        try:
            self._create(rollout_id, plan, at, entries, target or None, earlier)
        except sa.exc.IntegrityError as error:
            raise ConflictError(
                f"another rollout was started at the same moment, on {target or rollout_id}",
                hint="see `rollway status`, and start again",
            ) from error

    def _create(
        self,
        rollout_id: str,
        plan: Plan,
        at: datetime,
        entries: tuple[Entry, ...],
        target: str | None,
        earlier: tuple[str, Entry] | None,
    ) -> None:
        state = begin()
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(rollout).values(
                    id=rollout_id,
                    target=target,
                    plan_hash=plan.hash,
                    seq=0,
                    phase=state.phase,
                    state=to_text(state.model_dump(mode="json")),
                    judge="{}",
                    cursors="{}",
                    target_problem="",
                    created_at=at,
                    moved_at=at,
                    next_at=at,
                )
            )
            records.append(connection, rollout_id, 0, at, entries)
            if earlier is not None:
                known = sa.select(rollout.c.seq).where(rollout.c.id == earlier[0])
                records.append(connection, earlier[0], connection.scalar(known) or 0, at, (earlier[1],))

    def say(self, rollout_id: str, event: CommandGiven) -> int:
        """Leave a person's command for the next tick. Returns its number."""
        with self._engine.begin() as connection:
            result = connection.execute(
                sa.insert(command).values(
                    rollout_id=rollout_id,
                    kind=event.kind,
                    actor=event.actor,
                    reason=event.reason,
                    subject=event.subject,
                    at=event.at,
                )
            )
            return new_id(result)

    def report(self, rollout_id: str, event: TaskRan) -> None:
        """Leave the end of a task's command for the next tick, which is called at once."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(command).values(
                    rollout_id=rollout_id,
                    kind=TASK_RAN,
                    actor="rollway",
                    subject=event.subject,
                    reason=event.model_dump_json(),
                    at=event.at,
                )
            )

    def heard_in(self, command_id: int) -> int | None:
        """The tick that heard a command; None while nobody has."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(command.c.heard_in).where(command.c.id == command_id))

    def pending(self, rollout_id: str) -> tuple[Pending, ...]:
        """What was said to a rollout and no tick has heard yet, oldest first."""
        with self._engine.connect() as connection:
            return _pending(connection, rollout_id)

    def summaries(self) -> Sequence[Any]:
        """All rollouts, newest first: rows of the table without the judge's memory."""
        columns = [c for c in rollout.c if c.name not in ("judge", "cursors")]
        with self._engine.connect() as connection:
            return connection.execute(sa.select(*columns).order_by(rollout.c.created_at.desc())).all()

    def holder_of(self, target: str) -> str | None:
        """The rollout that switches this target now."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(rollout.c.id).where(rollout.c.target == target))

    def ids_of(self, name: str) -> tuple[str, ...]:
        """The rollouts whose id begins with this name and a dash."""
        with self._engine.connect() as connection:
            found = connection.scalars(
                sa.select(rollout.c.id).where(rollout.c.id.startswith(f"{name}-", autoescape=True))
            )
            return tuple(found)

    def record(self, rollout_id: str, *, after: int = 0) -> tuple[records.Recorded, ...]:
        with self._engine.connect() as connection:
            return records.read(connection, rollout_id, after=after)

    def entries(self, rollout_id: str, kind: str) -> tuple[records.Recorded, ...]:
        """The entries of one kind in a record, oldest first."""
        with self._engine.connect() as connection:
            return records.read(connection, rollout_id, kind=kind)

    def running(self) -> tuple[tuple[str, int], ...]:
        """Rollouts that have not ended, with the number of their next tick."""
        query = sa.select(rollout.c.id, rollout.c.seq).where(rollout.c.phase.not_in(FINAL_PHASES))
        with self._engine.connect() as connection:
            return tuple((row.id, row.seq) for row in connection.execute(query))

    def readings(self, rollout_id: str, *, after: float = 0.0) -> tuple[Reading, ...]:
        """The evidence in its order: readings that ended after this moment (unix seconds)."""
        query = (
            sa.select(reading)
            .where(reading.c.rollout_id == rollout_id, reading.c.end_at > after)
            .order_by(reading.c.end_at, reading.c.kpi, reading.c.seq)
        )
        with self._engine.connect() as connection:
            return tuple(reading_from_row(row) for row in connection.execute(query))

    def readings_by_tick(self, rollout_id: str) -> dict[int, tuple[Reading, ...]]:
        """The evidence as it came: the readings that each tick took in, by the tick's number."""
        query = sa.select(reading).where(reading.c.rollout_id == rollout_id)
        query = query.order_by(reading.c.seq, reading.c.end_at, reading.c.kpi)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {
            seq: tuple(reading_from_row(row) for row in taken)
            for seq, taken in groupby(rows, key=lambda row: int(row.seq))
        }

    def verdicts(self, rollout_id: str, *, after: int = -1, newest: int | None = None) -> tuple[Any, ...]:
        """Verdicts as rows (seq, at, kind, share, body as JSON value), oldest first."""
        query = sa.select(verdict).where(verdict.c.rollout_id == rollout_id, verdict.c.seq > after)
        query = query.order_by(verdict.c.seq.desc())
        query = query.limit(newest) if newest else query
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            {"seq": r.seq, "at": r.at, "kind": r.kind, "share": r.share, **{"body": from_text(r.body)}}
            for r in reversed(rows)
        )

    # --- for the watcher ---

    def due(self, now: datetime, grace: timedelta) -> tuple[tuple[str, int, str], ...]:
        """What must be called now: (rollout, seq, why). Ticks whose time has come, and at once where a
        command is unheard; again each time another `grace` has passed without a move."""
        unheard = sa.select(
            command.c.rollout_id,
            sa.func.max(command.c.id).label("newest"),
            sa.func.max(command.c.at).label("at"),
        )
        unheard = unheard.where(command.c.heard_in.is_(None)).group_by(command.c.rollout_id)
        with self._engine.connect() as connection:
            spoken = {row.rollout_id: row for row in connection.execute(unheard)}
            rows = connection.execute(
                sa.select(rollout.c.id, rollout.c.seq, rollout.c.next_at, rollout.c.moved_at).where(
                    sa.or_(
                        rollout.c.next_at <= now,
                        sa.and_(rollout.c.next_at.is_not(None), rollout.c.moved_at > now + grace),
                        rollout.c.id.in_(spoken),
                    )
                )
            ).all()
        calls = []
        for row in rows:
            if row.id in spoken:
                said = spoken[row.id]
                calls.append((row.id, row.seq, f"command-{said.newest}-{_attempt(now, said.at, grace)}"))
            elif row.next_at <= now:
                calls.append((row.id, row.seq, f"due-{_attempt(now, row.next_at, grace)}"))
            else:
                # The clock was set back: the rollout goes on slowly until it has caught up.
                calls.append((row.id, row.seq, f"behind-{now.timestamp():.0f}"))
        return tuple(calls)


def _attempt(now: datetime, since: datetime, grace: timedelta) -> int:
    return max(0, int((now - since) / grace))


def _pending(connection: sa.Connection, rollout_id: str) -> tuple[Pending, ...]:
    query = sa.select(command).where(command.c.rollout_id == rollout_id, command.c.heard_in.is_(None))
    return tuple(Pending(row.id, _event(row)) for row in connection.execute(query.order_by(command.c.id)))


def _event(row: Any) -> CommandGiven | TaskRan:
    if row.kind == TASK_RAN:
        return TaskRan.model_validate_json(row.reason)
    return CommandGiven(at=row.at, kind=row.kind, actor=row.actor, reason=row.reason, subject=row.subject)
