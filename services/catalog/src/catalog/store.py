"""Reads and writes plan_addons; the only module with its queries."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import collate, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.limits import SLUG_LENGTH
from catalog.tables import Addon

ROOM_FOR_SUFFIX: Final = 12
# One order in every database, whatever its locale: capitals and small letters are the same, ties go by the slug.
PAGE_ORDER: Final = (Addon.sort_order, func.lower(collate(Addon.name, "pg_unicode_fast")), Addon.slug)


async def all_addons(session: AsyncSession) -> Sequence[Addon]:
    """Every add-on, in the order of the page."""
    return (await session.scalars(select(Addon).order_by(*PAGE_ORDER))).all()


async def active_addons(session: AsyncSession) -> Sequence[Addon]:
    """The add-ons that customers see, in the order of the page."""
    active = select(Addon).where(Addon.is_active).order_by(*PAGE_ORDER)
    return (await session.scalars(active)).all()


async def addon_by_id(session: AsyncSession, addon_id: UUID) -> Addon | None:
    """The add-on, if there is one."""
    return await session.get(Addon, addon_id)


async def locked_addon(session: AsyncSession, addon_id: UUID) -> Addon | None:
    """The add-on as it is now, locked until the transaction ends."""
    return await session.get(Addon, addon_id, with_for_update=True, populate_existing=True)


async def taken_slugs(session: AsyncSession, *, wanted: str) -> set[str]:
    """The slugs that `wanted`, or `wanted` cut and with a suffix, could collide with."""
    stem = wanted[: SLUG_LENGTH - ROOM_FOR_SUFFIX]
    return set(await session.scalars(select(Addon.slug).where(Addon.slug.startswith(stem, autoescape=True))))


async def insert_addon(session: AsyncSession, values: dict[str, Any]) -> Addon | None:
    """The new add-on, or None when its slug or id was taken; waits for a transaction that is about to take it."""
    statement = insert(Addon).values(values).on_conflict_do_nothing().returning(Addon)
    return (await session.scalars(statement)).one_or_none()
