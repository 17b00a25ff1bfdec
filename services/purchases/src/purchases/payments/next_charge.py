"""Stripe's preview of a subscription's next invoice: what will be charged, as things stand."""

from datetime import UTC, datetime
from typing import Any, Final

from stripe import StripeClient

from purchases.domain.stripe_values import Preview
from purchases.payments.client import ObjectMissing, StripeRefused, phase

NO_INVOICE: Final = "invoice_upcoming_none"
"""Stripe's code where a subscription will make none (https://docs.stripe.com/error-codes)."""


async def next_attempt(client: StripeClient, invoice_id: str) -> Preview | None:
    """Return when Stripe tries an open invoice again, and for how much; None where it does not."""
    try:
        async with phase("look_at_invoice"):
            invoice: Any = await client.v1.invoices.retrieve_async(invoice_id)
    except ObjectMissing:
        return None
    at = invoice.next_payment_attempt if invoice.status == "open" else None
    if at is None:
        return None
    return Preview(
        at=datetime.fromtimestamp(at, UTC), amount_cents=invoice.amount_remaining, currency=invoice.currency.upper()
    )


async def preview_next_charge(client: StripeClient, subscription_id: str) -> Preview | None:
    """Return when and how much; None where Stripe will make no invoice. Raises as Stripe does.

    Source: https://docs.stripe.com/api/invoices/create_preview. `next_payment_attempt` is empty where the invoice is
    sent to the customer: then it is made as the period ends.
    """
    try:
        async with phase("preview_invoice"):
            invoice: Any = await client.v1.invoices.create_preview_async(params={"subscription": subscription_id})
    except StripeRefused as error:
        if error.code == NO_INVOICE:
            return None
        raise
    at = invoice.next_payment_attempt or invoice.period_end
    return Preview(
        at=datetime.fromtimestamp(at, UTC), amount_cents=invoice.amount_due, currency=invoice.currency.upper()
    )
