"""Indexes for deleting what is resolved for long: no batch reads what it does not delete."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index(
        "parked_to_prune", "parked", ["consumer", "resolved_at"], postgresql_where=sa.text("resolved_at is not null")
    )
    op.create_index(
        "stripe_commands_to_prune",
        "stripe_commands",
        ["ended_at"],
        postgresql_where=sa.text("state in ('done', 'discarded')"),
    )
    op.create_index(op.f("ix_parked_references_fact_id"), "parked_references", ["fact_id"])
