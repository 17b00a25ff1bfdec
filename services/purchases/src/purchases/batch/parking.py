"""Parked facts by what they wait for: refunds for somebody to say whose they are, events for their subscription."""

import json
import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from purchases.batch.rows import ParkedReference
from purchases.tables import PARKED


def allocation_mark(refund_id: str) -> str:
    """Return what money back waits for that does not say which purchase it falls on."""
    return f"refund:{refund_id}"


async def is_set_aside(session: AsyncSession, received: Received) -> bool:
    """Return whether a fact of this type about the same object was parked before, and was not applied since.

    One object may come by an event, by a list and by reconciling: staff decide about it once, as long as the row is
    kept, which is for longer than reconciling looks back.
    """
    fact = received.fact
    parked = exists().where(
        PARKED.c.type == received.envelope.type,
        PARKED.c.key == fact.key.encode(),
        PARKED.c.resolution.is_distinct_from("applied"),
    )
    return bool(await session.scalar(select(parked)))


async def waits_as(session: AsyncSession, mark: str) -> uuid.UUID | None:
    """Return the id of the parked fact that waits for it; None where none does."""
    waiting = select(PARKED.c.fact_id).where(PARKED.c.waits_for == mark, PARKED.c.resolved_at.is_(None))
    return (await session.execute(waiting.limit(1))).scalar_one_or_none()


async def was_ended_by_staff(session: AsyncSession, mark: str) -> bool:
    """Return whether staff ended, unapplied, a parked fact that waited for it."""
    ended = exists().where(PARKED.c.waits_for == mark, PARKED.c.resolution == "discarded")
    return bool(await session.scalar(select(ended)))


async def waiting_until(session: AsyncSession, stripe_id: str) -> datetime | None:
    """Return when the newest of the facts occurred that wait for it; None where none waits."""
    waiting = select(PARKED.c.value).where(PARKED.c.waits_for == stripe_id, PARKED.c.resolved_at.is_(None))
    values = (await session.execute(waiting)).scalars()
    return max((datetime.fromisoformat(json.loads(value)["occurred_at"]) for value in values), default=None)


async def keep_references(session: AsyncSession, fact_id: uuid.UUID, ids: Collection[str]) -> None:
    """Remember the ids that a parked fact names; the same fact parked anew changes nothing."""
    if ids:
        rows = [{"reference": one, "fact_id": fact_id} for one in sorted(ids)]
        await session.execute(insert(ParkedReference).values(rows).on_conflict_do_nothing())


async def is_referred_to(session: AsyncSession, reference: str) -> bool:
    """Return whether any parked fact names it."""
    return bool(await session.scalar(select(exists().where(ParkedReference.reference == reference))))
