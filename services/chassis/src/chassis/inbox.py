"""The inbox: each fact is applied once per consumer, in the transaction of its effect."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# One array and not a row of VALUES each: SQLAlchemy would compile those anew for every batch, at six times the cost.
TAKE: Final = text("""
    insert into inbox (consumer, fact_id)
    select :consumer, fact_id from unnest(cast(:fact_ids as uuid[])) as fact_id order by fact_id
    on conflict do nothing
    returning fact_id
""")
"""In one order, so that two consumers with the same facts wait for each other instead of deadlocking."""


async def take(session: AsyncSession, *, consumer: str, fact_ids: Collection[UUID]) -> set[UUID]:
    """Record `fact_ids` as applied by `consumer`; return those that were new."""
    if not fact_ids:
        return set()
    new = await session.execute(TAKE, {"consumer": consumer, "fact_ids": list(set(fact_ids))})
    return set(new.scalars())
