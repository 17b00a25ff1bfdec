"""What Stripe says of a purchase now: by the invoice's id, or by listing and metadata when the id was never stored."""

from collections.abc import Awaitable, Sequence
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing
from purchases.stripe_api.invoices import EXPAND_PAID
from purchases.stripe_api.paid_invoices import paid_invoice
from purchases.stripe_api.reading import Fetched, first_with_metadata, listed, request
from purchases.stripe_api.since import created_before
from purchases.stripe_api.values import Finding, InvoiceState, Sale
from stripe_reader.charges import read_charge, read_charged_at
from stripe_reader.checkout_sessions import read_made
from stripe_reader.invoice_payments import read_invoice_payment
from stripe_reader.invoices import Invoice, read_invoice
from stripe_reader.payments import PaymentIntent, read_open_intents, read_paid_by
from stripe_reader.stripe_json import Json

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
    session = await request("look_at_session", client.v1.checkout.sessions.retrieve_async(session_id))
    return session.read(read_made).invoice_id


async def fetch_invoice(client: StripeClient, invoice_id: str) -> Finding:
    """Fetch one invoice with its payments and say how it stands. Raises OutcomeUnknown, or StripeRefused."""
    try:
        answer = await whole_invoice(client, invoice_id)
    except ObjectMissing:
        return NOTHING
    invoice = answer.read(read_invoice)
    if invoice.status == "paid":
        paid = paid_invoice(invoice, answer.read(read_paid_by))
        return Finding(state=InvoiceState.PAID, invoice_id=invoice_id, paid=paid)
    return _open_finding(invoice, answer.read(read_open_intents))


async def whole_invoice(client: StripeClient, invoice_id: str) -> Fetched:
    """Fetch one invoice with every line and payment, which lists leave out. Raises ObjectMissing."""
    invoice = client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND_PAID})
    return await with_all_pages(client, await request("look_at_invoice", invoice))


async def with_all_pages(client: StripeClient, invoice: Fetched) -> Fetched:
    """Return the invoice with every line and, where they are expanded, every payment, however many pages."""
    payload = dict(invoice.payload)
    if invoice.has_more("lines"):
        lines = client.v1.invoices.line_items.list_async(invoice.id, params={"limit": 100})
        payload["lines"] = await _whole_list("list_lines", lines)
    if invoice.has_more("payments"):
        payments = client.v1.invoice_payments.list_async(
            params={"invoice": invoice.id, "limit": 100, "expand": ["data.payment.payment_intent"]}
        )
        payload["payments"] = await _whole_list("list_invoice_payments", payments)
    return Fetched(payload, invoice.fetched_at)


async def _whole_list(name: str, call: Awaitable[Any]) -> Json:
    return {"data": [entry.payload async for entry in listed(name, call)], "has_more": False}


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
    params: Any = {"customer": str(sale.customer_id), "created": created_before(sale.started_at), "limit": 100}
    try:
        invoice = await first_with_metadata(wanted, "list_invoices", client.v1.invoices.list_async(params=params))
    except ObjectMissing:
        return None
    return invoice.id if invoice else None


async def invoice_of_intent(client: StripeClient, payment_intent_id: str) -> Fetched | None:
    """Fetch the invoice that a payment intent pays, with its metadata; None for a payment without one."""
    payments = client.v1.invoice_payments.list_async(
        params={"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": 1}
    )
    found = (await request("list_invoice_payments", payments)).entries("data")
    return await whole_invoice(client, found[0].read(read_invoice_payment).invoice_id) if found else None


async def fetch_charge(client: StripeClient, charge_id: str) -> Fetched | None:
    """Fetch the charge; None for one that Stripe does not know."""
    try:
        return await request("look_at_charge", client.v1.charges.retrieve_async(charge_id))
    except ObjectMissing:
        return None


async def invoice_of_charge(client: StripeClient, charge: Fetched) -> Fetched | None:
    """Find the paid invoice of the charge's customer that was paid with it; None where no invoice was.

    For a charge without an intent: Stripe lists invoice payments by intent only.
    """
    customer_id = charge.read(read_charge).customer_id
    if customer_id is None:
        return None
    before = {"lte": int(charge.read(read_charged_at).timestamp())}
    wanted: Any = {"customer": customer_id, "status": "paid", "created": before, "limit": 100}
    paid = client.v1.invoices.list_async(params=wanted | {"expand": ["data.payments"]})
    async for invoice in listed("list_invoices", paid):
        if any(payment.read(read_invoice_payment).charge_id == charge.id for payment in invoice.entries("payments")):
            return await whole_invoice(client, invoice.id)
    return None


async def fetch_dispute(client: StripeClient, dispute_id: str) -> Fetched:
    """Fetch the dispute. Raises ObjectMissing."""
    return await request("look_at_dispute", client.v1.disputes.retrieve_async(dispute_id))
