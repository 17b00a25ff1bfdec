"""What the API shows: to everyone without what is internal, to staff with it; money also in major units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from catalog.cursors import AddonPosition
from catalog.tables import Addon
from chassis.money import major_text
from chassis.web.cursors import NextCursor, cut_page

# Examples have no nulls: FastAPI leaves them out of the document.
EXAMPLE: Final[dict[str, Any]] = {
    "id": "6f6b1a52-3c1d-5e0e-9f0e-3f6a0d1f4990",
    "slug": "professional-ai-setup",
    "name": "Professional AI Setup",
    "description": "Our team sets up your AI assistants, prompts and integrations together with you.",
    "bullets": ["Kick-off call with your team", "Two weeks of support"],
    "price_cents": 49900,
    "currency": "EUR",
    "price": "499.00",
}
ADMIN_EXAMPLE: Final = EXAMPLE | {
    "stripe_price_id": "price_1SVq2jLkdIwHu7ixTzM0aVbC",
    "is_active": True,
    "sort_order": 0,
    "sequence": 2,
    "created_at": "2026-03-02T09:12:00.250000Z",
    "updated_at": "2026-03-02T09:15:42.118204Z",
}


class PublicAddon(BaseModel):
    """An add-on as everyone sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    slug: str
    name: str
    description: str | None
    bullets: list[str]
    price_cents: int = Field(description="Minor units of the currency")
    currency: str
    price: str = Field(description="The same in major units")


class AdminAddon(PublicAddon):
    """An add-on as staff see it; `sequence` counts its changes and is its ETag."""

    model_config = ConfigDict(json_schema_extra={"examples": [ADMIN_EXAMPLE]})

    stripe_price_id: str | None
    is_active: bool
    sort_order: int
    sequence: int
    created_at: datetime
    updated_at: datetime


class PublicAddons(BaseModel):
    """The add-ons that can be bought, in the order of the page."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE]}]})

    items: list[PublicAddon]


class AdminAddons(BaseModel):
    """A page of add-ons, active or not, in the order of the page."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [ADMIN_EXAMPLE], "next_cursor": "eyJzb3J0X29yZGVyIjowfQ"}]}
    )

    items: list[AdminAddon]
    next_cursor: NextCursor


def public_view(addon: Addon) -> PublicAddon:
    """Return the add-on as everyone sees it."""
    return PublicAddon(**_shown(addon))


def admin_view(addon: Addon) -> AdminAddon:
    """Return the add-on as staff see it."""
    return AdminAddon(
        **_shown(addon),
        stripe_price_id=addon.stripe_price_id,
        is_active=addon.is_active,
        sort_order=addon.sort_order,
        sequence=addon.sequence,
        created_at=addon.created_at,
        updated_at=addon.updated_at,
    )


def admin_views(found: Sequence[Addon], limit: int) -> AdminAddons:
    """Return the first `limit` of `found`, with the cursor of the page behind them."""
    shown, next_cursor = cut_page(found, limit, _position)
    return AdminAddons(items=[admin_view(addon) for addon in shown], next_cursor=next_cursor)


def _position(addon: Addon) -> AddonPosition:
    return AddonPosition(sort_order=addon.sort_order, name=addon.name, slug=addon.slug)


def _shown(addon: Addon) -> dict[str, Any]:
    return {
        "id": addon.id,
        "slug": addon.slug,
        "name": addon.name,
        "description": addon.description,
        "bullets": addon.bullets or [],
        "price_cents": addon.price_cents,
        "currency": addon.currency,
        "price": major_text(addon.price_cents, addon.currency),
    }
