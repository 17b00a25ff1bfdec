"""Stripe's list of events, as far as it is asked whether they reached us."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.reading import Fetched, listed
from stripe_reader.stripe_json import integer

WATCHED: Final = (
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.voided",
    "invoice_payment.paid",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.closed",
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
)
"""What money and plans go by. Stripe takes twenty types at most (https://docs.stripe.com/api/events/list)."""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """An event that Stripe says it has."""

    id: str
    created_at: datetime


async def newest_events(client: StripeClient, since: datetime) -> AsyncIterator[ListedEvent]:
    """List the watched events since then, newest first; a call for each PAGE of them, when it is reached."""
    params: Any = {"types": list(WATCHED), "created": {"gte": int(since.timestamp())}, "limit": PAGE}
    async for event in listed("list_events", client.v1.events.list_async(params=params)):
        yield ListedEvent(event.id, _created(event))


def _created(event: Fetched) -> datetime:
    return datetime.fromtimestamp(event.read(lambda payload: integer(payload, "created")), UTC)
