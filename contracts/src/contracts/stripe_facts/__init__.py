"""What Stripe sent, normalised: one fact per webhook event, the same for every API version. Internal."""

from contracts.stripe_facts.checkout import (
    CheckoutSessionCompleted,
    CheckoutSessionExpired,
    CheckoutSessionFact,
    CheckoutSessionPaid,
    CheckoutSessionUnpaid,
)
from contracts.stripe_facts.event import CustomerDeleted, StripeFact, UnrecognisedEvent
from contracts.stripe_facts.invoices import (
    InvoiceDeleted,
    InvoiceFact,
    InvoiceLine,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoicePart,
    InvoicePaymentActionRequired,
    InvoicePaymentFailed,
    InvoicePaymentLinked,
    InvoiceVoided,
)
from contracts.stripe_facts.money_back import ChargeRefunded, DisputeChanged, RefundChanged, RefundSnapshot
from contracts.stripe_facts.subscriptions import (
    SubscriptionChanged,
    SubscriptionFact,
    SubscriptionItem,
    SubscriptionScheduleChanged,
    SubscriptionTrialWillEnd,
)
from contracts.stripe_facts.words import SubscriptionStatus

__all__ = [
    "ChargeRefunded",
    "CheckoutSessionCompleted",
    "CheckoutSessionExpired",
    "CheckoutSessionFact",
    "CheckoutSessionPaid",
    "CheckoutSessionUnpaid",
    "CustomerDeleted",
    "DisputeChanged",
    "InvoiceDeleted",
    "InvoiceFact",
    "InvoiceLine",
    "InvoiceMarkedUncollectible",
    "InvoicePaid",
    "InvoicePart",
    "InvoicePaymentActionRequired",
    "InvoicePaymentFailed",
    "InvoicePaymentLinked",
    "InvoiceVoided",
    "RefundChanged",
    "RefundSnapshot",
    "StripeFact",
    "SubscriptionChanged",
    "SubscriptionFact",
    "SubscriptionItem",
    "SubscriptionScheduleChanged",
    "SubscriptionStatus",
    "SubscriptionTrialWillEnd",
    "UnrecognisedEvent",
]
