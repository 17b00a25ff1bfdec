"""The history, what was sold, and the money stay as they were written, whoever connects as the service."""

from alembic import op

from chassis.database.kept_rows import FUNCTION, never_changed, never_deleted, taken_back, written_once

revision = "0008"
down_revision = "0007"

SOLD = (
    "id",
    "workspace_id",
    "plan_addon_id",
    "addon_slug",
    "addon_name",
    "price_cents",
    "currency",
    "idempotency_key",
    "bought_by",
    "started_at",
)
STAND_IN = "position(':' in old.stripe_refund_id) > 0"
"""A sum of the charge, until Stripe tells of the refunds that it is made of: these take its place, and from it."""
STATEMENTS = (
    FUNCTION,
    *never_changed("purchase_transitions"),
    *never_changed("parked_decisions"),
    *never_deleted("workspace_addon_purchases"),
    *written_once("workspace_addon_purchases", SOLD),
    *never_deleted("purchase_payments"),
    *written_once("purchase_payments", ("purchase_id", "stripe_invoice_id", "paid_cents", "currency", "recorded_at")),
    *never_deleted("purchase_refunds"),
    *written_once("purchase_refunds", ("id", "purchase_id", "kind", "currency", "stripe_invoice_id", "recorded_at")),
    *written_once("purchase_refunds", ("refund_cents",), unless=f"{STAND_IN} and new.refund_cents < old.refund_cents"),
    *written_once("purchase_refunds", ("stripe_refund_id",), unless=f"old.stripe_refund_id is null or {STAND_IN}"),
    *never_deleted("purchase_disputes"),
    *written_once("purchase_disputes", ("purchase_id", "stripe_dispute_id", "currency", "stripe_invoice_id")),
    *never_deleted("purchase_parked_payments"),
    *written_once("purchase_parked_payments", ("purchase_id", "stripe_invoice_id", "amount_paid_cents", "currency")),
)


def upgrade() -> None:
    """Add the triggers."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers."""
    for statement in taken_back(STATEMENTS):
        op.execute(statement)
