"""What happened in Stripe's account in a stretch of time: whole lists, page by page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stripe import StripeClient

from purchases.stripe_api.client import phase


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start`, and before `end`."""

    start: datetime
    end: datetime

    @property
    def created(self) -> Any:
        """Return it as Stripe's lists take it, in whole seconds."""
        return {"gte": int(self.start.timestamp()), "lt": int(self.end.timestamp())}


def created_since(at: datetime) -> Any:
    """Return a list's filter from five minutes before `at`, our time: clocks differ."""
    return {"gte": int((at - timedelta(minutes=5)).timestamp())}


async def paid_invoices(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """List the invoices that were made in it and are paid now."""
    async with phase("list_paid_invoices"):
        listed = await client.v1.invoices.list_async(
            params={"status": "paid", "created": stretch.created, "limit": 100}
        )
        async for invoice in listed.auto_paging_iter():
            yield invoice


async def refunds(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """List every refund that was made in it."""
    async with phase("list_refunds"):
        listed = await client.v1.refunds.list_async(params={"created": stretch.created, "limit": 100})
        async for refund in listed.auto_paging_iter():
            yield refund


async def disputes(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """List every dispute that was opened in it."""
    async with phase("list_disputes"):
        listed = await client.v1.disputes.list_async(params={"created": stretch.created, "limit": 100})
        async for dispute in listed.auto_paging_iter():
            yield dispute
