"""What the catalog says of an add-on: its full state after each change, compacted."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.fact import Fact


class AddonState(Fact):
    """The add-on as it is now; `sequence` increases by one with each change of it."""

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
