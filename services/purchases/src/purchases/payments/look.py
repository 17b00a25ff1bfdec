"""What Stripe says of a purchase now: by the invoice's id, or by listing and metadata when the id was never stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from stripe import StripeClient

from contracts.stripe_facts.words import INVOICE_PAYMENT_STATUSES, INVOICE_STATUSES, PAYMENT_INTENT_STATUSES
from purchases.domain.stripe_values import Finding, InvoiceState, Line, PaidInvoice, Part, Sale, needs_customer
from purchases.payments.client import ObjectMissing, metadata_of_object, phase, word
from purchases.payments.invoices import EXPAND, EXPAND_PAID, intent_of

NOTHING: Final = Finding(state=InvoiceState.NOTHING)
PAYABLE: Final = frozenset({"open", "uncollectible"})
CHARGED: Final = ("payment_intent", "charge")
"""What an invoice is paid with at Stripe; a `payment_record` is money from elsewhere."""
CLOSED: Final = {
    "draft": InvoiceState.DRAFT,
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}


async def look_for_invoice(client: StripeClient, sale: Sale, *, instance: str) -> Finding:
    """Find the purchase's invoice and say how it stands."""
    if sale.invoice_id is not None:
        return await look_at_invoice(client, sale.invoice_id)
    if sale.checkout_session_id is not None:
        invoice_id = await _invoice_of_session(client, sale.checkout_session_id)
        return await look_at_invoice(client, invoice_id) if invoice_id else NOTHING
    if sale.customer_id is None:
        return NOTHING
    found = await _find_invoice(client, sale, instance=instance)
    return await look_at_invoice(client, found) if found else NOTHING


async def _invoice_of_session(client: StripeClient, session_id: str) -> str | None:
    """What Checkout made of it: nothing before it is complete."""
    async with phase("look_at_session"):
        session = await client.v1.checkout.sessions.retrieve_async(session_id)
    return reference(session.invoice)


async def look_at_invoice(client: StripeClient, invoice_id: str) -> Finding:
    """Read one invoice with its payments."""
    try:
        async with phase("look_at_invoice"):
            invoice = await client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND_PAID})
    except ObjectMissing:
        return NOTHING
    if word(invoice, "status", known=INVOICE_STATUSES) == "paid":
        return Finding(state=InvoiceState.PAID, invoice_id=invoice_id, paid=await paid_invoice(client, invoice))
    return _open_finding(invoice)


async def paid_invoice(client: StripeClient, invoice: Any) -> PaidInvoice:
    """The invoice as the domain knows it, with every line, however many pages."""
    parts = tuple(await parts_of(client, invoice))
    return PaidInvoice(
        invoice_id=invoice.id,
        customer_id=reference(invoice.customer),
        amount_paid=invoice.amount_paid,
        currency=invoice.currency,
        lines=tuple([_line(line) async for line in await lines_of(client, invoice)]),
        subscription_id=subscription_of(invoice),
        parts=parts,
        credit_cents=credit_applied(invoice),
        off_stripe_cents=_paid_off_stripe(invoice, parts),
    )


def credit_applied(invoice: Any) -> int | None:
    """Return what the customer's credit paid of an invoice, in minor units; None before it is final.

    So much less credit (a negative balance) is left behind it. Source: https://docs.stripe.com/billing/customer/balance.
    """
    before, after = invoice.starting_balance, invoice.ending_balance
    return None if before is None or after is None else max(0, after - before)


def _paid_off_stripe(invoice: Any, parts: Sequence[Part]) -> int:
    """What was paid outside of Stripe: as it says, else what `amount_paid` holds beyond all its charges."""
    said = getattr(invoice, "amount_paid_off_stripe", None)
    if said is not None:
        return int(said)
    return max(0, int(invoice.amount_paid) - sum(part.cents or 0 for part in parts))


def subscription_of(invoice: Any) -> str | None:
    """The subscription that the invoice is of; None for a one-off one."""
    details = getattr(invoice.parent, "subscription_details", None) if invoice.parent else None
    return reference(details.subscription) if details else None


def _open_finding(invoice: Any) -> Finding:
    paid_cents = invoice.amount_paid if invoice.status in PAYABLE else 0
    intent = intent_of(invoice)
    error = getattr(intent, "last_payment_error", None) if intent is not None else None
    return Finding(
        state=InvoiceState.PAID_IN_PART if paid_cents else CLOSED.get(invoice.status) or _open_state(intent, error),
        invoice_id=invoice.id,
        payment_intent_id=reference(intent),
        failure_code=(getattr(error, "decline_code", None) or getattr(error, "code", None)) if error else None,
        action_url=invoice.hosted_invoice_url,
        currency=invoice.currency.upper(),
        paid_cents=paid_cents,
    )


def _open_state(intent: Any, error: Any) -> InvoiceState:
    if intent is None or isinstance(intent, str):
        return InvoiceState.OPEN_UNTRIED
    code = getattr(error, "code", None) if error else None
    status = word(intent, "status", known=PAYMENT_INTENT_STATUSES)
    if status == "processing":
        return InvoiceState.OPEN_PROCESSING
    if needs_customer(intent_status=status, error_code=code):
        return InvoiceState.OPEN_NEEDS_CUSTOMER
    return InvoiceState.OPEN_DECLINED if error else InvoiceState.OPEN_UNTRIED


async def _find_invoice(client: StripeClient, sale: Sale, *, instance: str) -> str | None:
    """By listing and metadata, not by search, which lags; a customer that Stripe does not know has no invoices."""
    try:
        return await _list_for_invoice(client, sale, instance=instance)
    except ObjectMissing:
        return None


