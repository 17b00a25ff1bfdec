"""A payment has a list of charges: what was one intent and one charge of it moves to a table of their own."""

import sqlalchemy as sa
from alembic import op

from chassis.database.kept_rows import never_deleted, taken_back, written_once

revision = "0014"
down_revision = "0013"

MOVE = """
    insert into purchase_charges (purchase_id, stripe_invoice_id, number, stripe_payment_intent_id, stripe_charge_id,
        amount_cents, amount_told, refunded_cents)
    select payment.purchase_id, payment.stripe_invoice_id, 1, stripe_payment_intent_id, stripe_charge_id,
        greatest(invoice_paid_cents, coalesce(gone.cents, 0)), false, coalesce(gone.cents, 0)
    from purchase_payments payment
    left join (
        select stripe_invoice_id, sum(refund_cents) as cents from purchase_refunds
        where kind in ('refund', 'return') and status in ('pending', 'requires_action', 'succeeded')
        group by stripe_invoice_id
    ) gone using (stripe_invoice_id)
    where stripe_payment_intent_id is not null or stripe_charge_id is not null
"""
MOVE_BACK = """
    update purchase_payments payment
    set stripe_payment_intent_id = charge.stripe_payment_intent_id, stripe_charge_id = charge.stripe_charge_id
    from purchase_charges charge
    where charge.purchase_id = payment.purchase_id and charge.stripe_invoice_id = payment.stripe_invoice_id
        and charge.number = 1
"""
STAND_IN = "position(':' in old.stripe_refund_id) > 0"
ASKED = "old.stripe_refund_id is null and old.status = 'requested'"
"""Nothing was made of it so far; of several charges each gives back its own."""
KEPT = (
    "drop trigger purchase_refunds_keeps_refund_cents on purchase_refunds",
    *written_once(
        "purchase_refunds", ("refund_cents",), unless=f"({STAND_IN} or {ASKED}) and new.refund_cents < old.refund_cents"
    ),
    *never_deleted("purchase_charges"),
    *written_once("purchase_charges", ("purchase_id", "stripe_invoice_id", "number")),
)
KEPT_BEFORE = written_once(
    "purchase_refunds", ("refund_cents",), unless=f"{STAND_IN} and new.refund_cents < old.refund_cents"
)


def upgrade() -> None:
    """Rows first, then the columns that held them."""
    op.create_table(
        "purchase_charges",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_invoice_id", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.Text(), nullable=True),
        sa.Column("stripe_charge_id", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("amount_told", sa.Boolean(), nullable=False),
        sa.Column("refunded_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("refunded_cents between 0 and amount_cents", name="refunds_within_charge"),
        sa.ForeignKeyConstraint(
            ["purchase_id", "stripe_invoice_id"],
            ["purchase_payments.purchase_id", "purchase_payments.stripe_invoice_id"],
        ),
        sa.PrimaryKeyConstraint("purchase_id", "stripe_invoice_id", "number"),
    )
    for column in ("stripe_payment_intent_id", "stripe_charge_id"):
        op.create_index(f"ix_purchase_charges_{column}", "purchase_charges", [column])
    op.add_column("purchase_refunds", sa.Column("charge_number", sa.SmallInteger(), nullable=True))
    op.execute(MOVE)
    for statement in KEPT:
        op.execute(statement)
    op.drop_column("purchase_payments", "stripe_payment_intent_id")
    op.drop_column("purchase_payments", "stripe_charge_id")


def downgrade() -> None:
    """Columns first, then the rows that held what they hold: of several charges only the first is kept."""
    for column in ("stripe_payment_intent_id", "stripe_charge_id"):
        op.add_column("purchase_payments", sa.Column(column, sa.Text(), nullable=True))
        op.create_index(f"ix_purchase_payments_{column}", "purchase_payments", [column])
    op.execute(MOVE_BACK)
    for statement in (*taken_back(KEPT), *KEPT_BEFORE):
        op.execute(statement)
    op.drop_column("purchase_refunds", "charge_number")
    op.drop_table("purchase_charges")
