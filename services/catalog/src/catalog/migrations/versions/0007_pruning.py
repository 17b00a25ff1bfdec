"""Indexes for deleting what is resolved for long: no batch reads what it does not delete."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index(
        "parked_to_prune", "parked", ["consumer", "resolved_at"], postgresql_where=sa.text("resolved_at is not null")
    )
