"""Indexes for deleting what is resolved for long: no batch reads what it does not delete."""

import sqlalchemy as sa
from alembic import op

from chassis.database import message_path

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the indexes."""
    message_path.index_what_is_resolved()
    op.create_index(
        "stripe_commands_to_prune",
        "stripe_commands",
        ["ended_at"],
        postgresql_where=sa.text("state in ('done', 'discarded')"),
    )
    op.create_index("ix_parked_references_fact_id", "parked_references", ["fact_id"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("parked_to_prune", "parked")
    op.drop_index("stripe_commands_to_prune", "stripe_commands")
    op.drop_index("ix_parked_references_fact_id", "parked_references")
