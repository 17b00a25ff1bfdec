"""The plan: copies of the catalog's plans, subscriptions with their invoices, claimed resources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import message_path

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the plan's tables, and what a workspace needs to have one."""
    op.add_column("workspaces", sa.Column("plan", sa.String(64), server_default="free", nullable=False))
    op.add_column("workspaces", sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _create_plans()
    _create_subscriptions()
    _create_subscription_invoices()
    _create_resources()


def downgrade() -> None:
    """Drop the plan's tables, and what a workspace had of one."""
    for table in ("workspace_resources", "subscription_invoices", "subscriptions", "plans"):
        op.drop_table(table)
    for column in ("plan", "sequence"):
        op.drop_column("workspaces", column)


def _create_plans() -> None:
    """What is on offer."""
    op.create_table(
        "plans",
        sa.Column("slug", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("caps", postgresql.JSONB(), nullable=False),
        sa.Column("prices", postgresql.JSONB(), nullable=False),
        sa.Column("stripe_product_id", sa.Text(), nullable=True),
    )


def _create_subscriptions() -> None:
    """Who subscribed."""
    op.create_table(
        "subscriptions",
        sa.Column("stripe_subscription_id", sa.Text(), primary_key=True),
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("is_extra", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("returned_cents", sa.BigInteger(), nullable=True),
        sa.Column("stripe_price_id", sa.Text(), nullable=True),
        sa.Column("interval", sa.String(16), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_invoice_id", sa.Text(), nullable=True),
        sa.Column("default_payment_method_id", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        message_path.written_at("recorded_at"),
        message_path.written_at("updated_at"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    )
    op.create_index("ix_subscriptions_workspace_id", "subscriptions", ["workspace_id"])


def _create_subscription_invoices() -> None:
    """What they were charged."""
    op.create_table(
        "subscription_invoices",
        sa.Column("stripe_invoice_id", sa.Text(), primary_key=True),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("billing_reason", sa.String(64), nullable=True),
        sa.Column("amount_due_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.Text(), nullable=True),
        sa.Column("stripe_charge_id", sa.Text(), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        message_path.written_at("recorded_at"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    )
    for column in ("stripe_subscription_id", "workspace_id", "stripe_payment_intent_id", "stripe_charge_id"):
        op.create_index(f"ix_subscription_invoices_{column}", "subscription_invoices", [column])


def _create_resources() -> None:
    """What they claimed."""
    op.create_table(
        "workspace_resources",
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(255), nullable=False),
        sa.Column("imported", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        message_path.written_at("claimed_at"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
        sa.PrimaryKeyConstraint("workspace_id", "resource", "resource_id"),
    )
