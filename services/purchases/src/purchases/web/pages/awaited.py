"""What a purchase waits for, who can do something about it, and how often its row asks for itself again meanwhile."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from purchases.checkout.rows import CheckoutSession
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status

INTERVALS: Final = (
    (60, 2),
    (180, 5),
    (600, 15),
)
"""Until so many seconds have passed, a page asks every so many: often at first, then less, then no more."""


def interval_after(seconds: int) -> int | None:
    """Return the seconds until the page asks again; None when it did for long enough."""
    return next((every for until, every in INTERVALS if seconds < until), None)


def trigger_after(seconds: int) -> str | None:
    """Return the same in htmx's words."""
    every = interval_after(seconds)
    return None if every is None else f"every {every}s"


class Answer(StrEnum):
    """What the bank is said to have answered, in Stripe's words for its `redirect_status`. It is proof of nothing."""

    YES = "succeeded"
    NO = "failed"


class Awaited(StrEnum):
    """What stands between a purchase and its end."""

    BANK = "bank"
    """Its buyer's word there."""
    DEBIT = "debit"
    """A bank is at work on a debit: nobody has a step to take, and it takes days."""
    STRIPE = "stripe"
    """What became of the payment."""
    CHECKOUT = "checkout"
    """Somebody pays the plan, with which it is sold."""
    CLOSING = "closing"
    """It has failed, and nobody must be able to pay it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Since when somebody looks on, seconds since 1970, and with which answer they came back from the bank."""

    since: int
    now: int
    answer: Answer | None = None

    @property
    def trigger(self) -> str | None:
        """The interval in htmx's words; None once it was long enough."""
        return trigger_after(self.now - self.since)

    @property
    def query(self) -> str:
        """The part of an address that makes the same watch."""
        return urlencode({"since": str(self.since)} | ({"returned": self.answer.value} if self.answer else {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Of one purchase; `what` is None where nothing is awaited."""

    what: Awaited | None
    watch: Watch
    until: datetime | None = None
    """When the Checkout that sells it expires."""

    @property
    def trigger(self) -> str | None:
        """How often to ask again; None where nothing comes by itself, or has not come for long."""
        return None if self.what in {None, Awaited.CHECKOUT, Awaited.DEBIT} else self.watch.trigger

    @property
    def answer(self) -> Answer | None:
        """What the bank is said to have answered, while that can be why nothing was heard yet."""
        return self.watch.answer if self.what is Awaited.BANK and self.watch.trigger else None


def watch_of(since: int | None = None, returned: str | None = None) -> Watch:
    """Read the watch of an address; it begins now where the address names no moment."""
    now = int(time.time())
    return Watch(since=now if since is None else min(since, now), now=now, answer=answer_of(returned))


def answer_of(said: str | None) -> Answer | None:
    """Return the answer that Stripe names in the address; None for what is none."""
    return Answer(said) if said in set(Answer) else None


def wait_of(purchase: Purchase, live: CheckoutSession | None, watch: Watch) -> Wait:
    """Return what the purchase waits for; `live`: the workspace's open Checkout."""
    if purchase.status is not Status.PENDING:
        return Wait(what=Awaited.CLOSING if purchase.payable else None, watch=watch)
    if purchase.waiting_for is not None:
        return Wait(what=Awaited.DEBIT, watch=watch)
    if purchase.action_url is not None:
        return Wait(what=Awaited.BANK, watch=watch)
    if live is not None and str(purchase.id) in live.purchase_ids and live.expires_at > datetime.now(UTC):
        return Wait(what=Awaited.CHECKOUT, watch=watch, until=live.expires_at)
    return Wait(what=Awaited.STRIPE, watch=watch)
