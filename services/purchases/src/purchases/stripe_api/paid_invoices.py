"""A paid invoice as the domain knows it, of an event or of what was fetched: the same to us."""

from collections.abc import Sequence

from contracts.stripe_facts import InvoicePaid
from contracts.stripe_facts import InvoicePart as StripePart
from purchases.stripe_api.values import Line, PaidInvoice, Part
from stripe_reader.invoices import Invoice
from stripe_reader.payments import InvoicePart, PaidBy


def paid_invoice(invoice: InvoicePaid | Invoice, paid: InvoicePaid | PaidBy) -> PaidInvoice:
    """Return the invoice with what paid it; a fact says both."""
    return PaidInvoice(
        invoice_id=invoice.invoice_id,
        customer_id=invoice.customer_id,
        amount_paid=invoice.amount_paid,
        currency=invoice.currency,
        lines=tuple(
            Line(
                amount=line.amount,
                currency=line.currency,
                price_id=line.price_id,
                purchase_id=line.purchase_id,
                addon_slug=line.addon_slug,
                discount_cents=line.discount_cents,
                tax_cents=line.tax_cents,
            )
            for line in invoice.lines
        ),
        lines_complete=invoice.lines_complete,
        subscription_id=invoice.subscription_id,
        parts=parts_of(invoice, paid.paid_by),
        credit_cents=paid.paid_by_credit,
        off_stripe_cents=paid.paid_off_stripe,
    )


def part_of(part: StripePart | InvoicePart) -> Part:
    """Return one charge as the domain knows it."""
    return Part(payment_intent_id=part.payment_intent_id, charge_id=part.charge_id, cents=part.amount_paid)


def parts_of(invoice: InvoicePaid | Invoice, parts: Sequence[StripePart | InvoicePart]) -> tuple[Part, ...]:
    """Return every charge where `parts` shows them, else the one that the invoice names."""
    if parts or not (invoice.payment_intent_id or invoice.charge_id):
        return tuple(part_of(part) for part in parts)
    return (Part(payment_intent_id=invoice.payment_intent_id, charge_id=invoice.charge_id),)
