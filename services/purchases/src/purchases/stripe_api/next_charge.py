"""Stripe's preview of a subscription's next invoice: what will be charged, as things stand."""

from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, StripeRefused, phase
from purchases.stripe_api.reading import read
from purchases.stripe_api.values import Preview
from stripe_reader.invoices import read_invoice, read_preview

NO_INVOICE: Final = "invoice_upcoming_none"
"""Stripe's code where a subscription will make none (https://docs.stripe.com/error-codes)."""


async def next_attempt(client: StripeClient, invoice_id: str) -> Preview | None:
    """Fetch when Stripe tries an open invoice again, and for how much; None where it does not."""
    try:
        async with phase("look_at_invoice"):
            answer: Any = await client.v1.invoices.retrieve_async(invoice_id)
    except ObjectMissing:
        return None
    invoice = read(read_invoice, answer)
    if invoice.status != "open" or invoice.next_payment_attempt_at is None:
        return None
    left = invoice.amount_due if invoice.amount_remaining is None else invoice.amount_remaining
    return Preview(at=invoice.next_payment_attempt_at, amount_cents=left, currency=invoice.currency)


async def preview_next_charge(client: StripeClient, subscription_id: str) -> Preview | None:
    """Fetch when and how much; None where Stripe will make no invoice. Raises OutcomeUnknown or StripeRefused."""
    try:
        async with phase("preview_invoice"):
            invoice: Any = await client.v1.invoices.create_preview_async(params={"subscription": subscription_id})
    except StripeRefused as error:
        if error.code == NO_INVOICE:
            return None
        raise
    preview = read(read_preview, invoice)
    return Preview(at=preview.charged_at, amount_cents=preview.amount_due, currency=preview.currency)
