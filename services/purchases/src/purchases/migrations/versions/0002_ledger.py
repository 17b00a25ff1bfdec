"""The ledger: purchases, their history and their money."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the ledger's tables."""
    _create_purchases()
    _create_history()
    _create_money()


def downgrade() -> None:
    """Drop the ledger's tables."""
    for table in ("disputes", "refunds", "parked_payments", "payments", "transitions"):
        op.drop_table(f"purchase_{table}")
    op.drop_table("workspace_addon_purchases")


def _create_purchases() -> None:
    """The ledger's rows."""
    op.create_table(
        "workspace_addon_purchases",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("workspace_id", sa.String(length=128), nullable=False),
        sa.Column("plan_addon_id", sa.Uuid(), nullable=False),
        sa.Column("addon_slug", sa.String(length=64), nullable=False),
        sa.Column("addon_name", sa.String(length=120), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("payable", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("request_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("bought_by", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=True),
        sa.Column("stripe_payment_intent_id", sa.Text(), nullable=True),
        sa.Column("stripe_charge_id", sa.Text(), nullable=True),
        sa.Column("stripe_price_id", sa.Text(), nullable=True),
        sa.Column("stripe_checkout_session_id", sa.Text(), nullable=True),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=True),
        sa.Column("action_url", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_cents", sa.BigInteger(), nullable=True),
        sa.Column("refunded_from", sa.String(length=16), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price_cents > 0", name="price_positive"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
        sa.UniqueConstraint("workspace_id", "idempotency_key", name="purchase_request"),
    )
    for column in (
        "stripe_invoice_id",
        "stripe_charge_id",
        "stripe_price_id",
        "stripe_checkout_session_id",
        "stripe_payment_intent_id",
        "stripe_subscription_id",
        "stripe_customer_id",
    ):
        op.create_index(f"ix_workspace_addon_purchases_{column}", "workspace_addon_purchases", [column])
    op.create_index(
        "purchase_slot",
        "workspace_addon_purchases",
        ["workspace_id", "plan_addon_id"],
        unique=True,
        postgresql_where=sa.text("payable or status in ('pending', 'paid', 'delivered')"),
    )
    op.create_index("purchases_of_workspace", "workspace_addon_purchases", ["workspace_id", "started_at", "id"])
    op.create_index("purchases_by_start", "workspace_addon_purchases", ["started_at", "id"])


def _create_history() -> None:
    """What happened to them."""
    op.create_table(
        "purchase_transitions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=False),
        sa.Column("trigger", sa.String(length=64), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("stripe_event_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["purchase_id"], ["workspace_addon_purchases.id"]),
    )
    for column in ("purchase_id", "stripe_event_id"):
        op.create_index(f"ix_purchase_transitions_{column}", "purchase_transitions", [column])


def _create_money() -> None:
    """Their money: payments, those that fit no purchase, refunds, disputes."""
    op.create_table(
        "purchase_payments",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.Text(), nullable=True),
        sa.Column("stripe_charge_id", sa.Text(), nullable=True),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("invoice_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("charge_refunded_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["purchase_id"], ["workspace_addon_purchases.id"]),
        sa.PrimaryKeyConstraint("purchase_id", "stripe_invoice_id"),
    )
    for column in ("stripe_invoice_id", "stripe_charge_id", "stripe_payment_intent_id"):
        op.create_index(f"ix_purchase_payments_{column}", "purchase_payments", [column])
    op.create_table(
        "purchase_parked_payments",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
        sa.Column("amount_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["purchase_id"], ["workspace_addon_purchases.id"]),
        sa.PrimaryKeyConstraint("purchase_id", "stripe_invoice_id"),
    )
    op.create_table(
        "purchase_refunds",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_refund_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("request_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["purchase_id"], ["workspace_addon_purchases.id"]),
        sa.UniqueConstraint("purchase_id", "stripe_refund_id", name="refund_of_purchase"),
        sa.UniqueConstraint("purchase_id", "idempotency_key", name="refund_request"),
    )
    for column in ("purchase_id", "stripe_refund_id"):
        op.create_index(f"ix_purchase_refunds_{column}", "purchase_refunds", [column])
    op.create_table(
        "purchase_disputes",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_dispute_id", sa.Text(), nullable=False),
        sa.Column("dispute_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["purchase_id"], ["workspace_addon_purchases.id"]),
        sa.PrimaryKeyConstraint("purchase_id", "stripe_dispute_id"),
    )
    op.create_index("ix_purchase_disputes_stripe_dispute_id", "purchase_disputes", ["stripe_dispute_id"])
