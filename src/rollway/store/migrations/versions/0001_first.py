"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "flag",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=140), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_flag")),
    )
    op.create_table(
        "release",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("name", "version", "facts_hash", name=op.f("uq_release_name_version_facts_hash")),
    )
    op.create_table(
        "plan",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_plan_release_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_name"), "plan", ["name"], unique=False)
    op.create_index(op.f("ix_plan_release_id"), "plan", ["release_id"], unique=False)
    op.create_table(
        "approval",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_hash"], ["plan.hash"], name=op.f("fk_approval_plan_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_plan_hash"), "approval", ["plan_hash"], unique=False)
    op.create_table(
        "rollout",
        sa.Column("id", sa.String(length=140), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("cursors", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=True),
        sa.Column("target_problem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_hash"], ["plan.hash"], name=op.f("fk_rollout_plan_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout")),
        sa.UniqueConstraint("target", name=op.f("uq_rollout_target")),
    )
    op.create_index(op.f("ix_rollout_next_at"), "rollout", ["next_at"], unique=False)
    op.create_index(op.f("ix_rollout_plan_hash"), "rollout", ["plan_hash"], unique=False)
    op.create_table(
        "command",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_in", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_command_rollout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index(op.f("ix_command_heard_in"), "command", ["heard_in"], unique=False)
    op.create_index(op.f("ix_command_rollout_id"), "command", ["rollout_id"], unique=False)
    op.create_table(
        "reading",
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("kpi", sa.String(length=60), nullable=False),
        sa.Column("end_at", sa.Double(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("start_at", sa.Double(), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("candidate", sa.Text(), nullable=True),
        sa.Column("baseline", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_reading_rollout_id")),
        sa.PrimaryKeyConstraint("rollout_id", "kpi", "end_at", name=op.f("pk_reading")),
    )
    op.create_table(
        "record",
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_record_rollout_id")),
        sa.PrimaryKeyConstraint("rollout_id", "n", name=op.f("pk_record")),
    )
    op.create_table(
        "verdict",
        sa.Column("rollout_id", sa.String(length=140), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name=op.f("fk_verdict_rollout_id")),
        sa.PrimaryKeyConstraint("rollout_id", "seq", name=op.f("pk_verdict")),
    )


def downgrade() -> None:
    op.drop_table("verdict")
    op.drop_table("record")
    op.drop_table("reading")
    op.drop_index(op.f("ix_command_rollout_id"), table_name="command")
    op.drop_index(op.f("ix_command_heard_in"), table_name="command")
    op.drop_table("command")
    op.drop_index(op.f("ix_rollout_plan_hash"), table_name="rollout")
    op.drop_index(op.f("ix_rollout_next_at"), table_name="rollout")
    op.drop_table("rollout")
    op.drop_index(op.f("ix_approval_plan_hash"), table_name="approval")
    op.drop_table("approval")
    op.drop_index(op.f("ix_plan_release_id"), table_name="plan")
    op.drop_index(op.f("ix_plan_name"), table_name="plan")
    op.drop_table("plan")
    op.drop_table("release")
    op.drop_table("flag")
