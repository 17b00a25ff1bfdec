"""Facts that were sent, kept for as long as their topics keep them: Kafka may lose what the outbox no longer has.

The relay writes them in the statement that deletes them from the outbox; one that is sent again moves back there, so
that it goes out with the same bytes, under the same id, and is kept once.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.outbox.outbox import CHANNEL

KEPT: Final = timedelta(days=30)
"""As the topics of events: who reads later than that finds nothing on Kafka, either."""
AT_ONCE: Final = 500
_LAST: Final = text("select coalesce(max(id), 0) from sent_facts")
# Of one that waits again already, since another command put it there, the kept copy only goes.
_AGAIN: Final = text("""
    with chosen as (
        select id from sent_facts
        where id <= :last and sent_at >= clock_timestamp() - cast(:since as interval)
        order by id limit :limit for update skip locked
    ), again as (
        delete from sent_facts where id in (select id from chosen)
        returning id, fact_id, epoch, topic, key, headers, payload
    ), queued as (
        insert into outbox (fact_id, epoch, topic, key, headers, payload)
        select fact_id, epoch, topic, key, headers, payload from again order by id
        on conflict (fact_id) do nothing
    )
    select count(*) from again
""")
_PRUNE: Final = text("""
    with old as (
        select id from sent_facts where sent_at < clock_timestamp() - cast(:kept as interval)
        order by sent_at limit :limit
    ), gone as (delete from sent_facts where id in (select id from old) returning 1)
    select count(*) from gone
""")


async def send_again(database: Database, *, since: timedelta) -> int:
    """Put what was sent within `since` back into the outbox, in its order; return how many. Safe to repeat."""
    async with database.reading() as session:
        last = (await session.execute(_LAST)).scalar_one()
    queued = 0
    while True:
        async with database.transaction() as session:
            session.info.setdefault("wake", set()).add(CHANNEL)
            asked = {"last": last, "since": since, "limit": AT_ONCE}
            moved = int((await session.execute(_AGAIN, asked)).scalar_one())
        queued += moved
        if moved < AT_ONCE:
            return queued


async def prune(session: AsyncSession, _: timedelta, limit: int) -> int:
    """Delete what was sent longer than KEPT ago, at most `limit`; how long parked facts are kept is another matter."""
    return int((await session.execute(_PRUNE, {"kept": KEPT, "limit": limit})).scalar_one())
