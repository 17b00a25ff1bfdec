"""The operator's commands about what the consumer has set aside."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from catalog.consumer import GROUP
from catalog.main import NAME, read_settings
from chassis.database.database import Database
from chassis.outbox import parked_commands


async def parked() -> int:
    """Print what waits for an operator; return the exit status."""
    async with _database() as database:
        return await parked_commands.show(database, consumer=GROUP)


async def retry(ids: Sequence[str]) -> int:
    """Have parked facts tried again; return the exit status."""
    async with _database() as database:
        return await parked_commands.retry(database, ids, consumer=GROUP)


async def discard(ids: Sequence[str], *, reason: str) -> int:
    """End parked facts unapplied; return the exit status."""
    async with _database() as database:
        return await parked_commands.discard(database, ids, consumer=GROUP, reason=reason)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    async with Database(read_settings().database_url, name=f"{NAME}-command") as database:
        yield database
