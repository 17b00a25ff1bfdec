"""Refunds as Stripe's API shows them, in the domain's words."""

from typing import Any

from purchases.batch.found_at_stripe import refund_fact
from purchases.ledger.apply_refund import ToldRefund
from purchases.refunds.events import told_refund


def told_by_stripe(refund: Any) -> ToldRefund:
    """Return what a refund object of Stripe's API says. Raises UnknownShape."""
    fact = refund_fact(refund)
    return told_refund(fact.refund, of=fact)
