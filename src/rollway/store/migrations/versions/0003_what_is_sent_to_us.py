"""What senders push to Rollway itself: their tokens, their rows and their counters."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _make_token()
    _make_rows()
    op.create_table(
        "pushed_counter",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("bounds", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("point_at", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.Text(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_pushed_counter")),
    )
    op.create_index(op.f("ix_pushed_counter_seen_at"), "pushed_counter", ["seen_at"])


def _make_token() -> None:
    op.create_table(
        "push_token",
        _number(),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_push_token_hash")),
    )
    op.create_index(op.f("ix_push_token_source"), "push_token", ["source"])


def _make_rows() -> None:
    op.create_table(
        "push_key",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_push_key")),
    )
    op.create_index(op.f("ix_push_key_at"), "push_key", ["at"])
    op.create_table(
        "pushed",
        _number(),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("series", sa.String(length=60), nullable=False),
        sa.Column("arm", sa.String(length=100), nullable=False),
        sa.Column("start_at", sa.Double(), nullable=False),
        sa.Column("end_at", sa.Double(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushed")),
    )
    op.create_index(op.f("ix_pushed_received_at"), "pushed", ["received_at"])
    op.create_index("ix_pushed_source_series_end_at", "pushed", ["source", "series", "end_at"])


def _number() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", number, autoincrement=True, nullable=False)


def downgrade() -> None:
    for table in ("pushed_counter", "pushed", "push_key", "push_token"):
        op.drop_table(table)
