"""Releases, plans and approvals in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from rollway.approvals import Approval, approval_state
from rollway.facts import Release, facts_hash, release_from_json, release_to_json
from rollway.planning import Plan
from rollway.store.codec import from_text, new_id, to_text
from rollway.store.tables import approval, plan, release


@lru_cache(maxsize=256)
def _parsed(text: str) -> Plan:
    # A plan never changes, and a rollout's is wanted at every tick.
    return Plan.from_text(text)


def read_plan(connection: sa.Connection, plan_hash: str) -> Plan:
    """The plan with this hash. Raises sqlalchemy.exc.NoResultFound."""
    return _parsed(connection.execute(sa.select(plan.c.body).where(plan.c.hash == plan_hash)).scalar_one())


def is_approved(connection: sa.Connection, plan_hash: str) -> bool:
    """Whether a plan has the approvals it asks for at this moment."""
    return approval_state(read_plan(connection, plan_hash), _approvals(connection, plan_hash)).is_approved


def _approvals(connection: sa.Connection, plan_hash: str) -> tuple[Approval, ...]:
    query = sa.select(approval).where(approval.c.plan_hash == plan_hash).order_by(approval.c.id)
    return tuple(Approval(r.actor, r.decision, r.at, r.reason) for r in connection.execute(query))


class SqlPlans:
    """Keeps releases, plans and approvals. One method is one transaction; saving twice is saving once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save(self, new: Plan, at: datetime, of: Release | None = None) -> None:
        with self._engine.begin() as connection:
            release_id = None if of is None else self._save_release(connection, of, at)
            known = connection.execute(sa.select(plan.c.release_id).where(plan.c.hash == new.hash)).first()
            if known is None:
                row = {"hash": new.hash, "name": new.name, "version": new.version, "body": new.text()}
                connection.execute(sa.insert(plan).values(**row, release_id=release_id, created_at=at))
            elif known.release_id is None and release_id is not None:
                connection.execute(
                    sa.update(plan).where(plan.c.hash == new.hash).values(release_id=release_id)
                )

    def _save_release(self, connection: sa.Connection, of: Release, at: datetime) -> int:
        key = {"name": of.release.name, "version": of.release.version, "facts_hash": facts_hash(of)}
        known = connection.scalar(sa.select(release.c.id).filter_by(**key))
        if known is not None:
            return int(known)
        row = sa.insert(release).values(**key, facts=to_text(release_to_json(of)), created_at=at)
        return new_id(connection.execute(row))

    def find(self, hash_prefix: str) -> tuple[Plan, ...]:
        """The plans whose hash begins with this."""
        with self._engine.connect() as connection:
            texts = connection.scalars(
                sa.select(plan.c.body).where(plan.c.hash.startswith(hash_prefix, autoescape=True))
            )
            return tuple(_parsed(text) for text in texts)

    def release_of(self, plan_hash: str) -> Release | None:
        """The facts a plan was made from, where they were saved with it."""
        query = sa.select(release.c.facts).join(plan, plan.c.release_id == release.c.id)
        with self._engine.connect() as connection:
            text = connection.scalar(query.where(plan.c.hash == plan_hash))
        return None if text is None else release_from_json(from_text(text))

    def summaries(self) -> Sequence[Any]:
        """All plans, newest first: hash, name, version, created_at, body."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(plan).order_by(plan.c.created_at.desc())).all()

    def approve(self, plan_hash: str, given: Approval) -> None:
        row = {"actor": given.actor, "decision": given.decision, "reason": given.reason, "at": given.at}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(approval).values(plan_hash=plan_hash, **row))

    def approvals(self, plan_hash: str) -> tuple[Approval, ...]:
        with self._engine.connect() as connection:
            return _approvals(connection, plan_hash)
