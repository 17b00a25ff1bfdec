"""Indexes for what is asked often: no hot query reads a whole table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes of what is asked often, whatever the size of the tables."""
    op.drop_index("parked_waits_for", "parked")
    op.drop_index("parked_due", "parked")
    op.create_index("parked_waits_for", "parked", ["waits_for"], postgresql_where=sa.text("waits_for is not null"))
    op.create_index(
        "parked_due",
        "parked",
        ["consumer", "retry_at"],
        postgresql_where=sa.text("resolved_at is null and retry_at is not null"),
    )
    op.create_index("parked_open", "parked", ["consumer", "parked_at"], postgresql_where=sa.text("resolved_at is null"))
    op.create_index(
        "parked_resolved", "parked", ["consumer", "parked_at"], postgresql_where=sa.text("resolved_at is not null")
    )
    op.create_index("mails_waiting", "mails", ["queued_at"], postgresql_where=sa.text("due_at is not null"))
