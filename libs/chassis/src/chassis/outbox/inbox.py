"""The inbox: each fact is applied once per consumer, in the transaction of its effect."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# An array for each column and not a row of VALUES each: SQLAlchemy would compile those anew for every batch, at six
# times the cost.
TAKE: Final = text("""
    insert into inbox (consumer, fact_id, digest)
    select :consumer, fact_id, digest
    from unnest(cast(:fact_ids as uuid[]), cast(:digests as bigint[])) as facts (fact_id, digest) order by fact_id
    on conflict do nothing
    returning fact_id
""")
"""In one order, so that two consumers with the same facts wait for each other instead of deadlocking."""
REUSED: Final = text("""
    select fact_id
    from unnest(cast(:fact_ids as uuid[]), cast(:digests as bigint[])) as facts (fact_id, digest)
    join inbox using (fact_id)
    where inbox.consumer = :consumer and inbox.digest <> facts.digest
""")


async def take(session: AsyncSession, *, consumer: str, facts: Mapping[UUID, int]) -> set[UUID]:
    """Record the facts, by id and digest of their bodies, as applied by `consumer`; return the ids that were new."""
    if not facts:
        return set()
    new = await session.execute(TAKE, {"consumer": consumer, **_columns(facts)})
    return set(new.scalars())


async def reused(session: AsyncSession, *, consumer: str, facts: Mapping[UUID, int]) -> set[UUID]:
    """Return those ids that `consumer` knows with another body; what was taken before digests were kept is no match."""
    if not facts:
        return set()
    found = await session.execute(REUSED, {"consumer": consumer, **_columns(facts)})
    return set(found.scalars())


def _columns(facts: Mapping[UUID, int]) -> dict[str, list[UUID] | list[int]]:
    return {"fact_ids": list(facts), "digests": list(facts.values())}
