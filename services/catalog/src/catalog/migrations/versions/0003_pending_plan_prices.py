"""An edited price of a plan stays on sale: what it was edited to waits for its Stripe price."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what is pending."""
    op.add_column("plan_prices", sa.Column("pending_price_cents", sa.BigInteger(), nullable=True))
    op.create_check_constraint("plan_prices_pending_price_is_positive", "plan_prices", "pending_price_cents > 0")


def downgrade() -> None:
    """Drop what is pending."""
    op.drop_column("plan_prices", "pending_price_cents")
