"""Checkout: the sessions that sell the plan, and the card that was saved last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what Checkout needs."""
    op.add_column("workspaces", sa.Column("card_setup_intent_id", sa.Text(), nullable=True))
    op.add_column("workspaces", sa.Column("card_saved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "checkout_sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("stripe_session_id", sa.Text(), nullable=True, unique=True),
        sa.Column("stripe_customer_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("interval", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("stripe_price_id", sa.Text(), nullable=False),
        sa.Column("purchase_ids", postgresql.JSONB(), nullable=False),
        sa.Column("success_url", sa.Text(), nullable=False),
        sa.Column("cancel_url", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("request_fingerprint", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
        sa.UniqueConstraint("workspace_id", "idempotency_key", name="checkout_request"),
    )
    op.create_index(
        "checkout_live",
        "checkout_sessions",
        ["workspace_id"],
        unique=True,
        postgresql_where=sa.text("state in ('asking', 'open')"),
    )


def downgrade() -> None:
    """Drop what Checkout needed."""
    op.drop_table("checkout_sessions")
    for column in ("card_setup_intent_id", "card_saved_at"):
        op.drop_column("workspaces", column)
