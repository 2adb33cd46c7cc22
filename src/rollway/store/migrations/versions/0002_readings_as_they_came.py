"""Readings keep their watermarks, and a reading that was not complete stands beside the one that is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("reading") as reading:
        reading.add_column(sa.Column("candidate_until", sa.Double(), nullable=True))
        reading.add_column(sa.Column("baseline_until", sa.Double(), nullable=True))
        reading.add_column(sa.Column("is_complete", sa.Boolean(), nullable=False, server_default=sa.true()))
        reading.drop_constraint("pk_reading", type_="primary")
        reading.create_primary_key("pk_reading", ["rollout_id", "kpi", "end_at", "seq"])


def downgrade() -> None:
    op.execute("DELETE FROM reading WHERE NOT is_complete")
    with op.batch_alter_table("reading") as reading:
        reading.drop_constraint("pk_reading", type_="primary")
        reading.create_primary_key("pk_reading", ["rollout_id", "kpi", "end_at"])
        reading.drop_column("is_complete")
        reading.drop_column("baseline_until")
        reading.drop_column("candidate_until")
