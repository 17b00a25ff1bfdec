"""Our copy of what the catalog sells."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from purchases.stripe_api.values import SoldAddon
from purchases.tables import Row


class Addon(Row):
    """Purchases' own copy of the catalog, kept by its facts: no service calls another in the buying path."""

    __tablename__ = "addons"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str | None] = mapped_column(Text)
    bullets: Mapped[list[str]]
    price_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    stripe_price_id: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool]
    sort_order: Mapped[int]

    @property
    def sold(self) -> SoldAddon:
        """Return it as it sells now."""
        return SoldAddon(
            addon_id=self.id, slug=self.slug, name=self.name, price_cents=self.price_cents, currency=self.currency
        )


class Plan(Row):
    """Purchases' own copy of the catalog's plan, kept by its facts."""

    __tablename__ = "plans"

    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    caps: Mapped[dict[str, int | None]] = mapped_column(JSONB)
    """Resource name → how many a workspace may have, null for no cap."""
    prices: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """As the fact has them: `interval`, `currency`, `price_cents`, `stripe_price_id`."""
    stripe_product_id: Mapped[str | None] = mapped_column(Text)
