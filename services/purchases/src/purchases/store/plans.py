"""The copy of the catalog's plans."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import PlanState
from purchases.store.rows import Plan


async def keep(session: AsyncSession, state: PlanState) -> None:
    """Store the plan as the catalog told it, unless something newer is known; its caps hold from this commit on."""
    values = {
        "slug": state.plan,
        "sequence": state.sequence,
        "name": state.name,
        "caps": dict(state.caps),
        "prices": [price.model_dump(mode="json") for price in state.prices],
        "stripe_product_id": state.stripe_product_id,
    }
    told = insert(Plan).values(values)
    newer = told.on_conflict_do_update(
        index_elements=[Plan.slug], set_=values, where=Plan.sequence < told.excluded.sequence
    )
    await session.execute(newer)


async def known(session: AsyncSession) -> Sequence[Plan]:
    """Every plan, as far as the catalog has told."""
    return (await session.execute(select(Plan).order_by(Plan.slug))).scalars().all()


async def price_ids(session: AsyncSession) -> frozenset[str]:
    """Stripe's ids of what the plans cost now."""
    prices = (price["stripe_price_id"] for plan in await known(session) for price in plan.prices)
    return frozenset(price for price in prices if price)
