"""The mails, the inbox and the parked facts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Create the three tables."""
    _create_mails()
    _create_inbox()
    _create_parked()


def _moment(name: str, *, default: sa.TextClause | None = None, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("fact_type", sa.Text(), nullable=False),
        sa.Column("fact", postgresql.JSONB()),
        _moment("queued_at", default=NOW, nullable=False),
        _moment("due_at", default=NOW),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text()),
        _moment("sent_at"),
        _moment("parked_at"),
        sa.CheckConstraint("num_nonnulls(due_at, sent_at, parked_at) = 1", name="mails_have_one_state"),
    )
    op.create_index("mails_due", "mails", ["due_at"], postgresql_where=sa.text("due_at is not null"))
    op.create_index("mails_parked", "mails", ["parked_at"], postgresql_where=sa.text("parked_at is not null"))
    op.create_index(
        "mails_to_forget", "mails", ["sent_at"], postgresql_where=sa.text("sent_at is not null and fact is not null")
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text(), primary_key=True),
        sa.Column("fact_id", sa.Uuid(), primary_key=True),
        _moment("received_at", default=NOW, nullable=False),
    )
    op.create_index("inbox_received_at", "inbox", ["received_at"])


def _create_parked() -> None:
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.Uuid()),
        sa.Column("type", sa.Text()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary()),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("value", sa.LargeBinary()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        _moment("parked_at", default=NOW, nullable=False),
        _moment("retry_at"),
        _moment("resolved_at"),
        sa.Column("resolution", sa.Text()),
        sa.UniqueConstraint("consumer", "topic", "partition", "offset", name="parked_record"),
    )
    op.create_index("parked_fact", "parked", ["consumer", "fact_id"], unique=True)
    op.create_index("parked_waits_for", "parked", ["waits_for"], postgresql_where=sa.text("resolved_at is null"))
    op.create_index(
        "parked_due",
        "parked",
        ["retry_at"],
        postgresql_where=sa.text("resolved_at is null and retry_at is not null"),
    )
