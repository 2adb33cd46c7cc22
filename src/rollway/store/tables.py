"""The tables. A migration in migrations/versions makes exactly these; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no zones, so the zone is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", number, primary_key=True, autoincrement=True)


def _at(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable, index=index)


def _rollout_key() -> sa.Column[Any]:
    return sa.Column("rollout_id", sa.ForeignKey("rollout.id"), nullable=False, index=True)


release = sa.Table(
    "release",
    metadata,
    _id(),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("facts_hash", sa.String(64), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    _at("created_at"),
    sa.UniqueConstraint("name", "version", "facts_hash"),
)

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("release_id", sa.ForeignKey("release.id"), nullable=True, index=True),
    sa.Column("name", sa.String(60), nullable=False, index=True),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    _at("created_at"),
)

approval = sa.Table(
    "approval",
    metadata,
    _id(),
    sa.Column("plan_hash", sa.ForeignKey("plan.hash"), nullable=False, index=True),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("decision", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    _at("at"),
)

rollout = sa.Table(
    "rollout",
    metadata,
    sa.Column("id", sa.String(140), primary_key=True),
    sa.Column("plan_hash", sa.ForeignKey("plan.hash"), nullable=False, index=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("phase", sa.String(20), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("judge", sa.Text, nullable=False),
    sa.Column("cursors", sa.Text, nullable=False),
    sa.Column("target", sa.String(400), nullable=True, unique=True),
    sa.Column("target_problem", sa.Text, nullable=False, default=""),
    _at("created_at"),
    _at("moved_at"),
    _at("next_at", nullable=True, index=True),
)

command = sa.Table(
    "command",
    metadata,
    _id(),
    _rollout_key(),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("subject", sa.String(200), nullable=False, default="", server_default=sa.text("''")),
    _at("at"),
    sa.Column("heard_in", sa.BigInteger, nullable=True, index=True),
)

reading = sa.Table(
    "reading",
    metadata,
    sa.Column("rollout_id", sa.ForeignKey("rollout.id"), primary_key=True),
    sa.Column("kpi", sa.String(60), primary_key=True),
    sa.Column("end_at", sa.Double, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("start_at", sa.Double, nullable=False),
    sa.Column("stage", sa.String(60), nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("candidate", sa.Text, nullable=True),
    sa.Column("baseline", sa.Text, nullable=True),
    sa.Column("problem", sa.String(20), nullable=True),
    sa.Column("candidate_until", sa.Double, nullable=True),
    sa.Column("baseline_until", sa.Double, nullable=True),
    sa.Column("is_complete", sa.Boolean, nullable=False, server_default=sa.true()),
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("rollout_id", sa.ForeignKey("rollout.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    _at("at"),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

record = sa.Table(
    "record",
    metadata,
    sa.Column("rollout_id", sa.ForeignKey("rollout.id"), primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    _at("at"),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

flag = sa.Table(
    "flag",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("owner", sa.String(140), nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    _at("changed_at"),
)

push_token = sa.Table(
    "push_token",
    metadata,
    _id(),
    sa.Column("source", sa.String(60), nullable=False, index=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_by", sa.String(200), nullable=False),
    _at("created_at"),
    _at("used_at", nullable=True),
    _at("revoked_at", nullable=True),
)

push_key = sa.Table(
    "push_key",
    metadata,
    sa.Column("source", sa.String(60), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("body_hash", sa.String(64), nullable=False),
    _at("at", index=True),
)

pushed = sa.Table(
    "pushed",
    metadata,
    _id(),
    sa.Column("source", sa.String(60), nullable=False),
    sa.Column("series", sa.String(60), nullable=False),
    sa.Column("arm", sa.String(100), nullable=False),
    sa.Column("start_at", sa.Double, nullable=False),
    sa.Column("end_at", sa.Double, nullable=False),
    sa.Column("sample", sa.Text, nullable=False),
    _at("received_at", index=True),
    sa.Index("ix_pushed_source_series_end_at", "source", "series", "end_at"),
)

pushed_counter = sa.Table(
    "pushed_counter",
    metadata,
    sa.Column("source", sa.String(60), primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("metric", sa.String(200), nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("bounds", sa.Text, nullable=False),
    sa.Column("started", sa.BigInteger, nullable=False),
    sa.Column("point_at", sa.BigInteger, nullable=False),
    sa.Column("last", sa.Text, nullable=False),
    sa.Column("total", sa.Text, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False, index=True),
)

errand = sa.Table(
    "errand",
    metadata,
    sa.Column("rollout_id", sa.ForeignKey("rollout.id"), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    _at("asked_at"),
    _at("answered_at", nullable=True),
)

channel = sa.Table(
    "channel",
    metadata,
    _id(),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret_env", sa.String(200), nullable=False),
    sa.Column("wanted", sa.Text, nullable=False),
    sa.Column("messages", sa.String(10), nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
    _at("created_at"),
    _at("removed_at", nullable=True),
)
sa.Index(
    "uq_channel_name",
    channel.c.name,
    unique=True,
    sqlite_where=channel.c.removed_at.is_(None),
    postgresql_where=channel.c.removed_at.is_(None),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _id(),
    sa.Column("rollout_id", sa.ForeignKey("rollout.id"), nullable=False),
    sa.Column("channel_id", sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("key", sa.String(400), nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("is_unsure", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    _at("created_at"),
    _at("due_at", nullable=True),
    _at("ended_at", nullable=True),
    sa.UniqueConstraint("channel_id", "key"),
)
sa.Index(
    "ix_outbox_open",
    outbox.c.channel_id,
    outbox.c.rollout_id,
    outbox.c.id,
    sqlite_where=outbox.c.due_at.is_not(None),
    postgresql_where=outbox.c.due_at.is_not(None),
)
