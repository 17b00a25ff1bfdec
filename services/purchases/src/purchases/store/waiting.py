"""Refunds that wait for somebody to say whose they are: parked facts, by the refund's mark."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.store.rows import PARKED


def allocation_mark(refund_id: str) -> str:
    """What a refund, or lost dispute, waits for that does not say which purchase it falls on."""
    return f"refund:{refund_id}"


async def is_waited_for(session: AsyncSession, mark: str) -> bool:
    """Whether a parked fact waits for it already."""
    waiting = exists().where(PARKED.c.waits_for == mark, PARKED.c.resolved_at.is_(None))
    return bool(await session.scalar(select(waiting)))
