"""Refunds as Stripe's API shows them, in the domain's words."""

from typing import Any

from purchases.handlers.apply_refund import ToldRefund


def told_by_stripe(refund: Any) -> ToldRefund:
    """A refund object of Stripe's API."""
    return ToldRefund(
        refund_id=refund.id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        failure_reason=getattr(refund, "failure_reason", None),
    )
