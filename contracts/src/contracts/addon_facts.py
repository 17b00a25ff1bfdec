"""What is said of an add-on: by the catalog its full state, compacted; by purchases the Stripe price made for it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.fact import Fact


class AddonState(Fact):
    """The add-on as it is now; `sequence` rises with each change of it, and may leap."""

    TYPE: ClassVar = "billing.addon.state.v1"

    addon_id: UUID
    sequence: int
    occurred_at: datetime
    slug: str
    name: str
    description: str | None = None
    bullets: tuple[str, ...] = ()
    price_cents: int
    """Minor units of `currency`."""
    currency: str
    stripe_price_id: str | None = None
    is_active: bool
    sort_order: int

    @property
    def identity(self) -> str:
        return f"{self.addon_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return str(self.addon_id)

    @property
    def key(self) -> str:
        return str(self.addon_id)


class AddonPriceProvisioned(Fact):
    """Purchases made a Stripe price for the add-on; the catalog keeps it while price and currency are still those."""

    TYPE: ClassVar = "billing.addon.price.v1"

    addon_id: UUID
    sequence: int
    """The state of the add-on (`AddonState.sequence`) that the price was made for."""
    occurred_at: datetime
    stripe_price_id: str
    price_cents: int
    """Minor units of `currency`; of a Stripe price they never change."""
    currency: str
    quittance_instance: str
    """Whose Stripe object it is; another instance's is left alone."""

    @property
    def identity(self) -> str:
        """Of one price for one state: a price that fits again later is published again."""
        return f"{self.stripe_price_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return str(self.addon_id)

    @property
    def key(self) -> str:
        return str(self.addon_id)


class AddonPriceRefused(Fact):
    """Stripe does not charge what the add-on costs: the catalog takes it off sale while price and currency are those.

    The team is not mailed: the refusal is kept for staff, and the add-on's history says why it is off sale.
    """

    TYPE: ClassVar = "billing.addon.price_refused.v1"

    addon_id: UUID
    sequence: int
    """The state of the add-on (`AddonState.sequence`) whose price was refused."""
    occurred_at: datetime
    price_cents: int
    """Minor units of `currency`."""
    currency: str
    stripe_code: str
    """Stripe's error code: `amount_too_small` or `amount_too_large`."""
    quittance_instance: str
    """Whose Stripe account refused it; another instance's is left alone."""

    @property
    def identity(self) -> str:
        """Once for each state: an add-on that is sold again is another state."""
        return f"{self.addon_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return str(self.addon_id)

    @property
    def key(self) -> str:
        return str(self.addon_id)
