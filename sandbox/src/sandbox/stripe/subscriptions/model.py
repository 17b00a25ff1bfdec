"""What a subscription is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from sandbox.stripe.model import Price
from sandbox.stripe.thing import Json, Thing

OVER: Final = ("canceled", "incomplete_expired")
"""Statuses that a subscription never leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItem(Thing):
    """One price that is billed for each period."""

    kind: ClassVar[str] = "subscription_item"

    subscription: str
    price: Price
    quantity: int = 1
    period_start: int
    period_end: int

    @property
    def amount(self) -> int:
        """What a whole period costs, in minor units."""
        return self.price.unit_amount * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Thing):
    """Statuses: incomplete, incomplete_expired, trialing, active, past_due, unpaid, paused, canceled.

    `anchor` is the time that its periods are counted from. `missing_payment_method` says what a trial without a
    card ends in: create_invoice, pause or cancel.
    """

    kind: ClassVar[str] = "subscription"

    customer: str
    status: str = "incomplete"
    currency: str
    items: tuple[SubscriptionItem, ...]
    anchor: int
    collection_method: str = "charge_automatically"
    days_until_due: int | None = None
    default_payment_method: str | None = None
    description: str | None = None
    latest_invoice: str | None = None
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    canceled_at: int | None = None
    ended_at: int | None = None
    cancellation: Mapping[str, str | None]
    trial_start: int | None = None
    trial_end: int | None = None
    trial_end_announced: bool = False
    missing_payment_method: str = "create_invoice"
    pause_collection: Json | None = None

    @property
    def period_start(self) -> int:
        """When the current period began; all items have the same."""
        return self.items[0].period_start

    @property
    def period_end(self) -> int:
        """When the current period ends."""
        return self.items[0].period_end

    @property
    def is_over(self) -> bool:
        """Whether it never comes back."""
        return self.status in OVER


def no_cancellation() -> dict[str, str | None]:
    """Return `cancellation_details` of a subscription that nobody cancelled."""
    return {"comment": None, "feedback": None, "reason": None}
