"""Stripe's preview of a subscription's next invoice: what will be charged, as things stand."""

from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, StripeRefused, phase
from purchases.stripe_api.reading import Json, read
from purchases.stripe_api.values import Preview
from stripe_reader.invoices import read_invoice
from stripe_reader.stripe_json import currency_of, integer, optional_time, utc_time

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
    return read(_read_preview, invoice)


def _read_preview(invoice: Json) -> Preview:
    """A preview has no id, so that it is no invoice to `read_invoice`."""
    at = optional_time(invoice, "next_payment_attempt") or utc_time(integer(invoice, "period_end"))
    return Preview(at=at, amount_cents=integer(invoice, "amount_due"), currency=currency_of(invoice))
