"""Indexes for what is asked often: no hot query reads a whole table."""

import sqlalchemy as sa
from alembic import op

from chassis.database import message_path

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the indexes of what is asked often, whatever the size of the tables."""
    message_path.index_what_is_parked()
    op.create_index("mails_waiting", "mails", ["queued_at"], postgresql_where=sa.text("due_at is not null"))


def downgrade() -> None:
    """Make the indexes of before."""
    op.drop_index("mails_waiting", "mails")
    message_path.index_what_is_open()
