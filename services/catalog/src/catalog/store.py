"""Reads and writes the catalog's rows; the only module with their queries."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import collate, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.cursors import AddonPosition, AuditPosition
from catalog.limits import SLUG_LENGTH
from catalog.tables import Addon, AuditEntry, Plan, PlanPrice

ROOM_FOR_SUFFIX: Final = 12
# One order in every database, whatever its locale: capitals and small letters are the same, ties go by the slug.
COLLATION: Final = "pg_unicode_fast"
PAGE_ORDER: Final = (Addon.sort_order, func.lower(collate(Addon.name, COLLATION)), Addon.slug)
FREE_FIRST: Final = (Plan.slug != "free", Plan.slug)


async def addons_page(
    session: AsyncSession, *, active: bool | None, after: AddonPosition | None, limit: int
) -> Sequence[Addon]:
    """Return the first `limit` add-ons behind `after`, in the order of the page."""
    found = select(Addon).order_by(*PAGE_ORDER).limit(limit)
    if active is not None:
        found = found.where(Addon.is_active == active)
    if after is not None:
        found = found.where(tuple_(*PAGE_ORDER) > _place(after))
    return (await session.scalars(found)).all()


def _place(after: AddonPosition) -> Any:
    name = func.lower(collate(literal(after.name), COLLATION))
    return tuple_(literal(after.sort_order), name, literal(after.slug))


async def active_addons(session: AsyncSession) -> Sequence[Addon]:
    """Return the add-ons that customers see, in the order of the page."""
    active = select(Addon).where(Addon.is_active).order_by(*PAGE_ORDER)
    return (await session.scalars(active)).all()


async def addon_by_id(session: AsyncSession, addon_id: UUID) -> Addon | None:
    """Return the add-on, if there is one."""
    return await session.get(Addon, addon_id)


async def lock_addon(session: AsyncSession, addon_id: UUID) -> Addon | None:
    """Lock the add-on until the transaction ends; return it as it is now."""
    return await session.get(Addon, addon_id, with_for_update=True, populate_existing=True)


async def lock_addons(session: AsyncSession, addon_ids: Collection[UUID]) -> Mapping[UUID, Addon]:
    """Lock those that there are, in the order of their ids: two that lock several never wait for each other."""
    chosen = select(Addon).where(Addon.id.in_(addon_ids)).order_by(Addon.id).with_for_update()
    return {addon.id: addon for addon in await session.scalars(chosen)}


async def taken_slugs(session: AsyncSession, *, wanted: str) -> set[str]:
    """Return the slugs that `wanted`, or `wanted` cut and with a suffix, could collide with."""
    stem = wanted[: SLUG_LENGTH - ROOM_FOR_SUFFIX]
    return set(await session.scalars(select(Addon.slug).where(Addon.slug.startswith(stem, autoescape=True))))


async def insert_addon(session: AsyncSession, values: dict[str, Any]) -> Addon | None:
    """Insert an add-on; return None when its slug or id was taken. Waits for a transaction that is about to take it."""
    statement = insert(Addon).values(values).on_conflict_do_nothing().returning(Addon)
    return (await session.scalars(statement)).one_or_none()


async def all_plans(session: AsyncSession) -> Sequence[Plan]:
    """Return the plans with their prices, the free one first."""
    return (await session.scalars(select(Plan).order_by(*FREE_FIRST))).all()


async def plan_by_slug(session: AsyncSession, slug: str) -> Plan | None:
    """Return the plan with its prices, if there is one."""
    return await session.get(Plan, slug)


async def lock_plan(session: AsyncSession, slug: str) -> Plan | None:
    """Lock the plan, and with it its prices, until the transaction ends; return it as it is now."""
    return await session.get(Plan, slug, with_for_update=True, populate_existing=True)


async def insert_plan(session: AsyncSession, values: dict[str, Any], prices: Sequence[dict[str, Any]]) -> Plan | None:
    """Insert a plan with its prices; return None when there is one of this slug."""
    statement = insert(Plan).values(values).on_conflict_do_nothing().returning(Plan.slug)
    slug = (await session.scalars(statement)).one_or_none()
    if slug is None:
        return None
    session.add_all(PlanPrice(plan=slug, **price) for price in prices)
    await session.flush()
    return await session.get_one(Plan, slug)


async def audit_page(
    session: AsyncSession, *, subject: str | None, after: AuditPosition | None, limit: int
) -> Sequence[AuditEntry]:
    """Return the newest `limit` entries before `after`, of one subject or of all."""
    found = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if subject is not None:
        found = found.where(AuditEntry.subject == subject)
    if after is not None:
        found = found.where(AuditEntry.id < after.id)
    return (await session.scalars(found)).all()
