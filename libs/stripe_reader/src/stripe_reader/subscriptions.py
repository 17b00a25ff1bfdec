"""Subscriptions, the same for the shapes before and after 2025-03-31.basil. Schedules are read here, too."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from contracts.stripe_facts.words import COLLECTION_METHODS, PAUSE_BEHAVIORS, SUBSCRIPTION_STATUSES
from stripe_reader.origin import StripeObject, metadata_of, purchase_ids_of, read_origin
from stripe_reader.stripe_json import (
    Json,
    entries,
    flag,
    id_of,
    optional_currency,
    optional_time,
    part,
    required_id,
    required_text,
    required_word,
    text,
    word,
)
from stripe_reader.value import Value

T = TypeVar("T")


class SubscriptionItem(Value):
    """One price of a subscription."""

    item_id: str
    price_id: str
    lookup_key: str | None
    currency: str | None
    interval: str | None
    current_period_end: datetime | None


class Subscription(StripeObject):
    """A whole subscription. `contracts.stripe_facts.SubscriptionFact` explains each field."""

    subscription_id: str
    status: str
    started_at: datetime | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    cancellation_reason: str | None
    currency: str | None
    items: tuple[SubscriptionItem, ...]
    latest_invoice_id: str | None
    default_payment_method_id: str | None
    pause_behavior: str | None
    pause_resumes_at: datetime | None
    collection_method: str | None
    schedule_id: str | None
    purchase_ids: tuple[str, ...]


def read_subscription(subscription: Json) -> Subscription:
    """Return what a subscription says. Raises UnknownShape.

    Source: https://docs.stripe.com/api/subscriptions/object and its changelog.
    """
    old_period_end = optional_time(subscription, "current_period_end")
    items = tuple([_item(item, old_period_end=old_period_end) for item in entries(subscription, "items")])
    origin, pause = read_origin(subscription), part(subscription, "pause_collection")
    return Subscription(
        **origin,
        subscription_id=origin["object_id"],
        status=required_word(subscription, "status", known=SUBSCRIPTION_STATUSES),
        started_at=optional_time(subscription, "start_date") or optional_time(subscription, "created"),
        current_period_end=_shared([item.current_period_end for item in items]) if items else old_period_end,
        cancel_at_period_end=flag(subscription, "cancel_at_period_end"),
        cancel_at=optional_time(subscription, "cancel_at"),
        canceled_at=optional_time(subscription, "canceled_at"),
        ended_at=optional_time(subscription, "ended_at"),
        cancellation_reason=text(part(subscription, "cancellation_details"), "reason"),
        currency=optional_currency(subscription) or _shared([item.currency for item in items]),
        items=items,
        latest_invoice_id=id_of(subscription.get("latest_invoice")),
        default_payment_method_id=_charged_to(subscription),
        pause_behavior=word(pause, "behavior", known=PAUSE_BEHAVIORS),
        pause_resumes_at=optional_time(pause, "resumes_at"),
        collection_method=word(subscription, "collection_method", known=COLLECTION_METHODS),
        schedule_id=id_of(subscription.get("schedule")),
        purchase_ids=purchase_ids_of(metadata_of(subscription)),
    )


def _item(item: Json, *, old_period_end: datetime | None) -> SubscriptionItem:
    """Read `price`, before 2020-08-27 `plan`. The period is the subscription's up to 2025-02, then each item's own."""
    price = part(item, "price") or part(item, "plan")
    return SubscriptionItem(
        item_id=required_id(item, "id"),
        price_id=required_id(item, "price" if item.get("price") else "plan"),
        lookup_key=text(price, "lookup_key"),
        currency=optional_currency(price),
        interval=text(part(price, "recurring"), "interval") or text(price, "interval"),
        current_period_end=optional_time(item, "current_period_end") or old_period_end,
    )


def _charged_to(subscription: Json) -> str | None:
    return id_of(subscription.get("default_payment_method")) or id_of(subscription.get("default_source"))


def _shared(values: Sequence[T]) -> T | None:
    """Return what all items say, if they say one thing."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


class SubscriptionSchedule(StripeObject):
    """A schedule, and the subscription that it changes or has released."""

    schedule_id: str
    subscription_id: str | None
    status: str


def read_subscription_schedule(schedule: Json) -> SubscriptionSchedule:
    """Return what a schedule says. Raises UnknownShape.

    Source: https://docs.stripe.com/api/subscription_schedules/object.
    """
    origin = read_origin(schedule)
    return SubscriptionSchedule(
        **origin,
        schedule_id=origin["object_id"],
        subscription_id=id_of(schedule.get("subscription")) or id_of(schedule.get("released_subscription")),
        status=required_text(schedule, "status"),
    )
