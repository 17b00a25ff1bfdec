"""Indexes for deleting what is resolved for long: no batch reads what it does not delete."""

from alembic import op

from chassis.database import message_path

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the indexes."""
    message_path.index_what_is_resolved()


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("parked_to_prune", "parked")