async def _list_for_invoice(client: StripeClient, sale: Sale, *, instance: str) -> str | None:
    wanted = {"quittance_instance": instance, "purchase_id": str(sale.purchase_id)}
    after = int(_a_little_before(sale.started_at).timestamp())
    async with phase("list_invoices"):
        listed = await client.v1.invoices.list_async(
            params={"customer": str(sale.customer_id), "created": {"gte": after}, "limit": 100}
        )
        async for invoice in listed.auto_paging_iter():
            if wanted.items() <= metadata_of_object(invoice).items() and invoice.id:
                return invoice.id
    return None


async def invoice_of_intent(client: StripeClient, payment_intent_id: str) -> Any | None:
    """The invoice that a payment intent pays, with its metadata; None for a payment without one."""
    async with phase("list_invoice_payments"):
        listed = await client.v1.invoice_payments.list_async(
            params={"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": 1}
        )
    if not listed.data:
        return None
    return await _invoice(client, str(reference(listed.data[0].invoice)))


async def _invoice(client: StripeClient, invoice_id: str) -> Any:
    async with phase("look_at_invoice"):
        return await client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND})


async def parts_of(client: StripeClient, invoice: Any) -> list[Part]:
    """Return every charge that paid a part of the invoice; its `payments` are expanded."""
    payments = getattr(invoice, "payments", None)
    if payments is not None and payments.has_more:
        async with phase("list_invoice_payments"):
            listed = await client.v1.invoice_payments.list_async(params={"invoice": invoice.id, "limit": 100})
        payments = [one async for one in listed.auto_paging_iter()]
    else:
        payments = list(payments.data) if payments is not None else []
    charged = [one for one in payments if any(getattr(one.payment, name, None) for name in CHARGED)]
    return [_part(one) for one in charged if word(one, "status", known=INVOICE_PAYMENT_STATUSES) == "paid"]


def _part(payment: Any) -> Part:
    intent = getattr(payment.payment, "payment_intent", None)
    expanded = None if intent is None or isinstance(intent, str) else intent
    charge = getattr(payment.payment, "charge", None) or (expanded and expanded.latest_charge)
    return Part(payment_intent_id=reference(intent), charge_id=reference(charge), cents=payment.amount_paid)


async def read_charge(client: StripeClient, charge_id: str) -> Any | None:
    """Return the charge as it is now; None for one that Stripe does not know."""
    try:
        async with phase("look_at_charge"):
            return await client.v1.charges.retrieve_async(charge_id)
    except ObjectMissing:
        return None


async def invoice_of_charge(client: StripeClient, charge: Any) -> Any | None:
    """Return the paid invoice of the charge's customer that was paid with it; None where no invoice was.

    For a charge without an intent: Stripe lists invoice payments by intent only.
    """
    customer_id = reference(charge.customer)
    if customer_id is None:
        return None
    wanted: Any = {"customer": customer_id, "status": "paid", "created": {"lte": charge.created}}
    async with phase("list_invoices"):
        listed = await client.v1.invoices.list_async(params=wanted | {"limit": 100, "expand": ["data.payments"]})
        async for invoice in listed.auto_paging_iter():
            payments = invoice.payments.data if invoice.payments else []
            if any(reference(getattr(one.payment, "charge", None)) == charge.id for one in payments):
                return await _invoice(client, str(invoice.id))
    return None


async def refunds_of_charge(client: StripeClient, charge_id: str) -> list[Any] | None:
    """Every refund of the charge as it is now; None when Stripe does not know the charge."""
    try:
        async with phase("list_refunds"):
            listed = await client.v1.refunds.list_async(params={"charge": charge_id, "limit": 100})
            return [refund async for refund in listed.auto_paging_iter()]
    except ObjectMissing:
        return None


async def dispute_now(client: StripeClient, dispute_id: str) -> Any:
    """The dispute as it is now. Raises ObjectMissing."""
    async with phase("look_at_dispute"):
        return await client.v1.disputes.retrieve_async(dispute_id)


async def refunds_of_intent(client: StripeClient, payment_intent_id: str) -> list[Any]:
    """Every refund of the payment as it is now."""
    async with phase("list_refunds"):
        listed = await client.v1.refunds.list_async(params={"payment_intent": payment_intent_id, "limit": 100})
        return [refund async for refund in listed.auto_paging_iter()]


async def lines_of(client: StripeClient, invoice: Any) -> Any:
    """Iterate over all its lines, however many pages."""
    if not invoice.lines.has_more:
        return _each(invoice.lines.data)
    async with phase("list_lines"):
        listed = await client.v1.invoices.line_items.list_async(invoice.id, params={"limit": 100})
    return listed.auto_paging_iter()


async def _each(items: list[Any]) -> Any:
    for item in items:
        yield item


def _line(line: Any) -> Line:
    metadata = metadata_of_object(line)
    price = line.pricing.price_details.price if line.pricing and line.pricing.price_details else None
    return Line(
        amount=line.amount,
        currency=line.currency,
        price_id=reference(price),
        purchase_id=metadata.get("purchase_id"),
        addon_slug=metadata.get("addon_slug"),
        discount_cents=sum(one.amount for one in line.discount_amounts or []),
        tax_cents=sum(tax.amount for tax in line.taxes or [] if tax.tax_behavior == "exclusive"),
    )


def reference(thing: Any) -> str | None:
    if thing is None or isinstance(thing, str):
        return thing
    identity: str = thing.id
    return identity


def _a_little_before(at: datetime) -> datetime:
    return at - timedelta(minutes=5)
