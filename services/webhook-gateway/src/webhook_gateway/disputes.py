"""Dispute events: money that a cardholder's bank wants back, the same in every API version."""

from contracts.stripe_facts import DisputeChanged
from contracts.stripe_facts.words import DISPUTE_STATUSES
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
from webhook_gateway.stripe_event import StripeEvent, metadata_of, moment_of, origin
from webhook_gateway.told import Told, tell


def dispute_created(event: StripeEvent) -> Told:
    """`charge.dispute.created`: opened, or only inquired about (`warning_…`)."""
    return _dispute(event, closed=False)


def dispute_closed(event: StripeEvent) -> Told:
    """`charge.dispute.closed`: `status` is final (`won`, `lost`, `warning_closed`, …)."""
    return _dispute(event, closed=True)


def _dispute(event: StripeEvent, *, closed: bool) -> Told:
    """Source: https://docs.stripe.com/api/disputes/object. It names no customer, and carries none of our metadata."""
    dispute = event.object
    charge, intent = part(dispute, "charge"), part(dispute, "payment_intent")
    fields = origin(event, elsewhere=lambda: [metadata_of(charge), metadata_of(intent)])
    fields["customer_id"] = fields["customer_id"] or id_of(charge.get("customer")) or id_of(intent.get("customer"))
    return tell(
        DisputeChanged,
        **fields,
        dispute_id=required_id(dispute, "id"),
        charge_id=id_of(dispute.get("charge")),
        payment_intent_id=payment_intent_of(dispute),
        amount=positive_amount(dispute, "amount"),
        currency=currency_of(dispute),
        status=required_word(dispute, "status", known=DISPUTE_STATUSES),
        reason=text(dispute, "reason"),
        evidence_due_at=moment_of(part(dispute, "evidence_details"), "due_by"),
        closed=closed,
    )


def payment_intent_of(dispute: Json) -> str | None:
    """Its own, or that of its charge where only this is expanded."""
    return id_of(dispute.get("payment_intent")) or id_of(part(dispute, "charge").get("payment_intent"))
