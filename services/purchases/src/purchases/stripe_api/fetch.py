"""What Stripe says of a purchase now: by the invoice's id, or by listing and metadata when the id was never stored."""

from collections.abc import Sequence
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, first_with_metadata, phase
from purchases.stripe_api.invoices import EXPAND_PAID
from purchases.stripe_api.paid_invoices import paid_invoice
from purchases.stripe_api.reading import Json, has_more, json_of, read, read_json
from purchases.stripe_api.since import created_since
from purchases.stripe_api.values import Finding, InvoiceState, Sale
from stripe_reader.charges import read_charge
from stripe_reader.checkout_sessions import read_made
from stripe_reader.invoice_payments import read_invoice_payment
from stripe_reader.invoices import Invoice, read_invoice
from stripe_reader.payments import PaymentIntent, read_open_intents, read_paid_by

NOTHING: Final = Finding(state=InvoiceState.NOTHING)
PAYABLE: Final = frozenset({"open", "uncollectible"})
CLOSED: Final = {
    "draft": InvoiceState.DRAFT,
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}


async def find_invoice(client: StripeClient, sale: Sale, *, instance: str) -> Finding:
    """Find the purchase's invoice and say how it stands. Raises OutcomeUnknown, or StripeRefused."""
    if sale.invoice_id is not None:
        return await fetch_invoice(client, sale.invoice_id)
    if sale.checkout_session_id is not None:
        invoice_id = await _invoice_of_session(client, sale.checkout_session_id)
        return await fetch_invoice(client, invoice_id) if invoice_id else NOTHING
    if sale.customer_id is None:
        return NOTHING
    found = await _find_invoice(client, sale, instance=instance)
    return await fetch_invoice(client, found) if found else NOTHING


async def _invoice_of_session(client: StripeClient, session_id: str) -> str | None:
    """Return the invoice that Checkout made: none before the session is complete."""
    async with phase("look_at_session"):
        session = await client.v1.checkout.sessions.retrieve_async(session_id)
    return read(read_made, session).invoice_id


async def fetch_invoice(client: StripeClient, invoice_id: str) -> Finding:
    """Fetch one invoice with its payments and say how it stands. Raises OutcomeUnknown, or StripeRefused."""
    try:
        payload = await whole_json(client, await whole_invoice(client, invoice_id))
    except ObjectMissing:
        return NOTHING
    invoice = read_json(read_invoice, payload)
    if invoice.status == "paid":
        paid = paid_invoice(invoice, read_json(read_paid_by, payload))
        return Finding(state=InvoiceState.PAID, invoice_id=invoice_id, paid=paid)
    return _open_finding(invoice, read_json(read_open_intents, payload))


async def whole_invoice(client: StripeClient, invoice_id: str) -> Any:
    """Fetch one invoice with its payments, which lists leave out. Raises ObjectMissing."""
    async with phase("look_at_invoice"):
        return await client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND_PAID})


async def whole_json(client: StripeClient, invoice: Any) -> Json:
    """Return the invoice with every line and, where they are expanded, every payment, however many pages."""
    payload = dict(json_of(invoice))
    if has_more(payload, "lines"):
        async with phase("list_lines"):
            lines = await client.v1.invoices.line_items.list_async(payload["id"], params={"limit": 100})
        payload["lines"] = {"data": [json_of(line) async for line in lines.auto_paging_iter()], "has_more": False}
    if has_more(payload, "payments"):
        async with phase("list_invoice_payments"):
            payments = await client.v1.invoice_payments.list_async(
                params={"invoice": payload["id"], "limit": 100, "expand": ["data.payment.payment_intent"]}
            )
        found = [json_of(payment) async for payment in payments.auto_paging_iter()]
        payload["payments"] = {"data": found, "has_more": False}
    return payload


def _open_finding(invoice: Invoice, intents: Sequence[PaymentIntent]) -> Finding:
    paid_cents = invoice.amount_paid if invoice.status in PAYABLE else 0
    closed = CLOSED.get(invoice.status or "")
    return Finding(
        state=InvoiceState.PAID_IN_PART if paid_cents else closed or _open_state(intents),
        invoice_id=invoice.invoice_id,
        payment_intent_id=invoice.payment_intent_id,
        failure_code=next((intent.failure_code for intent in intents if intent.failure_code), None),
        action_url=invoice.hosted_invoice_url,
        currency=invoice.currency,
        paid_cents=paid_cents,
    )


def _open_state(intents: Sequence[PaymentIntent]) -> InvoiceState:
    """Return the state of the try that may still bring money: nobody voids an invoice while a bank has it."""
    if any(intent.status == "processing" for intent in intents):
        return InvoiceState.OPEN_PROCESSING
    if any(intent.needs_customer for intent in intents):
        return InvoiceState.OPEN_NEEDS_CUSTOMER
    return InvoiceState.OPEN_DECLINED if any(intent.has_failed for intent in intents) else InvoiceState.OPEN_UNTRIED


async def _find_invoice(client: StripeClient, sale: Sale, *, instance: str) -> str | None:
    """Find it by listing and metadata; a customer that Stripe does not know has no invoices."""
    wanted = {"quittance_instance": instance, "purchase_id": str(sale.purchase_id)}
    params: Any = {"customer": str(sale.customer_id), "created": created_since(sale.started_at), "limit": 100}
    try:
        async with phase("list_invoices"):
            invoice = await first_with_metadata(wanted, await client.v1.invoices.list_async(params=params))
    except ObjectMissing:
        return None
    return invoice.id if invoice else None


async def invoice_of_intent(client: StripeClient, payment_intent_id: str) -> Any | None:
    """Fetch the invoice that a payment intent pays, with its metadata; None for a payment without one."""
    async with phase("list_invoice_payments"):
        listed = await client.v1.invoice_payments.list_async(
            params={"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": 1}
        )
    if not listed.data:
        return None
    return await whole_invoice(client, read(read_invoice_payment, listed.data[0]).invoice_id)


async def fetch_charge(client: StripeClient, charge_id: str) -> Any | None:
    """Fetch the charge; None for one that Stripe does not know."""
    try:
        async with phase("look_at_charge"):
            return await client.v1.charges.retrieve_async(charge_id)
    except ObjectMissing:
        return None


async def invoice_of_charge(client: StripeClient, charge: Any) -> Any | None:
    """Find the paid invoice of the charge's customer that was paid with it; None where no invoice was.

    For a charge without an intent: Stripe lists invoice payments by intent only.
    """
    customer_id = read(read_charge, charge).customer_id
    if customer_id is None:
        return None
    wanted: Any = {"customer": customer_id, "status": "paid", "created": {"lte": charge.created}}
    async with phase("list_invoices"):
        listed = await client.v1.invoices.list_async(params=wanted | {"limit": 100, "expand": ["data.payments"]})
        async for invoice in listed.auto_paging_iter():
            payments = invoice.payments.data if invoice.payments else []
            if any(read(read_invoice_payment, payment).charge_id == charge.id for payment in payments):
                return await whole_invoice(client, str(invoice.id))
    return None


async def fetch_dispute(client: StripeClient, dispute_id: str) -> Any:
    """Fetch the dispute. Raises ObjectMissing."""
    async with phase("look_at_dispute"):
        return await client.v1.disputes.retrieve_async(dispute_id)
