"""What people are asked to do, what they say of it, and the messages that go out."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "command", sa.Column("subject", sa.String(length=200), nullable=False, server_default=sa.text("''"))
    )
    op.create_table(
        "errand",
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_errand_rollout_id_rollout")),
        sa.PrimaryKeyConstraint("rollout_id", "key", name=op.f("pk_errand")),
    )
    _make_channel()
    _make_outbox()


def _make_channel() -> None:
    op.create_table(
        "channel",
        _number(),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret_env", sa.String(length=200), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("messages", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
    )
    stands = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_channel_name", "channel", ["name"], unique=True, sqlite_where=stands, postgresql_where=stands
    )


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        _number(),
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("is_unsure", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_outbox_rollout_id_rollout")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_outbox_channel_id_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("channel_id", "key", name=op.f("uq_outbox_channel_id_key")),
    )
    is_open = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["channel_id", "rollout_id", "id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _number() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", number, autoincrement=True, nullable=False)


def downgrade() -> None:
    for table in ("outbox", "channel", "errand"):
        op.drop_table(table)
    with op.batch_alter_table("command") as command:
        command.drop_column("subject")
