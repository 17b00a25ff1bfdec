"""The copy of the catalog."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import AddonState
from purchases.store.rows import Addon


async def keep(session: AsyncSession, state: AddonState) -> None:
    """Store the add-on as the catalog told it, unless something newer is known."""
    values = {
        "id": state.addon_id,
        "sequence": state.sequence,
        "slug": state.slug,
        "name": state.name,
        "description": state.description,
        "bullets": list(state.bullets),
        "price_cents": state.price_cents,
        "currency": state.currency,
        "stripe_price_id": state.stripe_price_id,
        "is_active": state.is_active,
        "sort_order": state.sort_order,
    }
    told = insert(Addon).values(values)
    newer = told.on_conflict_do_update(
        index_elements=[Addon.id], set_=values, where=Addon.sequence < told.excluded.sequence
    )
    await session.execute(newer)


async def by_slug(session: AsyncSession, slug: str) -> Addon | None:
    """The add-on with this slug, active or not."""
    return (await session.execute(select(Addon).where(Addon.slug == slug))).scalar_one_or_none()


async def active(session: AsyncSession) -> Sequence[Addon]:
    """What is for sale, sorted as the catalog sorts it."""
    listed = select(Addon).where(Addon.is_active).order_by(Addon.sort_order, Addon.name)
    return (await session.execute(listed)).scalars().all()
