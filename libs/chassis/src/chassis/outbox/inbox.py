"""The inbox: each fact is applied once per consumer, in the transaction of its effect."""

from collections.abc import Collection, Mapping
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


KNOWN: Final = text("select fact_id from inbox where consumer = :consumer and fact_id = any(cast(:fact_ids as uuid[]))")


async def known(session: AsyncSession, *, consumer: str, fact_ids: Collection[UUID]) -> set[UUID]:
    """Return those ids that `consumer` has applied or set aside."""
    if not fact_ids:
        return set()
    found = await session.execute(KNOWN, {"consumer": consumer, "fact_ids": list(fact_ids)})
    return set(found.scalars())


async def take(session: AsyncSession, *, consumer: str, facts: Mapping[UUID, int | None]) -> set[UUID]:
    """Record the facts, by id and digest of their bodies, as applied by `consumer`; return the ids that were new."""
    if not facts:
        return set()
    new = await session.execute(TAKE, {"consumer": consumer, **_columns(facts)})
    return set(new.scalars())


async def reused(session: AsyncSession, *, consumer: str, facts: Mapping[UUID, int | None]) -> set[UUID]:
    """Return those ids that `consumer` knows with another body; what has no digest is no match."""
    if not facts:
        return set()
    found = await session.execute(REUSED, {"consumer": consumer, **_columns(facts)})
    return set(found.scalars())


def _columns(facts: Mapping[UUID, int | None]) -> dict[str, list[UUID] | list[int | None]]:
    return {"fact_ids": list(facts), "digests": list(facts.values())}
