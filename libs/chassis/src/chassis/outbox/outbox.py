"""The outbox: facts are rows of the transaction that made them true, and reach Kafka after its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import MetaData, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.appended import append
from chassis.database.counting import count_up_to
from chassis.database.tables import outbox_table
from chassis.tracing import spans
from contracts import TOPICS, Fact, seal

CHANNEL: Final = "outbox"
OUTBOX: Final = outbox_table(MetaData())


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the relay has not sent: how many facts, at most `counting.AT_MOST`, and the age of the first in seconds."""

    facts: int
    oldest_seconds: float


def publish(session: AsyncSession, *facts: Fact, occurred_at: datetime) -> None:
    """Add `facts` to what the transaction commits, in this order, in which the relay sends them to their topics."""
    traceparent = spans.traceparent()
    for fact in facts:
        envelope = seal(fact, occurred_at=occurred_at, traceparent=traceparent)
        append(
            session,
            OUTBOX,
            fact_id=envelope.id,
            topic=TOPICS[type(fact)].name,
            key=fact.key,
            headers=orjson.dumps({name: value.decode() for name, value in envelope.to_headers()}).decode(),
            payload=fact.model_dump_json().encode(),
        )
    session.info.setdefault("wake", set()).add(CHANNEL)


async def waits(session: AsyncSession, fact_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the facts that wait here to be sent."""
    found = await session.scalars(select(OUTBOX.c.fact_id).where(OUTBOX.c.fact_id.in_(fact_ids)))
    return frozenset(found)


async def backlog(session: AsyncSession) -> Backlog:
    """Return what waits for the relay, at a cost that does not grow with it."""
    # The first by id, and not min(created_at), which would read every row: ids are given in the order of time.
    first = select(OUTBOX.c.created_at).order_by(OUTBOX.c.id).limit(1).scalar_subquery()
    age = func.coalesce(func.extract("epoch", func.clock_timestamp() - first), 0)
    facts, seconds = (await session.execute(select(count_up_to(OUTBOX), age))).one()
    return Backlog(facts=facts, oldest_seconds=float(seconds))
