"""Refunds as Stripe's API shows them, in the domain's words."""

from typing import Any

from purchases.handlers.at_stripe.found_at_stripe import refund_fact
from purchases.handlers.facts.refund_facts import told_refund
from purchases.handlers.steps.apply_refund import ToldRefund


def told_by_stripe(refund: Any) -> ToldRefund:
    """Return what a refund object of Stripe's API says. Raises UnknownShape."""
    fact = refund_fact(refund)
    return told_refund(fact.refund, of=fact)
