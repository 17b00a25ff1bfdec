"""Facts of Stripe about subscriptions."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.stripe_facts.event import StripeFact
from contracts.stripe_facts.words import CollectionMethod, PauseBehavior, SubscriptionStatus


class SubscriptionItem(BaseModel):
    """One price of a subscription. Ours have one: the plan's, monthly or yearly."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    item_id: str
    price_id: str
    lookup_key: str | None = None
    currency: str | None = None
    """ISO 4217, upper case."""
    interval: str | None = None
    """`month`, `year`; Stripe also knows `day` and `week`."""
    current_period_end: datetime | None = None


class SubscriptionFact(StripeFact):
    """The whole subscription as the event showed it, the same for every API version."""

    subscription_id: str
    status: SubscriptionStatus
    started_at: datetime | None = None
    current_period_end: datetime | None = None
    """Of the subscription, or the one that its items share; None when they differ, then the plan's item says it."""
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    """When it will end; newer versions of the portal set this one instead of `cancel_at_period_end`."""
    canceled_at: datetime | None = None
    """When somebody asked for the end; the subscription may still run."""
    ended_at: datetime | None = None
    """When it did end: it never comes back."""
    cancellation_reason: str | None = None
    """`cancellation_requested`, `payment_failed` or `payment_disputed`."""
    currency: str | None = None
    items: tuple[SubscriptionItem, ...] = ()
    latest_invoice_id: str | None = None
    default_payment_method_id: str | None = None
    """The payment method, or the older source, that this subscription is charged to, where it has its own."""
    pause_behavior: PauseBehavior | None = None
    """What becomes of its invoices while collection is paused; None while it is not."""
    pause_resumes_at: datetime | None = None
    """When collection goes on by itself; None: not before somebody says so."""
    collection_method: CollectionMethod | None = None
    """None in old events, and where the payload does not say."""
    schedule_id: str | None = None
    """The schedule that will change it."""
    purchase_ids: tuple[str, ...] = ()
    """Our metadata's `purchase_ids` and `purchase_ids_2`: the bundle that it was bought with."""


class SubscriptionChanged(SubscriptionFact):
    """`customer.subscription.created`, `.updated`, `.deleted`, `.paused` and `.resumed`: the newest one counts.

    `status` says all: of a deleted one it is `canceled` (or `incomplete_expired`) and stays so.
    """

    TYPE: ClassVar = "billing.stripe.subscription_changed.v1"


class SubscriptionTrialWillEnd(SubscriptionFact):
    """`customer.subscription.trial_will_end`: nothing has changed. We sell no trials; accepted, without effect."""

    TYPE: ClassVar = "billing.stripe.subscription_trial_will_end.v1"


class SubscriptionScheduleChanged(StripeFact):
    """`subscription_schedule.*`: what will become of a subscription was planned, changed, or done."""

    TYPE: ClassVar = "billing.stripe.subscription_schedule_changed.v1"

    schedule_id: str
    subscription_id: str | None = None
    """The one that it manages, or did until it was released; None before one has begun."""
    status: str
    """`not_started`, `active`, `completed`, `released` or `canceled`; nothing hangs on the word."""
