"""What the catalog takes from Kafka: the prices that purchases made at Stripe, and those that Stripe refused."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.handlers.plans import store_plan_price
from catalog.handlers.provisioned_prices import apply_addon_prices
from chassis.kafka.records import Received
from contracts import ADDON_PRICE, PLAN_PRICE, AddonPriceProvisioned, AddonPriceRefused, PlanPriceProvisioned

GROUP: Final = "catalog"
TOPICS: Final = (ADDON_PRICE.name, PLAN_PRICE.name)


async def apply_facts(session: AsyncSession, batch: Sequence[Received], *, instance: str) -> None:
    """Apply one batch, in its order."""
    prices = [record.fact for record in batch if isinstance(record.fact, AddonPriceProvisioned | AddonPriceRefused)]
    for record in batch:
        if isinstance(record.fact, PlanPriceProvisioned):
            await store_plan_price(session=session, fact=record.fact, instance=instance, now=datetime.now(UTC))
    await apply_addon_prices(session=session, facts=prices, instance=instance, now=datetime.now(UTC))
