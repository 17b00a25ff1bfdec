"""What a customer's credit balance paid, and what was paid outside of Stripe; where nobody knows, Stripe is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ASK = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)
    select 'look_at_payment', 'look_at_payment:' || payment.stripe_invoice_id, payment.stripe_invoice_id,
        jsonb_build_object('purchase_ids', jsonb_agg(payment.purchase_id), 'amount_paid',
            max(payment.invoice_paid_cents), 'currency', max(payment.currency)),
        'open', 1, now() + interval '15 minutes', 0
    from purchase_payments payment join workspace_addon_purchases purchase on purchase.id = payment.purchase_id
    where not payment.shared and payment.paid_cents > payment.invoice_paid_cents and not payment.returned
        and purchase.status <> 'refunded'
    group by payment.stripe_invoice_id
    on conflict (key) do nothing
"""
"""Later, so that the workers of the version before, which do not know the command, are gone."""


def upgrade() -> None:
    """Add the columns; have Stripe asked about what charges did not pay."""
    for column in ("credit_cents", "off_stripe_cents"):
        op.add_column(
            "purchase_payments", sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
    op.execute(ASK)


def downgrade() -> None:
    """Drop the columns; what Stripe was asked is harmless."""
    for column in ("credit_cents", "off_stripe_cents"):
        op.drop_column("purchase_payments", column)
