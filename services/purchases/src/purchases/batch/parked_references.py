"""By which ids a parked fact concerns purchases: what waits for staff is on the page of each of them."""

import uuid
from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.batch.rows import ParkedReference


async def keep_references(session: AsyncSession, fact_id: uuid.UUID, ids: Collection[str]) -> None:
    """Remember the ids that a parked fact names; the same fact parked anew changes nothing."""
    if ids:
        rows = [{"reference": one, "fact_id": fact_id} for one in sorted(ids)]
        await session.execute(insert(ParkedReference).values(rows).on_conflict_do_nothing())


async def is_referred_to(session: AsyncSession, reference: str) -> bool:
    """Return whether any parked fact names it."""
    return bool(await session.scalar(select(exists().where(ParkedReference.reference == reference))))
