"""Money of the plan: refunds and disputes of a subscription's charge that belong to no purchase."""

import sqlalchemy as sa
from alembic import op

from chassis.database.kept_rows import never_deleted, taken_back, written_once

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    *never_deleted("workspace_refunds"),
    *written_once("workspace_refunds", ("stripe_refund_id", "workspace_id", "refund_cents", "currency")),
    *never_deleted("workspace_disputes"),
    *written_once("workspace_disputes", ("stripe_dispute_id", "workspace_id", "currency")),
    *never_deleted("subscription_invoices"),
    *written_once("subscription_invoices", ("stripe_invoice_id", "stripe_subscription_id", "workspace_id", "currency")),
)


def upgrade() -> None:
    """Create the tables, whose rows stay."""
    op.create_table(
        "workspace_refunds",
        sa.Column("stripe_refund_id", sa.Text(), primary_key=True),
        *_whose(),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    )
    op.create_index("ix_workspace_refunds_workspace_id", "workspace_refunds", ["workspace_id"])
    op.create_table(
        "workspace_disputes",
        sa.Column("stripe_dispute_id", sa.Text(), primary_key=True),
        *_whose(),
        sa.Column("dispute_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("evidence_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    )
    op.create_index("ix_workspace_disputes_workspace_id", "workspace_disputes", ["workspace_id"])
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables; invoices can be changed again."""
    for statement in taken_back(STATEMENTS):
        op.execute(statement)
    for table in ("workspace_disputes", "workspace_refunds"):
        op.drop_table(table)


def _whose() -> list[sa.Column[str]]:
    return [
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
    ]
