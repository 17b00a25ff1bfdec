"""A parked mail can be ended, and who decided what about what was parked is kept."""

import sqlalchemy as sa
from alembic import op

from chassis.database import message_path
from chassis.database.kept_rows import never_changed

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the mail's fourth state, and the table of decisions."""
    op.add_column("mails", sa.Column("ended_at", sa.DateTime(timezone=True)))
    op.drop_constraint("mails_have_one_state", "mails")
    op.create_check_constraint(
        "mails_have_one_state", "mails", "num_nonnulls(due_at, sent_at, parked_at, ended_at) = 1"
    )
    op.create_index(
        "mails_ended_to_forget",
        "mails",
        ["ended_at"],
        postgresql_where=sa.text("ended_at is not null and fact is not null"),
    )
    op.create_table(
        "parked_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        message_path.written_at("at"),
    )
    op.create_index("parked_decisions_item", "parked_decisions", ["item", "id"])
    for statement in never_changed("parked_decisions"):
        op.execute(statement)


def downgrade() -> None:
    """Forget who decided; a mail that was ended is parked again."""
    op.drop_table("parked_decisions")
    op.drop_index("mails_ended_to_forget", "mails")
    op.drop_constraint("mails_have_one_state", "mails")
    op.execute("update mails set parked_at = ended_at where ended_at is not null")
    op.drop_column("mails", "ended_at")
    op.create_check_constraint("mails_have_one_state", "mails", "num_nonnulls(due_at, sent_at, parked_at) = 1")
