"""Invoices, the same for the shapes before and after 2025-03-31.basil."""

from collections.abc import Sequence
from datetime import datetime

from contracts.stripe_facts.words import INVOICE_STATUSES
from stripe_reader.invoice_lines import InvoiceLine, read_lines, read_subscription_period_end, sole_purchase
from stripe_reader.origin import Origin, StripeObject, fill, metadata_of, purchase_ids_of, read_origin
from stripe_reader.payments import read_intent_and_charge
from stripe_reader.stripe_json import (
    Json,
    amount,
    currency_of,
    entries,
    id_of,
    integer,
    is_whole_list,
    optional_integer,
    optional_time,
    part,
    required_id,
    text,
    utc_time,
    word,
)
from stripe_reader.value import Value


class Invoice(StripeObject):
    """What an invoice says; amounts in minor units of `currency`. `contracts.stripe_facts.InvoiceFact` explains each.

    What paid it (`payments.read_parts`) and why it failed (`payments.read_failure`) are read apart.
    """

    invoice_id: str
    status: str | None
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int | None
    billing_reason: str | None
    subscription_id: str | None
    subscription_period_end: datetime | None
    checkout_session_id: str | None
    purchase_ids: tuple[str, ...]
    payment_intent_id: str | None
    charge_id: str | None
    attempt_count: int
    next_payment_attempt_at: datetime | None
    hosted_invoice_url: str | None
    lines: tuple[InvoiceLine, ...]
    lines_complete: bool


class InvoicePreview(Value):
    """What a subscription's next invoice will be, as things stand; `amount_due` in minor units of `currency`."""

    charged_at: datetime
    amount_due: int
    currency: str


def read_invoice(invoice: Json) -> Invoice:
    """Return what an invoice says. Raises UnknownShape.

    Source: https://docs.stripe.com/api/invoices/object and its changelog.
    """
    currency = currency_of(invoice)
    lines = read_lines(invoice, currency=currency)
    intent_id, charge_id = read_intent_and_charge(invoice)
    subscription_id = read_subscription_id(invoice)
    own = metadata_of(invoice)
    named = fill(own, _more_metadata(invoice)) if subscription_id else own
    origin = read_invoice_origin(invoice)
    origin["purchase_id"] = text(own, "purchase_id") or sole_purchase(lines)
    return Invoice(
        **origin,
        invoice_id=required_id(invoice, "id"),
        status=read_invoice_status(invoice),
        currency=currency,
        total=integer(invoice, "total"),
        amount_due=integer(invoice, "amount_due"),
        amount_paid=amount(invoice, "amount_paid"),
        amount_remaining=optional_integer(invoice, "amount_remaining"),
        billing_reason=text(invoice, "billing_reason"),
        subscription_id=subscription_id,
        subscription_period_end=read_subscription_period_end(invoice),
        checkout_session_id=id_of(invoice.get("checkout_session")) or id_of(named.get("checkout_session_id")),
        purchase_ids=purchase_ids_of(named),
        payment_intent_id=intent_id,
        charge_id=charge_id,
        attempt_count=optional_integer(invoice, "attempt_count") or 0,
        next_payment_attempt_at=optional_time(invoice, "next_payment_attempt"),
        hosted_invoice_url=text(invoice, "hosted_invoice_url"),
        lines=lines,
        lines_complete=is_whole_list(invoice, "lines"),
    )


def read_invoice_status(invoice: Json) -> str | None:
    """Return `status`; an invoice that only says `paid` (old versions) is paid. Raises UnknownShape."""
    return word(invoice, "status", known=INVOICE_STATUSES) or ("paid" if invoice.get("paid") is True else None)


def read_paid_at(invoice: Json) -> datetime | None:
    """Return when it was paid, where it says so. Raises UnknownShape."""
    return optional_time(part(invoice, "status_transitions"), "paid_at")


def read_preview(invoice: Json) -> InvoicePreview:
    """Return what a preview says; it has no id, so that it is no invoice to `read_invoice`. Raises UnknownShape.

    Source: https://docs.stripe.com/api/invoices/create_preview. `next_payment_attempt` is empty where the invoice is
    sent to the customer: then it is made as the period ends.
    """
    return InvoicePreview(
        charged_at=optional_time(invoice, "next_payment_attempt") or utc_time(integer(invoice, "period_end")),
        amount_due=integer(invoice, "amount_due"),
        currency=currency_of(invoice),
    )


def read_invoice_origin(invoice: Json) -> Origin:
    """Return whose an invoice is, by its metadata, its subscription's or its lines'. Raises UnknownShape."""
    return read_origin(invoice, elsewhere=lambda: _more_metadata(invoice))


def read_subscription_id(invoice: Json) -> str | None:
    """Return the subscription that the invoice is of; None for a one-off one. Raises UnknownShape.

    `subscription` up to 2025-02; from basil on inside `parent`, which is null on one-off invoices.
    """
    old = id_of(invoice.get("subscription"))
    return old or id_of(part(invoice, "parent", "subscription_details").get("subscription"))


def _more_metadata(invoice: Json) -> Sequence[Json]:
    """Return where else our keys may be: the subscription's copy (old place, new place, expanded), then the lines.

    What a bundle sells is read there only of a subscription's invoice; a one-off one is read by its own metadata.
    """
    return [
        metadata_of(part(invoice, "subscription_details")),
        metadata_of(part(invoice, "parent", "subscription_details")),
        metadata_of(part(invoice, "subscription")),
        *[metadata_of(line) for line in entries(invoice, "lines")],
    ]
