"""The mails, the inbox and the parked facts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import message_path

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the three tables."""
    _create_mails()
    message_path.create_inbox_and_parked()


def downgrade() -> None:
    """Drop the three tables."""
    for table in ("parked", "inbox", "mails"):
        op.drop_table(table)


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("fact_type", sa.Text(), nullable=False),
        sa.Column("fact", postgresql.JSONB()),
        message_path.written_at("queued_at"),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text()),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("parked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("num_nonnulls(due_at, sent_at, parked_at) = 1", name="mails_have_one_state"),
    )
    op.create_index("mails_due", "mails", ["due_at"], postgresql_where=sa.text("due_at is not null"))
    op.create_index("mails_parked", "mails", ["parked_at"], postgresql_where=sa.text("parked_at is not null"))
    op.create_index(
        "mails_to_forget", "mails", ["sent_at"], postgresql_where=sa.text("sent_at is not null and fact is not null")
    )
