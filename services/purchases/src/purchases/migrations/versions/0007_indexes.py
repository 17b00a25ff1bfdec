"""Indexes for what is asked often: no hot query reads a whole table."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes of what is asked often, whatever the size of the tables."""
    op.drop_index("parked_waits_for", "parked")
    op.drop_index("parked_due", "parked")
    op.create_index("parked_waits_for", "parked", ["waits_for"], postgresql_where=sa.text("waits_for is not null"))
    op.create_index(
        "parked_due",
        "parked",
        ["consumer", "retry_at"],
        postgresql_where=sa.text("resolved_at is null and retry_at is not null"),
    )
    op.create_index("parked_open", "parked", ["consumer", "parked_at"], postgresql_where=sa.text("resolved_at is null"))
    op.create_index(
        "parked_resolved", "parked", ["consumer", "parked_at"], postgresql_where=sa.text("resolved_at is not null")
    )
    _of_commands()
    op.create_index("purchases_by_status", "workspace_addon_purchases", ["status", "started_at", "id"])
    op.create_index(
        op.f("ix_purchase_parked_payments_stripe_invoice_id"), "purchase_parked_payments", ["stripe_invoice_id"]
    )
    op.create_index("parked_payments_by_time", "purchase_parked_payments", ["parked_at"])


def _of_commands() -> None:
    """Those that are parked: by time for staff's list, and by what they are about."""
    parked = sa.text("state = 'parked'")
    op.create_index("stripe_commands_set_aside", "stripe_commands", ["ended_at"], postgresql_where=parked)
    op.create_index("stripe_commands_parked_about", "stripe_commands", ["subject"], postgresql_where=parked)
    op.create_index(
        "stripe_commands_parked_for",
        "stripe_commands",
        [sa.text("(arguments ->> 'purchase_id')")],
        postgresql_where=parked,
    )
