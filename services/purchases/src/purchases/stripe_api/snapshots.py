"""A subscription as the domain knows it, of an event or of what was fetched: the same to us."""

from collections.abc import Collection, Sequence
from typing import Final

from contracts.stripe_facts import SubscriptionFact
from contracts.stripe_facts import SubscriptionItem as StripeItem
from purchases.stripe_api.values import Snapshot
from stripe_reader.subscriptions import Subscription, SubscriptionItem

INTERVALS: Final = frozenset({"month", "year"})


def snapshot_of(subscription: SubscriptionFact | Subscription, *, prices: Collection[str], instance: str) -> Snapshot:
    """Return the subscription; what is paid and until when, the plan's item says. `prices` as in `plan_item`."""
    item = plan_item(subscription, prices=prices, instance=instance)
    return Snapshot(
        subscription_id=subscription.subscription_id,
        status=subscription.status,
        customer_id=subscription.customer_id,
        price_id=item.price_id if item else None,
        interval=item.interval if item and item.interval in INTERVALS else None,
        currency=subscription.currency or (item.currency if item else None),
        started_at=subscription.started_at,
        current_period_end=(item.current_period_end if item else None) or subscription.current_period_end,
        cancel_at_period_end=subscription.cancel_at_period_end,
        cancel_at=subscription.cancel_at,
        canceled_at=subscription.canceled_at,
        ended_at=subscription.ended_at,
        latest_invoice_id=subscription.latest_invoice_id,
        default_payment_method_id=subscription.default_payment_method_id,
        pause_behavior=subscription.pause_behavior,
        pause_resumes_at=subscription.pause_resumes_at,
        collection_method=subscription.collection_method,
        schedule_id=subscription.schedule_id,
    )


def plan_item(
    subscription: SubscriptionFact | Subscription, *, prices: Collection[str], instance: str
) -> StripeItem | SubscriptionItem | None:
    """Return the plan's item: the first one at a price of ours, else the first; None where none is shown.

    `prices` are Stripe's ids of what the plans cost now.
    """
    items: Sequence[StripeItem | SubscriptionItem] = subscription.items
    ours = (item for item in items if is_our_price(item, prices=prices, instance=instance))
    return next(ours, None) or next(iter(items), None)


def is_our_price(item: StripeItem | SubscriptionItem, *, prices: Collection[str], instance: str) -> bool:
    """Return whether it is a price that the plan has now, or one that `bootstrap-stripe` made."""
    return item.price_id in prices or (item.lookup_key or "").startswith(f"quittance:{instance}:")
