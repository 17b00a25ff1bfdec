"""A plan's invoice has a list of charges; of a refund or dispute the plan has a share."""

import sqlalchemy as sa
from alembic import op

from chassis.database.kept_rows import never_deleted, taken_back, written_once

revision = "0016"
down_revision = "0015"

MOVE = """
    insert into subscription_charges (stripe_invoice_id, paid_with, stripe_charge_id)
    select stripe_invoice_id, coalesce(stripe_payment_intent_id, stripe_charge_id), stripe_charge_id
    from subscription_invoices where coalesce(stripe_payment_intent_id, stripe_charge_id) is not null
"""
MOVE_BACK = """
    update subscription_invoices invoice
    set stripe_payment_intent_id = case when left(charge.paid_with, 3) = 'pi_' then charge.paid_with end,
        stripe_charge_id = charge.stripe_charge_id
    from (
        select distinct on (stripe_invoice_id) * from subscription_charges order by stripe_invoice_id, paid_with
    ) charge
    where charge.stripe_invoice_id = invoice.stripe_invoice_id
"""
TABLES = (("workspace_refunds", "refund", "recorded_at"), ("workspace_disputes", "dispute", "opened_at"))
KEPT = (
    "drop trigger workspace_refunds_keeps_stripe_refund_id on workspace_refunds",
    *written_once("workspace_refunds", ("stripe_refund_id", "workspace_id", "whole_cents", "currency")),
    *never_deleted("subscription_charges"),
    *written_once("subscription_charges", ("stripe_invoice_id", "paid_with")),
)
KEPT_BEFORE = written_once("workspace_refunds", ("stripe_refund_id", "workspace_id", "refund_cents", "currency"))


def upgrade() -> None:
    """Rows first, then the columns that held them; what went back so far was the plan's as a whole."""
    op.create_table(
        "subscription_charges",
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
        sa.Column("paid_with", sa.Text(), nullable=False),
        sa.Column("stripe_charge_id", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stripe_invoice_id"], ["subscription_invoices.stripe_invoice_id"]),
        sa.PrimaryKeyConstraint("stripe_invoice_id", "paid_with"),
    )
    for column in ("paid_with", "stripe_charge_id"):
        op.create_index(f"ix_subscription_charges_{column}", "subscription_charges", [column])
    op.execute(MOVE)
    for column in ("stripe_payment_intent_id", "stripe_charge_id"):
        op.drop_column("subscription_invoices", column)
    for table, share, moment in TABLES:
        op.add_column(table, sa.Column("whole_cents", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
        op.execute(f"update {table} set whole_cents = {share}_cents")  # noqa: S608 - this module's own names
        op.alter_column(table, "whole_cents", nullable=False)
        op.create_index(f"{table}_by_time", table, [moment, f"stripe_{share}_id"])
        op.create_index(f"{table}_of_workspace", table, ["workspace_id", moment, f"stripe_{share}_id"])
        op.create_index(f"ix_{table}_stripe_invoice_id", table, ["stripe_invoice_id"])
        op.drop_index(f"ix_{table}_workspace_id", table_name=table)
    op.create_check_constraint("share_within_refund", "workspace_refunds", "refund_cents between 0 and whole_cents")
    for statement in KEPT:
        op.execute(statement)


def downgrade() -> None:
    """Columns first, then the rows that held what they hold: of several charges only one is kept."""
    for statement in (*taken_back(KEPT), *KEPT_BEFORE):
        op.execute(statement)
    op.drop_constraint("share_within_refund", "workspace_refunds")
    for table, *_ in TABLES:
        op.create_index(f"ix_{table}_workspace_id", table, ["workspace_id"])
        for index in (f"{table}_by_time", f"{table}_of_workspace", f"ix_{table}_stripe_invoice_id"):
            op.drop_index(index, table)
        for column in ("whole_cents", "corrected_at"):
            op.drop_column(table, column)
    for column in ("stripe_payment_intent_id", "stripe_charge_id"):
        op.add_column("subscription_invoices", sa.Column(column, sa.Text(), nullable=True))
        op.create_index(f"ix_subscription_invoices_{column}", "subscription_invoices", [column])
    op.execute(MOVE_BACK)
    op.drop_table("subscription_charges")
