"""Payments at Stripe that the ledger lacked when it was compared."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "stripe_unrecorded_payments",
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
        sa.Column("purchases", sa.Integer(), nullable=False),
        sa.Column("amount_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("invoiced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("stripe_invoice_id"),
    )


def downgrade() -> None:
    """Drop the table: the next sweep finds again what is still missing."""
    op.drop_table("stripe_unrecorded_payments")
