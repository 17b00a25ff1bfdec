"""The outbox: facts are rows of the transaction that made them true, and reach Kafka after its commit."""

from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.appended import append
from chassis.tables import outbox_table
from contracts import TOPICS, Fact, seal

CHANNEL: Final = "outbox"
OUTBOX: Final = outbox_table(MetaData())


def publish(session: AsyncSession, *facts: Fact, occurred_at: datetime, traceparent: str | None = None) -> None:
    """Add `facts` to what the transaction commits, in this order, in which the relay sends them to their topics."""
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
