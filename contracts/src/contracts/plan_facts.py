"""What the catalog says of a plan: its full state after each change, compacted."""

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
    """Empty until `bootstrap-stripe` has run for this price."""


class PlanState(Fact):
    """The plan as it is now; `sequence` increases by one with each change of it."""

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
