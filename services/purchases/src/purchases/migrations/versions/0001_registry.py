"""What the ledger stands on: workspaces and add-ons, the message path, commands to Stripe, what staff decided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import message_path

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what facts and requests need before anything is bought."""
    _create_registry()
    message_path.create_outbox()
    message_path.create_inbox_and_parked()
    _create_commands()
    _create_decisions()


def downgrade() -> None:
    """Drop all of it."""
    for table in ("parked_decisions", "stripe_commands", "parked", "inbox", "outbox", "addons", "workspaces"):
        op.drop_table(table)


def _create_registry() -> None:
    """The workspaces, and the copy of the catalog."""
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=128), primary_key=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_user_id", sa.String(length=128), nullable=False),
        sa.Column("owner_email", sa.String(length=320), nullable=False),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True, unique=True),
        sa.Column("customer_asked_at", sa.DateTime(timezone=True), nullable=True),
        message_path.written_at("registered_at"),
        message_path.written_at("updated_at"),
    )
    op.create_table(
        "addons",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False, unique=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("bullets", postgresql.JSONB(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stripe_price_id", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
    )


def _create_commands() -> None:
    """The outbox towards Stripe."""
    op.create_table(
        "stripe_commands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        message_path.written_at("asked_at"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("stripe_commands_due", "stripe_commands", ["due_at"], postgresql_where=sa.text("state = 'open'"))
    op.create_index("stripe_commands_parked", "stripe_commands", ["id"], postgresql_where=sa.text("state = 'parked'"))


def _create_decisions() -> None:
    """What staff decided about parked items."""
    op.create_table(
        "parked_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        message_path.written_at("at"),
    )
    op.create_index("ix_parked_decisions_item", "parked_decisions", ["item"])
