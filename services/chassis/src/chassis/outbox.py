"""The outbox: facts are rows of the transaction that made them true, and reach Kafka after its commit."""

from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.tables import outbox_table
from contracts import TOPICS, Fact, seal

CHANNEL: Final = "outbox"
OUTBOX: Final = outbox_table(MetaData())
COLUMNS: Final = ("fact_id", "topic", "key", "headers", "payload")

# Arrays, which cost half of one row of parameters each. In the order of the facts, since the relay sends by id.
WRITE: Final = text("""
    insert into outbox (fact_id, topic, key, headers, payload)
    select fact_id, topic, key, headers, payload
    from unnest(
        cast(:fact_id as uuid[]), cast(:topic as text[]), cast(:key as text[]),
        cast(:headers as jsonb[]), cast(:payload as bytea[])
    ) with ordinality as facts (fact_id, topic, key, headers, payload, place)
    order by place
""")


def publish(session: AsyncSession, *facts: Fact, occurred_at: datetime, traceparent: str | None = None) -> None:
    """Add `facts`, in this order, to what the transaction commits. The relay sends them to their topics."""
    rows = session.info.setdefault("facts", [])
    rows.extend(_row(fact, occurred_at, traceparent) for fact in facts)
    session.info.setdefault("wake", set()).add(CHANNEL)


async def write(session: AsyncSession) -> None:
    """Insert the facts that were added; called by the commit point, under the locks of the rows that they tell of."""
    if rows := session.info.pop("facts", None):
        connection = await session.connection()
        await connection.execute(WRITE, {name: [row[name] for row in rows] for name in COLUMNS})


def _row(fact: Fact, occurred_at: datetime, traceparent: str | None) -> dict[str, Any]:
    envelope = seal(fact, occurred_at=occurred_at, traceparent=traceparent)
    return {
        "fact_id": envelope.id,
        "topic": TOPICS[type(fact)].name,
        "key": fact.key,
        "headers": orjson.dumps({name: value.decode() for name, value in envelope.to_headers()}).decode(),
        "payload": fact.model_dump_json().encode(),
    }
