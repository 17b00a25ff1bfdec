"""Bank debits: who is awaited for a purchase, and how a complete Checkout is paid."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both columns, empty."""
    op.add_column("workspace_addon_purchases", sa.Column("waiting_for", sa.String(16), nullable=True))
    op.add_column("checkout_sessions", sa.Column("payment_status", sa.String(32), nullable=True))


def downgrade() -> None:
    """Drop both columns."""
    op.drop_column("workspace_addon_purchases", "waiting_for")
    op.drop_column("checkout_sessions", "payment_status")
