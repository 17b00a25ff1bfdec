"""Disputes: money that a cardholder's bank wants back, the same in every API version."""

from datetime import datetime

from contracts.stripe_facts.words import DISPUTE_STATUSES, FINAL_DISPUTE_STATUSES
from stripe_reader.origin import StripeObject, metadata_of, read_origin
from stripe_reader.stripe_json import (
    Json,
    currency_of,
    id_of,
    optional_time,
    part,
    positive_amount,
    required_id,
    required_word,
    text,
)


class Dispute(StripeObject):
    """A dispute; `amount` is what the bank wants back, in minor units of `currency`."""

    dispute_id: str
    charge_id: str | None
    payment_intent_id: str | None
    amount: int
    currency: str
    status: str
    reason: str | None
    evidence_due_at: datetime | None
    closed: bool
    """The bank has decided: `status` is final."""


def read_dispute(dispute: Json) -> Dispute:
    """Return what a dispute says. Raises UnknownShape.

    It names no customer and carries none of our metadata: both are read where its charge or its intent is expanded,
    and so is the intent of its charge. Source: https://docs.stripe.com/api/disputes/object.
    """
    charge, intent = part(dispute, "charge"), part(dispute, "payment_intent")
    status = required_word(dispute, "status", known=DISPUTE_STATUSES)
    return Dispute(
        **read_origin(dispute, elsewhere=lambda: [metadata_of(charge), metadata_of(intent)], payers=(charge, intent)),
        dispute_id=required_id(dispute, "id"),
        charge_id=id_of(dispute.get("charge")),
        payment_intent_id=id_of(dispute.get("payment_intent")) or id_of(charge.get("payment_intent")),
        amount=positive_amount(dispute, "amount"),
        currency=currency_of(dispute),
        status=status,
        reason=text(dispute, "reason"),
        evidence_due_at=optional_time(part(dispute, "evidence_details"), "due_by"),
        closed=status in FINAL_DISPUTE_STATUSES,
    )
