"""How invoices look before and since basil (https://docs.stripe.com/changelog/basil)."""

from sandbox.stripe.invoice_model import Invoice, InvoicePayment
from sandbox.stripe.model import Json
from sandbox.stripe.pricing import discounts_by_id, taxes_by_rate
from sandbox.stripe.render import adjustments
from sandbox.stripe.render.lines import line
from sandbox.stripe.versions import Era


def invoice(thing: Invoice, era: Era) -> Json:
    """Render https://docs.stripe.com/api/invoices/object"""
    return _shared(thing, era) | (_legacy(thing) if era is Era.LEGACY else _basil(thing))


def _shared(thing: Invoice, era: Era) -> Json:
    return {
        "id": thing.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "amount_due": thing.due,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": thing.attempt_count,
        "attempted": thing.attempted,
        "auto_advance": thing.auto_advance,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "status": None},
        "automatically_finalizes_at": thing.finalizes_at if thing.status == "draft" else None,
        "billing_reason": thing.billing_reason,
        "collection_method": thing.collection_method,
        "created": thing.created,
        "currency": thing.currency,
        "custom_fields": None,
        "customer": thing.customer,
        "customer_address": None,
        "customer_email": thing.customer_email,
        "customer_name": thing.customer_name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": thing.default_payment_method,
        "default_source": None,
        "default_tax_rates": [adjustments.tax_rate(rate, era) for rate in thing.default_tax_rates],
        "description": thing.description,
        "discounts": [discount.id for discount in thing.discounts],
        "due_date": thing.due_date,
        "effective_at": thing.finalized_at,
        "ending_balance": thing.ending_balance,
        "footer": thing.footer,
        "from_invoice": None,
        "hosted_invoice_url": thing.hosted_invoice_url,
        "invoice_pdf": thing.hosted_invoice_url and f"{thing.hosted_invoice_url}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": _lines(thing, era),
        "livemode": False,
        "metadata": dict(thing.metadata),
        "next_payment_attempt": thing.next_payment_attempt,
        "number": thing.number,
        "on_behalf_of": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": thing.period_end,
        "period_start": thing.period_start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": thing.starting_balance,
        "statement_descriptor": thing.statement_descriptor,
        "status": thing.status,
        "status_transitions": {
            "finalized_at": thing.finalized_at,
            "marked_uncollectible_at": thing.marked_uncollectible_at,
            "paid_at": thing.paid_at,
            "voided_at": thing.voided_at,
        },
        "subtotal": thing.subtotal,
        "subtotal_excluding_tax": thing.subtotal - _taxed(thing, inclusive=True),
        "test_clock": None,
        "total": thing.total,
        "total_discount_amounts": adjustments.discount_amounts(discounts_by_id(thing.lines)),
        "total_excluding_tax": thing.total - _taxed(thing, inclusive=True) - _taxed(thing, inclusive=False),
        "webhooks_delivered_at": thing.finalized_at,
    }


def _taxed(thing: Invoice, *, inclusive: bool) -> int:
    return sum(one.taxed(inclusive=inclusive) for one in thing.lines)


def _lines(thing: Invoice, era: Era) -> Json:
    return {
        "object": "list",
        "data": [line(one, era) for one in thing.lines[:10]],
        "has_more": len(thing.lines) > 10,
        "url": f"/v1/invoices/{thing.id}/lines",
    }


def _legacy(thing: Invoice) -> Json:
    """Before basil `amount_paid` left out what was paid outside of Stripe.

    Source: https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices.
    """
    taxes = taxes_by_rate(thing.lines)
    only = thing.discounts[0] if len(thing.discounts) == 1 else None
    return {
        "amount_paid": thing.amount_paid - thing.paid_off_stripe,
        "amount_remaining": thing.remaining + thing.paid_off_stripe,
        "application_fee_amount": None,
        "charge": thing.charge,
        "discount": adjustments.discount(only, Era.LEGACY) if only else None,
        "paid": thing.status == "paid",
        "paid_out_of_band": thing.paid_out_of_band,
        "payment_intent": thing.payment_intent,
        "quote": None,
        "subscription": thing.subscription,
        "subscription_details": {"metadata": _subscription_metadata(thing)},
        "tax": sum(tax.amount for tax in taxes) if taxes else None,
        "total_tax_amounts": adjustments.tax_amounts(taxes),
        "transfer_data": None,
    }


def _basil(thing: Invoice) -> Json:
    return {
        "amount_overpaid": 0,
        "amount_paid": thing.amount_paid,
        "amount_remaining": thing.remaining,
        "customer_account": None,
        "parent": _parent(thing),
        "total_pretax_credit_amounts": adjustments.pretax_credit_amounts(discounts_by_id(thing.lines)),
        "total_taxes": adjustments.taxes(taxes_by_rate(thing.lines)),
    }


def _parent(thing: Invoice) -> Json | None:
    """Return the subscription that an invoice is of; null on a one-off."""
    if thing.subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {"metadata": _subscription_metadata(thing), "subscription": thing.subscription},
        "type": "subscription_details",
    }


def _subscription_metadata(thing: Invoice) -> Json | None:
    return None if thing.subscription_metadata is None else dict(thing.subscription_metadata)


def invoice_payment(thing: InvoicePayment, _: Era) -> Json:
    """Render https://docs.stripe.com/api/invoice-payment/object (since basil)"""
    return {
        "id": thing.id,
        "object": "invoice_payment",
        "amount_paid": thing.amount_paid,
        "amount_requested": thing.amount_requested,
        "created": thing.created,
        "currency": thing.currency,
        "invoice": thing.invoice,
        "is_default": thing.is_default,
        "livemode": False,
        "payment": {"charge": thing.charge, "type": "charge"}
        if thing.charge
        else {"payment_intent": thing.payment_intent, "type": "payment_intent"},
        "status": thing.status,
        "status_transitions": {"canceled_at": thing.canceled_at, "paid_at": thing.paid_at},
    }
