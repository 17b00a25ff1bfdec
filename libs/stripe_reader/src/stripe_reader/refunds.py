"""Refunds, the same in every API version."""

from contracts.stripe_facts.words import REFUND_STATUSES
from stripe_reader.origin import StripeObject, metadata_of, read_origin
from stripe_reader.stripe_json import Json, currency_of, id_of, part, positive_amount, required_id, required_word, text
from stripe_reader.value import Value


class RefundSnapshot(Value):
    """One refund; `amount` in minor units. `contracts.stripe_facts.RefundSnapshot` explains each field."""

    refund_id: str
    amount: int
    currency: str
    status: str
    purchase_id: str | None
    requested_id: str | None
    returned_invoice_id: str | None
    failure_reason: str | None


class Refund(StripeObject):
    """A refund with the charge that it gives back."""

    refund: RefundSnapshot
    charge_id: str | None
    payment_intent_id: str | None


def read_refund(refund: Json) -> Refund:
    """Return what a refund says. Raises UnknownShape. Source: https://docs.stripe.com/api/refunds/object."""
    charge = part(refund, "charge")
    return Refund(
        **read_origin(refund, payers=[charge]),
        refund=read_refund_snapshot(refund),
        charge_id=id_of(refund.get("charge")),
        payment_intent_id=id_of(refund.get("payment_intent")) or id_of(charge.get("payment_intent")),
    )


def read_refund_snapshot(refund: Json) -> RefundSnapshot:
    """Return the refund alone, as a charge embeds it. Raises UnknownShape.

    Its `status` may change until it is `succeeded`, and even then a bank can send it back.
    """
    metadata = metadata_of(refund)
    return RefundSnapshot(
        refund_id=required_id(refund, "id"),
        amount=positive_amount(refund, "amount"),
        currency=currency_of(refund),
        status=required_word(refund, "status", known=REFUND_STATUSES),
        purchase_id=text(metadata, "purchase_id") or None,
        requested_id=text(metadata, "refund_id") or None,
        returned_invoice_id=text(metadata, "returned_invoice") or None,
        failure_reason=text(refund, "failure_reason"),
    )
