"""What happened in Stripe's account in a stretch of time: whole lists, page by page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.reading import Fetched, listed


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


FORGOTTEN_WITHIN: Final = timedelta(days=35)
"""So old may be what a restored database does not know: backups are kept for as long as the sweep looks back."""


def created_before(at: datetime) -> Any:
    """Return a list's filter for what a row of `at` names, which an earlier life of the database may have made."""
    return created_since(at - FORGOTTEN_WITHIN)


def paid_invoices(client: StripeClient, stretch: Stretch) -> AsyncIterator[Fetched]:
    """List the invoices that were made in it and are paid now."""
    params: Any = {"status": "paid", "created": stretch.created, "limit": 100}
    return listed("list_paid_invoices", client.v1.invoices.list_async(params=params))


def refunds(client: StripeClient, stretch: Stretch) -> AsyncIterator[Fetched]:
    """List every refund that was made in it."""
    return listed("list_refunds", client.v1.refunds.list_async(params={"created": stretch.created, "limit": 100}))


def disputes(client: StripeClient, stretch: Stretch) -> AsyncIterator[Fetched]:
    """List every dispute that was opened in it."""
    return listed("list_disputes", client.v1.disputes.list_async(params={"created": stretch.created, "limit": 100}))
