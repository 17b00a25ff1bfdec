"""A budget per workspace and per person for what calls Stripe; declines of all workspaces are counted by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table and the index."""
    op.create_table(
        "stripe_budgets",
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("stripe_budgets_at", "stripe_budgets", ["at"])
    op.create_index(
        "purchases_declined",
        "workspace_addon_purchases",
        ["declined_at"],
        postgresql_where=sa.text("declined_at is not null"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("purchases_declined", "workspace_addon_purchases")
    op.drop_table("stripe_budgets")
