"""The add-on that every new catalog starts with; planting it again changes nothing, whatever became of it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.publisher import publish_state

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


async def plant_seed(*, session: AsyncSession, now: datetime) -> bool:
    """Add and publish the seed unless its slug or id is there already; say whether it was added."""
    addon = await store.insert_addon(session, PROFESSIONAL_AI_SETUP | {"created_at": now, "updated_at": now})
    if addon is not None:
        publish_state(session, addon)
    return addon is not None
