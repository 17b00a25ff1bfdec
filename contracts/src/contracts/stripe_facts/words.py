"""Stripe's status words, as its API description documents them: another one is an unknown shape, never guessed.

Source: https://github.com/stripe/openapi, from 2020-08-27 to 2026-08-26.dahlia.
"""

from typing import Final, Literal, get_args

RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]

DisputeStatus = Literal[
    "appeal_needs_response",
    "appeal_under_review",
    "charge_refunded",
    "lost",
    "needs_response",
    "prevented",
    "under_review",
    "warning_closed",
    "warning_needs_response",
    "warning_under_review",
    "won",
]
"""`charge_refunded` in old versions only, `appeal_…` and `prevented` in new ones."""

SubscriptionStatus = Literal[
    "active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"
]

CollectionMethod = Literal["charge_automatically", "send_invoice"]

PauseBehavior = Literal["keep_as_draft", "mark_uncollectible", "void"]

InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]

CheckoutPaymentStatus = Literal["no_payment_required", "paid", "unpaid"]

PaymentIntentStatus = Literal[
    "canceled",
    "processing",
    "requires_action",
    "requires_capture",
    "requires_confirmation",
    "requires_payment_method",
    "succeeded",
]

REFUND_STATUSES: Final[frozenset[str]] = frozenset(get_args(RefundStatus))
DISPUTE_STATUSES: Final[frozenset[str]] = frozenset(get_args(DisputeStatus))
FINAL_DISPUTE_STATUSES: Final = frozenset({"charge_refunded", "lost", "prevented", "warning_closed", "won"})
"""After these nothing is left to be answered. Source: https://docs.stripe.com/api/disputes/object#dispute_object-status."""
SUBSCRIPTION_STATUSES: Final[frozenset[str]] = frozenset(get_args(SubscriptionStatus))
COLLECTION_METHODS: Final[frozenset[str]] = frozenset(get_args(CollectionMethod))
PAUSE_BEHAVIORS: Final[frozenset[str]] = frozenset(get_args(PauseBehavior))
INVOICE_STATUSES: Final[frozenset[str]] = frozenset(get_args(InvoiceStatus))
CHECKOUT_PAYMENT_STATUSES: Final[frozenset[str]] = frozenset(get_args(CheckoutPaymentStatus))
PAYMENT_INTENT_STATUSES: Final[frozenset[str]] = frozenset(get_args(PaymentIntentStatus))
SETUP_INTENT_STATUSES: Final = PAYMENT_INTENT_STATUSES - {"requires_capture"}
CHECKOUT_STATUSES: Final = frozenset({"complete", "expired", "open"})
INVOICE_PAYMENT_STATUSES: Final = frozenset({"canceled", "open", "paid"})
