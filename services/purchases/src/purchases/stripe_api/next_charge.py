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
    """Return when Stripe tries an open invoice again, and for how much; None where it does not."""
    try:
        async with phase("look_at_invoice"):
            invoice: Any = await client.v1.invoices.retrieve_async(invoice_id)
    except ObjectMissing:
        return None
    said = read(read_invoice, invoice)
    if said.status != "open" or said.next_payment_attempt_at is None:
        return None
    left = said.amount_due if said.amount_remaining is None else said.amount_remaining
    return Preview(at=said.next_payment_attempt_at, amount_cents=left, currency=said.currency)


async def preview_next_charge(client: StripeClient, subscription_id: str) -> Preview | None:
    """Return when and how much; None where Stripe will make no invoice. Raises as Stripe does."""
    try:
        async with phase("preview_invoice"):
            invoice: Any = await client.v1.invoices.create_preview_async(params={"subscription": subscription_id})
    except StripeRefused as error:
        if error.code == NO_INVOICE:
            return None
        raise
    said = read(read_preview, invoice)
    return Preview(at=said.charged_at, amount_cents=said.amount_due, currency=said.currency)
