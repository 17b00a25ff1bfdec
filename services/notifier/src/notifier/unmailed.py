"""The records of which no mail could be made: set aside by the consumer, for an operator to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.tables import PARKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmailed:
    """One record; `type` is None where it held no fact, `record` says where on Kafka it lies."""

    id: int
    type: str | None
    record: str
    reason: str
    parked_at: datetime


async def parked_facts(session: AsyncSession, *, consumer: str) -> Sequence[Unmailed]:
    """Those that are not resolved, the oldest first."""
    open_now = select(PARKED).where(PARKED.c.consumer == consumer, PARKED.c.resolved_at.is_(None))
    rows = (await session.execute(open_now.order_by(PARKED.c.id))).mappings()
    return [
        Unmailed(
            id=row["id"],
            type=row["type"],
            record=f"{row['topic']}/{row['partition']}@{row['offset']}",
            reason=row["reason"],
            parked_at=row["parked_at"],
        )
        for row in rows
    ]
