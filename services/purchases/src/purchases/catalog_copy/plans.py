"""The copy of the catalog's plans."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import PlanState
from purchases.catalog_copy.rows import Plan


async def keep(session: AsyncSession, state: PlanState) -> bool:
    """Store the catalog's plan unless something newer is known, and return whether it was; its caps hold at once."""
    values = {
        "slug": state.plan,
        "sequence": state.sequence,
        "name": state.name,
        "caps": dict(state.caps),
        "prices": [price.model_dump(mode="json") for price in state.prices],
        "stripe_product_id": state.stripe_product_id,
    }
    statement = insert(Plan).values(values)
    newer = statement.on_conflict_do_update(
        index_elements=[Plan.slug], set_=values, where=Plan.sequence < statement.excluded.sequence
    )
    return (await session.execute(newer.returning(Plan.slug))).first() is not None


def lacks_a_price(state: PlanState) -> bool:
    """Return whether something that it costs, or is to cost, is not at Stripe yet."""
    return any(price.stripe_price_id is None or price.pending_price_cents is not None for price in state.prices)


async def find(session: AsyncSession, slug: str) -> Plan | None:
    """Return the plan; None for one that the catalog has not published, or not yet."""
    return await session.get(Plan, slug, populate_existing=True)


async def keep_price(
    session: AsyncSession,
    *,
    plan: str,
    slot: tuple[str, str],
    price_cents: int,
    stripe_price_id: str,
    stripe_product_id: str,
) -> int | None:
    """Sell the plan at this Stripe price from now on, and return the `sequence` of the state that it fits.

    `slot` is interval and currency; `price_cents` in minor units. None when it is known already, or the plan neither
    costs that nor is to.
    """
    row = await session.get(Plan, plan, with_for_update=True, populate_existing=True)
    if row is None:
        return None
    prices = [dict(price) for price in row.prices]
    for price in prices:
        costs = (price.get("pending_price_cents"), price["price_cents"])
        if (price["interval"], price["currency"]) == slot and price_cents in costs:
            price |= {"stripe_price_id": stripe_price_id}
            if price_cents == price.get("pending_price_cents"):
                price |= {"price_cents": price_cents, "pending_price_cents": None}
    if prices == row.prices:
        return None
    row.prices, row.stripe_product_id = prices, stripe_product_id
    return row.sequence


async def known(session: AsyncSession) -> Sequence[Plan]:
    """List every plan that the catalog has published."""
    return (await session.execute(select(Plan).order_by(Plan.slug))).scalars().all()


async def price_ids(session: AsyncSession) -> frozenset[str]:
    """Return Stripe's ids of what the plans cost now."""
    prices = (price["stripe_price_id"] for plan in await known(session) for price in plan.prices)
    return frozenset(price for price in prices if price)
