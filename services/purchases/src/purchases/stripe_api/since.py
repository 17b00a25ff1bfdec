"""What happened in Stripe's account in a stretch of time: whole lists, page by page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stripe import StripeClient

from purchases.stripe_api.client import phase
from purchases.stripe_api.invoices import EXPAND_PAID


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start`, and before `end`."""

    start: datetime
    end: datetime

    @property
    def created(self) -> Any:
        """As Stripe's lists take it, in whole seconds."""
        return {"gte": int(self.start.timestamp()), "lt": int(self.end.timestamp())}


async def paid_invoices(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """Invoices that were made in it and are paid now."""
    async with phase("list_paid_invoices"):
        listed = await client.v1.invoices.list_async(
            params={"status": "paid", "created": stretch.created, "limit": 100}
        )
        async for invoice in listed.auto_paging_iter():
            yield invoice


async def refunds(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """Every refund that was made in it."""
    async with phase("list_refunds"):
        listed = await client.v1.refunds.list_async(params={"created": stretch.created, "limit": 100})
        async for refund in listed.auto_paging_iter():
            yield refund


async def disputes(client: StripeClient, stretch: Stretch) -> AsyncIterator[Any]:
    """Every dispute that was opened in it."""
    async with phase("list_disputes"):
        listed = await client.v1.disputes.list_async(params={"created": stretch.created, "limit": 100})
        async for dispute in listed.auto_paging_iter():
            yield dispute


async def whole_invoice(client: StripeClient, invoice_id: str) -> Any:
    """One invoice with its payments, which lists leave out."""
    async with phase("look_at_invoice"):
        return await client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND_PAID})
