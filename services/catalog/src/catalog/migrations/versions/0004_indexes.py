"""Indexes for what is asked often: no hot query reads a whole table."""

from chassis.database import message_path

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the indexes of what is asked often, whatever the size of the tables."""
    message_path.index_what_is_parked()


def downgrade() -> None:
    """Make the indexes of before."""
    message_path.index_what_is_open()
