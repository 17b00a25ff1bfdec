"""Deletes, in bounded batches, what was parked and is resolved for long; what people decided about it is kept."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.outbox import parked
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.retrying import backs_off, counts_back_offs

EVERY_SECONDS: Final = 3600.0
BATCH: Final = 500

Prune = Callable[[AsyncSession, timedelta, int], Awaitable[int]]
"""Deletes what is done for so long, at most so many rows, and returns how many."""


async def keep_pruned(database: Database, prunes: Mapping[str, Prune], *, kept: timedelta, health: Health) -> None:
    """Loop over `prunes`, which are by table; a fault of one does not keep the others from their turn."""
    counts_back_offs("pruning")
    for table in prunes:
        metrics.PRUNED.labels(table)
        metrics.PRUNED_AT.labels(table).set(metrics.UNKNOWN)
    while True:
        for table, prune in prunes.items():
            try:
                await prune_all(database, table, prune, kept=kept, health=health)
            except Exception as error:
                backs_off("pruning", error, table=table)
        await health.rest("pruning", EVERY_SECONDS)


async def prune_all(database: Database, table: str, prune: Prune, *, kept: timedelta, health: Health) -> int:
    """Delete what is done for longer than `kept`, each batch in a transaction of its own; return how many rows."""
    pruned = 0
    while True:
        health.beat("pruning")
        async with database.transaction() as session:
            rows = await prune(session, kept, BATCH)
        metrics.PRUNED.labels(table).inc(rows)
        pruned += rows
        if rows < BATCH:
            metrics.PRUNED_AT.labels(table).set_to_current_time()
            return pruned


def parked_of(consumer: str) -> dict[str, Prune]:
    """Return what deletes the resolved parked records of one consumer, for services that keep nothing beside them."""

    async def prune(session: AsyncSession, kept: timedelta, limit: int) -> int:
        return len(await parked.prune(session, consumer=consumer, kept=kept, limit=limit))

    return {"parked": prune}
