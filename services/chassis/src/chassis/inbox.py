"""The inbox: each fact is applied once per consumer, in the transaction of its effect."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.tables import inbox_table

INBOX: Final = inbox_table(MetaData())


async def take(session: AsyncSession, *, consumer: str, fact_ids: Collection[UUID]) -> set[UUID]:
    """Record `fact_ids` as applied by `consumer`; return those that were new."""
    if not fact_ids:
        return set()
    rows = [{"consumer": consumer, "fact_id": fact_id} for fact_id in sorted(set(fact_ids))]
    added = insert(INBOX).values(rows).on_conflict_do_nothing().returning(INBOX.c.fact_id)
    return set((await session.execute(added)).scalars())
