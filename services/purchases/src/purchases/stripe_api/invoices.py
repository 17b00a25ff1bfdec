"""An add-on's charge: draft invoice, its item, finalize, pay; ids are stored before money moves. And previews."""

from dataclasses import dataclass
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, StripeRefused
from purchases.stripe_api.keys import idempotency_key, metadata_of
from purchases.stripe_api.reading import request
from purchases.stripe_api.values import Preview, Sale
from stripe_reader.invoices import read_invoice, read_preview
from stripe_reader.payments import read_intent_and_charge, read_payment_intent

EXPAND: Final = ["payments.data.payment.payment_intent"]
EXPAND_PAID: Final = [*EXPAND, "amount_paid_off_stripe"]
"""What shows of a paid invoice what paid it; what was paid outside of Stripe stands in no event."""


async def amount_due(client: StripeClient, invoice_id: str) -> int:
    """Fetch what is due on the invoice, minor units. Raises OutcomeUnknown or StripeRefused."""
    invoice = await request("look_at_invoice", client.v1.invoices.retrieve_async(invoice_id))
    return invoice.read(read_invoice).amount_due


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of a payment that the bank wanted the customer for."""

    status: str
    action_url: str | None


class Charging:
    """The steps of one purchase's charge, each with its own idempotency key."""

    def __init__(self, client: StripeClient, *, instance: str, sale: Sale) -> None:
        self._client = client
        self._instance = instance
        self._sale = sale
        self._metadata = metadata_of(sale, instance=instance)

    async def draft(self, *, customer_id: str, payment_method_id: str) -> str:
        """Create the draft; a pending item first could be swept into the next renewal after a crash."""
        draft = self._client.v1.invoices.create_async(
            params={
                "customer": customer_id,
                "currency": self._sale.currency.lower(),
                "auto_advance": False,
                "collection_method": "charge_automatically",
                "pending_invoice_items_behavior": "exclude",
                "default_payment_method": payment_method_id,
                "metadata": self._metadata,
            },
            options=self._key("draft"),
        )
        return (await request("draft", draft)).id

    async def add_item(self, *, customer_id: str, invoice_id: str, price_id: str | None) -> None:
        """Bind the one line to the draft, at the add-on's Stripe price, or by its amount where there is none."""
        amount = {"amount": self._sale.price_cents, "currency": self._sale.currency.lower()}
        params: Any = {
            "customer": customer_id,
            "invoice": invoice_id,
            "description": self._sale.addon_name,
            "metadata": self._metadata,
        }
        item = self._client.v1.invoice_items.create_async(
            params=params | ({"pricing": {"price": price_id}} if price_id else amount),
            options=self._key("item" if price_id else "item-by-amount"),
        )
        await request("item", item)

    async def finalize(self, *, invoice_id: str) -> str | None:
        """Finalize; return the payment intent's id, which newer API versions show only when expanded."""
        final = self._client.v1.invoices.finalize_invoice_async(
            invoice_id, params={"auto_advance": False, "expand": EXPAND}, options=self._key("finalize")
        )
        return (await request("finalize", final)).read(read_intent_and_charge)[0]

    async def pay(self, *, invoice_id: str, payment_method_id: str) -> None:
        """Charge the saved card. Raises CardDeclined, CustomerNeeded, StripeRefused or OutcomeUnknown."""
        payment = self._client.v1.invoices.pay_async(
            invoice_id, params={"payment_method": payment_method_id, "expand": EXPAND}, options=self._key("pay")
        )
        await request("pay", payment)

    async def confirm(self, *, intent_id: str, payment_method_id: str, return_url: str) -> Confirmation:
        """Confirm on-session, so that the bank's page brings the buyer back to `return_url`."""
        answer = self._client.v1.payment_intents.confirm_async(
            intent_id,
            params={"payment_method": payment_method_id, "return_url": return_url},
            options=self._key("confirm"),
        )
        intent = (await request("confirm", answer)).read(read_payment_intent)
        return Confirmation(intent.status, intent.action_url)

    def _key(self, step: str) -> Any:
        return {"idempotency_key": idempotency_key(self._instance, self._sale.purchase_id, step)}


async def close_invoice(client: StripeClient, *, invoice_id: str, status: str) -> None:
    """Make sure that the invoice can never be paid: a draft is deleted, any other voided."""
    if status == "draft":
        await request("delete_draft", client.v1.invoices.delete_async(invoice_id))
    else:
        await request("void", client.v1.invoices.void_invoice_async(invoice_id))


NO_INVOICE: Final = "invoice_upcoming_none"
"""Stripe's code where a subscription will make none (https://docs.stripe.com/error-codes)."""


async def next_attempt(client: StripeClient, invoice_id: str) -> Preview | None:
    """Fetch when Stripe tries an open invoice again, and for how much; None where it does not."""
    try:
        answer = await request("look_at_invoice", client.v1.invoices.retrieve_async(invoice_id))
    except ObjectMissing:
        return None
    invoice = answer.read(read_invoice)
    if invoice.status != "open" or invoice.next_payment_attempt_at is None:
        return None
    left = invoice.amount_due if invoice.amount_remaining is None else invoice.amount_remaining
    return Preview(at=invoice.next_payment_attempt_at, amount_cents=left, currency=invoice.currency)


async def preview_next_charge(client: StripeClient, subscription_id: str) -> Preview | None:
    """Fetch when and how much; None where Stripe will make no invoice. Raises OutcomeUnknown or StripeRefused."""
    preview_of = client.v1.invoices.create_preview_async(params={"subscription": subscription_id})
    try:
        preview = (await request("preview_invoice", preview_of)).read(read_preview)
    except StripeRefused as error:
        if error.code == NO_INVOICE:
            return None
        raise
    return Preview(at=preview.charged_at, amount_cents=preview.amount_due, currency=preview.currency)
