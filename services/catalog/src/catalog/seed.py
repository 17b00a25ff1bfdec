"""What every new catalog starts with; planting it again changes nothing, whatever became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import SEED
from catalog.publisher import addon_state, plan_state, publish_change

PROFESSIONAL_AI_SETUP: Final[dict[str, Any]] = {
    "id": UUID("6f6b1a52-3c1d-5e0e-9f0e-3f6a0d1f4990"),
    "slug": "professional-ai-setup",
    "name": "Professional AI Setup",
    "description": "Our team sets up your AI assistants, prompts and integrations together with you.",
    "bullets": ["Kick-off call with your team", "Assistants and prompts made for your work", "Two weeks of support"],
    "price_cents": 49900,
    "currency": "EUR",
    "is_active": False,
}
FREE: Final[dict[str, Any]] = {
    "slug": "free",
    "name": "Free",
    "caps": {"projects": 1, "seats": 1, "byok_keys": 0},
}
BUILDER: Final[dict[str, Any]] = {
    "slug": "builder",
    "name": "Builder",
    "caps": {"projects": None, "seats": 10, "byok_keys": None},
}
PRICES: Final[Mapping[str, Sequence[dict[str, Any]]]] = {
    "free": (),
    "builder": [
        {"interval": interval, "currency": currency, "price_cents": cents}
        for currency in ("EUR", "USD")
        for interval, cents in (("month", 900), ("year", 8900))
    ],
}


async def plant_seed(*, session: AsyncSession, now: datetime) -> list[str]:
    """Add and publish what is not there yet, by its slug or id; say what was added."""
    planted = [await _plant_addon(session, PROFESSIONAL_AI_SETUP, now)]
    planted += [await _plant_plan(session, plan, now) for plan in (FREE, BUILDER)]
    return [slug for slug in planted if slug]


async def _plant_addon(session: AsyncSession, values: dict[str, Any], now: datetime) -> str | None:
    addon = await store.insert_addon(session, values | {"created_at": now, "updated_at": now})
    if addon is None:
        return None
    publish_change(session, action="created", by=SEED, before=None, after=addon_state(addon), occurred_at=now)
    return addon.slug


async def _plant_plan(session: AsyncSession, values: dict[str, Any], now: datetime) -> str | None:
    dated = values | {"created_at": now, "updated_at": now}
    plan = await store.insert_plan(session, dated, PRICES[values["slug"]])
    if plan is None:
        return None
    publish_change(session, action="created", by=SEED, before=None, after=plan_state(plan), occurred_at=now)
    return plan.slug
