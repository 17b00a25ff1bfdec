"""What every Stripe event carries, and the two events that need no room of their own."""

from datetime import datetime
from typing import ClassVar

from contracts.fact import Fact


class StripeFact(Fact):
    """What every Stripe event carries.

    `occurred_at` is the event's `created`, in whole seconds: of one object the later event is the newer one, and two of
    the same second cannot be put in order.
    """

    stripe_event_id: str
    stripe_event_type: str
    api_version: str | None
    livemode: bool
    occurred_at: datetime
    object_id: str
    customer_id: str | None = None
    quittance_instance: str | None = None
    """Our metadata's `quittance_instance`; another instance's objects are left alone."""
    workspace_id: str | None = None
    purchase_id: str | None = None

    @property
    def identity(self) -> str:
        return self.stripe_event_id

    @property
    def subject(self) -> str:
        return self.object_id

    @property
    def key(self) -> str:
        return self.customer_id or self.object_id


class CustomerDeleted(StripeFact):
    """`customer.deleted`: `object_id` is the customer; the next need makes a new one."""

    TYPE: ClassVar = "billing.stripe.customer_deleted.v1"


class UnrecognisedEvent(StripeFact):
    """An event of a handled type in a shape that no rule covers: published raw, parked, never guessed."""

    TYPE: ClassVar = "billing.stripe.unrecognised.v1"

    reason: str
    body: str
