"""Invoice events, the same fact for the shapes before and after 2025-03-31.basil."""

from typing import Any

from contracts.stripe_facts import (
    InvoiceDeleted,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoicePaymentActionRequired,
    InvoicePaymentFailed,
    InvoiceVoided,
)
from contracts.stripe_facts.words import INVOICE_STATUSES
from webhook_gateway.invoice_lines import lines_of, sole_purchase, subscription_period_end
from webhook_gateway.payments import intent_and_charge, paid_parts, redirect_url, why_it_failed
from webhook_gateway.presence import (
    Json,
    amount,
    currency_of,
    entries,
    id_of,
    integer,
    is_whole_list,
    optional_integer,
    part,
    required_id,
    text,
    word,
)
from webhook_gateway.purchase_ids import purchase_ids_of
from webhook_gateway.stripe_event import StripeEvent, filled, metadata_of, moment_of, origin
from webhook_gateway.told import Told, tell


def invoice_paid(event: StripeEvent) -> Told:
    """`invoice.payment_succeeded` and `invoice.paid`: Stripe sends both for one payment."""
    return tell(InvoicePaid, **invoice_fields(event), paid_by=paid_parts(event.object))


def invoice_payment_failed(event: StripeEvent) -> Told:
    """`invoice.payment_failed`: also sent when only the customer is missing (3-D Secure), which basil hides."""
    needs_customer, failure_code = why_it_failed(event.object)
    return tell(InvoicePaymentFailed, **invoice_fields(event), needs_customer=needs_customer, failure_code=failure_code)


def invoice_payment_action_required(event: StripeEvent) -> Told:
    """`invoice.payment_action_required`: the bank wants 3-D Secure; the way there only when the intent is expanded."""
    return tell(InvoicePaymentActionRequired, **invoice_fields(event), action_url=redirect_url(event.object))


def invoice_voided(event: StripeEvent) -> Told:
    """`invoice.voided`: final, it can never be paid again."""
    return Told(InvoiceVoided, invoice_fields(event))


def invoice_deleted(event: StripeEvent) -> Told:
    """`invoice.deleted`: a draft is gone; only drafts can be deleted, so nobody was asked to pay it."""
    return Told(InvoiceDeleted, invoice_fields(event))


def invoice_marked_uncollectible(event: StripeEvent) -> Told:
    """`invoice.marked_uncollectible`: given up, though it can still be paid until it is voided."""
    return Told(InvoiceMarkedUncollectible, invoice_fields(event))


def invoice_fields(event: StripeEvent) -> dict[str, Any]:
    """What all invoice facts share. Source: https://docs.stripe.com/api/invoices/object and its changelog."""
    invoice = event.object
    currency = currency_of(invoice)
    lines = lines_of(invoice, currency=currency)
    intent_id, charge_id = intent_and_charge(invoice)
    fields = origin(event, elsewhere=lambda: _more_metadata(invoice))
    fields.update(
        purchase_id=text(metadata_of(invoice), "purchase_id") or sole_purchase(lines),
        invoice_id=required_id(invoice, "id"),
        status=status_of(invoice),
        currency=currency,
        total=integer(invoice, "total"),
        amount_due=integer(invoice, "amount_due"),
        amount_paid=amount(invoice, "amount_paid"),
        amount_remaining=optional_integer(invoice, "amount_remaining"),
        billing_reason=text(invoice, "billing_reason"),
        subscription_id=subscription_of(invoice),
        subscription_period_end=subscription_period_end(invoice),
        payment_intent_id=intent_id,
        charge_id=charge_id,
        attempt_count=optional_integer(invoice, "attempt_count") or 0,
        next_payment_attempt_at=moment_of(invoice, "next_payment_attempt"),
        hosted_invoice_url=text(invoice, "hosted_invoice_url"),
        lines=lines,
        lines_complete=is_whole_list(invoice, "lines"),
        **_bundle(invoice),
    )
    return fields


def subscription_of(invoice: Json) -> str | None:
    """`subscription` up to 2025-02; from basil on inside `parent`, which is null on one-off invoices."""
    old = id_of(invoice.get("subscription"))
    return old or id_of(part(invoice, "parent", "subscription_details").get("subscription"))


def status_of(invoice: Json) -> str | None:
    """`status`; an invoice that only says `paid` (old versions) is paid."""
    return word(invoice, "status", known=INVOICE_STATUSES) or ("paid" if invoice.get("paid") is True else None)


def _bundle(invoice: Json) -> dict[str, Any]:
    """What a Checkout session left on the invoice; of one-off invoices only their own metadata is read."""
    named = metadata_of(invoice)
    if subscription_of(invoice):
        named = filled(named, _more_metadata(invoice))
    session_id = id_of(invoice.get("checkout_session")) or id_of(named.get("checkout_session_id"))
    return {"checkout_session_id": session_id, "purchase_ids": purchase_ids_of(named)}


def _more_metadata(invoice: Json) -> list[Json]:
    """Where else our keys may be: the subscription's copy (old place, new place, expanded), then the lines."""
    return [
        metadata_of(part(invoice, "subscription_details")),
        metadata_of(part(invoice, "parent", "subscription_details")),
        metadata_of(part(invoice, "subscription")),
        *[metadata_of(line) for line in entries(invoice, "lines")],
    ]
