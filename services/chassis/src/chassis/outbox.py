"""The outbox: facts are rows of the transaction that made them true, and reach Kafka after its commit."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import MetaData, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.tables import outbox_table
from contracts import TOPICS, Fact, seal

CHANNEL: Final = "outbox"
OUTBOX: Final = outbox_table(MetaData())


def publish(session: AsyncSession, *facts: Fact, occurred_at: datetime, traceparent: str | None = None) -> None:
    """Add `facts`, in this order, to what the transaction commits. The relay sends them to their topics."""
    rows = session.info.setdefault("facts", [])
    rows.extend(_row(fact, occurred_at, traceparent) for fact in facts)
    session.info.setdefault("wake", set()).add(CHANNEL)


async def write(session: AsyncSession) -> None:
    """Insert the facts that were added; called by the commit point, under the locks of the rows that they tell of."""
    if rows := session.info.pop("facts", None):
        connection = await session.connection()
        await connection.execute(insert(OUTBOX), rows)


def _row(fact: Fact, occurred_at: datetime, traceparent: str | None) -> dict[str, Any]:
    envelope = seal(fact, occurred_at=occurred_at, traceparent=traceparent)
    return {
        "fact_id": envelope.id,
        "topic": TOPICS[type(fact)].name,
        "key": fact.key,
        "headers": {name: value.decode() for name, value in envelope.to_headers()},
        "payload": fact.model_dump_json().encode(),
    }
