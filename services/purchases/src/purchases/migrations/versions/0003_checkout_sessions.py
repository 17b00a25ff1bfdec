"""Checkout: the card that was saved last."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what Checkout needs."""
    op.add_column("workspaces", sa.Column("card_setup_intent_id", sa.Text(), nullable=True))
    op.add_column("workspaces", sa.Column("card_saved_at", sa.DateTime(timezone=True), nullable=True))
