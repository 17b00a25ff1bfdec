"""The copy of the catalog."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Text, and_, any_, case, cast, func, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import AddonState
from purchases.catalog_copy.rows import Addon
from purchases.ledger.rows import Purchase


async def keep(session: AsyncSession, state: AddonState) -> None:
    """Store the catalog's add-on, unless something newer is known.

    A Stripe price that we made and the catalog does not know yet stays while price and currency do.
    """
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
    statement = insert(Addon).values(values)
    same_price = and_(
        Addon.price_cents == statement.excluded.price_cents, Addon.currency == statement.excluded.currency
    )
    known = func.coalesce(statement.excluded.stripe_price_id, case((same_price, Addon.stripe_price_id)))
    newer = statement.on_conflict_do_update(
        index_elements=[Addon.id],
        set_=values | {"stripe_price_id": known},
        where=Addon.sequence < statement.excluded.sequence,
    )
    await session.execute(newer)


async def is_renamed(session: AsyncSession, state: AddonState) -> bool:
    """Return whether the add-on has had another name until now."""
    other = select(Addon.id).where(
        Addon.id == state.addon_id, Addon.sequence < state.sequence, Addon.name != state.name
    )
    return (await session.execute(other)).first() is not None


async def name_of(session: AsyncSession, addon_id: uuid.UUID) -> str | None:
    """Return what the add-on is called now; None for an unknown one."""
    return (await session.execute(select(Addon.name).where(Addon.id == addon_id))).scalar_one_or_none()


async def keep_price(
    session: AsyncSession, *, addon_id: uuid.UUID, price_cents: int, currency: str, stripe_price_id: str
) -> int | None:
    """Store the Stripe price that was made for the add-on, and return the `sequence` of the state that it fits.

    `price_cents` in minor units of `currency`. None when it is known already, or the add-on costs something else now.
    """
    kept = (
        update(Addon)
        .where(
            Addon.id == addon_id,
            Addon.price_cents == price_cents,
            Addon.currency == currency,
            Addon.stripe_price_id.is_distinct_from(stripe_price_id),
        )
        .values(stripe_price_id=stripe_price_id)
        .returning(Addon.sequence)
    )
    return (await session.execute(kept)).scalar_one_or_none()


async def forget_price(session: AsyncSession, *, addon_id: uuid.UUID, stripe_price_id: str) -> None:
    """Drop the price, which Stripe does not take any more: the next purchase has another one made."""
    known = update(Addon).where(Addon.id == addon_id, Addon.stripe_price_id == stripe_price_id)
    await session.execute(known.values(stripe_price_id=None))


async def withdraw(session: AsyncSession, *, addon_id: uuid.UUID, price_cents: int, currency: str) -> int | None:
    """Sell the add-on no more until the catalog publishes it anew; return the `sequence` of the state that was sold.

    None when it is not sold, or costs something else by now.
    """
    sold = update(Addon).where(
        Addon.id == addon_id, Addon.price_cents == price_cents, Addon.currency == currency, Addon.is_active
    )
    withdrawn = sold.values(is_active=False).returning(Addon.sequence)
    return (await session.execute(withdrawn)).scalar_one_or_none()


async def by_slug(session: AsyncSession, slug: str) -> Addon | None:
    """Return the add-on with this slug, active or not."""
    return (await session.execute(select(Addon).where(Addon.slug == slug))).scalar_one_or_none()


async def active(session: AsyncSession) -> Sequence[Addon]:
    """List what is for sale, sorted as the catalog sorts it."""
    listed = select(Addon).where(Addon.is_active).order_by(Addon.sort_order, Addon.name)
    return (await session.execute(listed)).scalars().all()


async def of_prices(session: AsyncSession, price_ids: Collection[str]) -> set[str]:
    """Return those of Stripe's prices at which an add-on is sold now, or a purchase was."""
    if not price_ids:
        return set()
    wanted = cast(list(price_ids), ARRAY(Text))
    sold = union(
        select(Addon.stripe_price_id).where(Addon.stripe_price_id == any_(wanted)),
        select(Purchase.stripe_price_id).where(Purchase.stripe_price_id == any_(wanted)),
    )
    return set(map(str, (await session.execute(sold)).scalars()))
