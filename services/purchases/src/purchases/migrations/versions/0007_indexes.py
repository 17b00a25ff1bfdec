"""Indexes for what is asked often: no hot query reads a whole table."""

import sqlalchemy as sa
from alembic import op

from chassis.database import message_path

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the indexes of what is asked often, whatever the size of the tables."""
    message_path.index_what_is_parked()
    _of_commands()
    op.create_index("purchases_by_status", "workspace_addon_purchases", ["status", "started_at", "id"])
    op.create_index("ix_purchase_parked_payments_stripe_invoice_id", "purchase_parked_payments", ["stripe_invoice_id"])
    op.create_index("parked_payments_by_time", "purchase_parked_payments", ["parked_at"])


def downgrade() -> None:
    """Make the indexes of before."""
    message_path.index_what_is_open()
    for index in ("stripe_commands_set_aside", "stripe_commands_parked_about", "stripe_commands_parked_for"):
        op.drop_index(index, "stripe_commands")
    op.drop_index("purchases_by_status", "workspace_addon_purchases")
    for index in ("ix_purchase_parked_payments_stripe_invoice_id", "parked_payments_by_time"):
        op.drop_index(index, "purchase_parked_payments")


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
