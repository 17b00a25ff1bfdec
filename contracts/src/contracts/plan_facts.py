"""What is said of a plan: by the catalog its full state, compacted; by purchases the Stripe price made for it."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from contracts.fact import Fact

Interval = Literal["month", "year"]


class PlanPrice(BaseModel):
    """What the plan costs per interval in one currency."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    interval: Interval
    currency: str
    """ISO 4217, upper case."""
    price_cents: int
    """Minor units of `currency`."""
    stripe_price_id: str | None = None
    """Empty until purchases has made or found it at Stripe: the price is not sold yet."""
    pending_price_cents: int | None = None
    """What it was edited to: sold from when its Stripe price is there, while `price_cents` sells until then."""


class PlanState(Fact):
    """The plan as it is now; `sequence` rises with each change of it, and may leap."""

    TYPE: ClassVar = "billing.plan.state.v1"

    plan: str
    """Its slug: `free` or `builder`."""
    sequence: int
    occurred_at: datetime
    name: str
    caps: Mapping[str, int | None]
    """Resource name → how many a workspace may have, None for no cap."""
    prices: tuple[PlanPrice, ...] = ()
    stripe_product_id: str | None = None

    @property
    def identity(self) -> str:
        return f"{self.plan}:{self.sequence}"

    @property
    def subject(self) -> str:
        return self.plan

    @property
    def key(self) -> str:
        return self.plan


class PlanPriceProvisioned(Fact):
    """Purchases found or made a plan's Stripe price; the catalog keeps it while the plan costs that, or is to."""

    TYPE: ClassVar = "billing.plan.price.v1"

    plan: str
    """Its slug."""
    sequence: int
    """The state of the plan (`PlanState.sequence`) that the price was made for."""
    occurred_at: datetime
    interval: Interval
    currency: str
    """ISO 4217, upper case."""
    price_cents: int
    """Minor units of `currency`; of a Stripe price they never change."""
    stripe_price_id: str
    stripe_product_id: str
    quittance_instance: str
    """Whose Stripe object it is; another instance's is left alone."""

    @property
    def identity(self) -> str:
        """Of one price for one state: a price that fits again later is published again."""
        return f"{self.stripe_price_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return self.plan

    @property
    def key(self) -> str:
        return self.plan
