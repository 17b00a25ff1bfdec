"""Refunds as Stripe's API shows them, in the domain's words."""

from typing import Any

from purchases.handlers.steps.apply_refund import ToldRefund
from purchases.payments.client import metadata_of_object


def told_by_stripe(refund: Any) -> ToldRefund:
    """A refund object of Stripe's API."""
    metadata = metadata_of_object(refund)
    return ToldRefund(
        refund_id=refund.id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        purchase_id=metadata.get("purchase_id"),
        requested_id=metadata.get("refund_id"),
        of_the_plan=metadata.get("returned_invoice") is not None,
        failure_reason=getattr(refund, "failure_reason", None),
    )
