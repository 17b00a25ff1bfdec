"""The tables, as SQLAlchemy rows."""

from chassis.tables import inbox_table, outbox_table, parked_table
from purchases.store.rows.base import Row
from purchases.store.rows.budgets import StripeBudget
from purchases.store.rows.checkout import CheckoutSession
from purchases.store.rows.commands import StripeCommand
from purchases.store.rows.ledger import HISTORY, WAITING_FOR_BANK, Purchase, Transition
from purchases.store.rows.money import Charge, Dispute, ParkedPayment, Payment, Refund
from purchases.store.rows.plan import (
    Plan,
    Subscription,
    SubscriptionCharge,
    SubscriptionInvoice,
    WorkspaceDispute,
    WorkspaceRefund,
    WorkspaceResource,
)
from purchases.store.rows.refusals import StripeRefusal
from purchases.store.rows.registry import Addon, Workspace
from purchases.store.rows.review import ParkedDecision, ParkedReference

OUTBOX = outbox_table(Row.metadata)
INBOX = inbox_table(Row.metadata)
PARKED = parked_table(Row.metadata)

__all__ = [
    "HISTORY",
    "INBOX",
    "OUTBOX",
    "PARKED",
    "WAITING_FOR_BANK",
    "Addon",
    "Charge",
    "CheckoutSession",
    "Dispute",
    "ParkedDecision",
    "ParkedPayment",
    "ParkedReference",
    "Payment",
    "Plan",
    "Purchase",
    "Refund",
    "Row",
    "StripeBudget",
    "StripeCommand",
    "StripeRefusal",
    "Subscription",
    "SubscriptionCharge",
    "SubscriptionInvoice",
    "Transition",
    "Workspace",
    "WorkspaceDispute",
    "WorkspaceRefund",
    "WorkspaceResource",
]
