"""Subscription events: the whole subscription, the same for the shapes before and after 2025-03-31.basil."""

from typing import Any

from contracts.stripe_facts import SubscriptionChanged, SubscriptionTrialWillEnd
from contracts.stripe_facts.words import COLLECTION_METHODS, PAUSE_BEHAVIORS, SUBSCRIPTION_STATUSES
from webhook_gateway.presence import (
    Json,
    entries,
    flag,
    id_of,
    optional_currency,
    part,
    required_id,
    required_word,
    text,
    word,
)
from webhook_gateway.purchase_ids import purchase_ids_of
from webhook_gateway.stripe_event import StripeEvent, metadata_of, moment_of, origin
from webhook_gateway.told import Told


def subscription_changed(event: StripeEvent) -> Told:
    """`customer.subscription.created`, `.updated`, `.deleted`, `.paused`, `.resumed`: all show the same object."""
    return Told(SubscriptionChanged, _subscription(event))


def subscription_trial_will_end(event: StripeEvent) -> Told:
    """`customer.subscription.trial_will_end`: three days before; nothing has changed yet."""
    return Told(SubscriptionTrialWillEnd, _subscription(event))


def _subscription(event: StripeEvent) -> dict[str, Any]:
    """Source: https://docs.stripe.com/api/subscriptions/object and its changelog."""
    subscription = event.object
    old_period_end = moment_of(subscription, "current_period_end")
    items = [_item(item, old_period_end=old_period_end) for item in entries(subscription, "items")]
    fields = origin(event)
    fields.update(
        subscription_id=fields["object_id"],
        status=required_word(subscription, "status", known=SUBSCRIPTION_STATUSES),
        started_at=moment_of(subscription, "start_date") or moment_of(subscription, "created"),
        current_period_end=_shared(items, "current_period_end") if items else old_period_end,
        cancel_at_period_end=flag(subscription, "cancel_at_period_end"),
        cancel_at=moment_of(subscription, "cancel_at"),
        canceled_at=moment_of(subscription, "canceled_at"),
        ended_at=moment_of(subscription, "ended_at"),
        cancellation_reason=text(part(subscription, "cancellation_details"), "reason"),
        currency=optional_currency(subscription) or _shared(items, "currency"),
        items=items,
        latest_invoice_id=id_of(subscription.get("latest_invoice")),
        default_payment_method_id=_charged_to(subscription),
        pause_behavior=word(part(subscription, "pause_collection"), "behavior", known=PAUSE_BEHAVIORS),
        pause_resumes_at=moment_of(part(subscription, "pause_collection"), "resumes_at"),
        collection_method=word(subscription, "collection_method", known=COLLECTION_METHODS),
        schedule_id=id_of(subscription.get("schedule")),
        purchase_ids=purchase_ids_of(metadata_of(subscription)),
    )
    return fields


def _item(item: Json, *, old_period_end: str | None) -> dict[str, Any]:
    """`price`, before 2020-08-27 `plan`. The period is the subscription's up to 2025-02, then each item's own."""
    price = part(item, "price") or part(item, "plan")
    return {
        "item_id": required_id(item, "id"),
        "price_id": required_id(item, "price" if item.get("price") else "plan"),
        "lookup_key": text(price, "lookup_key"),
        "currency": optional_currency(price),
        "interval": text(part(price, "recurring"), "interval") or text(price, "interval"),
        "current_period_end": moment_of(item, "current_period_end") or old_period_end,
    }


def _charged_to(subscription: Json) -> str | None:
    return id_of(subscription.get("default_payment_method")) or id_of(subscription.get("default_source"))


def _shared(items: list[dict[str, Any]], name: str) -> str | None:
    """What all items say, if they say one thing."""
    values = {item[name] for item in items}
    return values.pop() if len(values) == 1 else None
