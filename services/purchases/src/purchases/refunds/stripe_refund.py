"""Refunds as Stripe's API shows them, in the domain's words."""

from typing import Any

from purchases.batch.fetched_facts import refund_fact
from purchases.ledger.apply_refund import StripeRefund
from purchases.refunds.events import stripe_refund


def refund_of_object(refund: Any) -> StripeRefund:
    """Return what a refund object of Stripe's API says. Raises UnknownShape."""
    fact = refund_fact(refund)
    return stripe_refund(fact.refund, of=fact)
