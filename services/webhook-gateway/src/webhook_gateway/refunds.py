"""Refund events: one refund as Stripe shows it, the same in every API version."""

from typing import Any

from contracts.stripe_facts import RefundChanged
from contracts.stripe_facts.words import REFUND_STATUSES
from webhook_gateway.presence import (
    Json,
    currency_of,
    id_of,
    part,
    positive_amount,
    required_id,
    required_word,
    text,
)
from webhook_gateway.stripe_event import StripeEvent, metadata_of, origin
from webhook_gateway.told import Told, tell


def refund_changed(event: StripeEvent) -> Told:
    """`refund.created`, `.updated`, `.failed`, `charge.refund.updated`. Source: https://docs.stripe.com/api/refunds."""
    refund = event.object
    charge = part(refund, "charge")
    fields = origin(event)
    fields["customer_id"] = fields["customer_id"] or id_of(charge.get("customer"))
    return tell(
        RefundChanged,
        **fields,
        refund=snapshot(refund),
        charge_id=id_of(refund.get("charge")),
        payment_intent_id=id_of(refund.get("payment_intent")) or id_of(charge.get("payment_intent")),
    )


def snapshot(refund: Json) -> dict[str, Any]:
    """One `RefundSnapshot`; its `status` may change until it is `succeeded`, and even then a bank can send it back."""
    return {
        "refund_id": required_id(refund, "id"),
        "amount": positive_amount(refund, "amount"),
        "currency": currency_of(refund),
        "status": required_word(refund, "status", known=REFUND_STATUSES),
        "purchase_id": text(metadata_of(refund), "purchase_id") or None,
        "requested_id": text(metadata_of(refund), "refund_id") or None,
        "returned_invoice_id": text(metadata_of(refund), "returned_invoice") or None,
        "failure_reason": text(refund, "failure_reason"),
    }
