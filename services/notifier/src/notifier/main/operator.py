"""The operator's commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.database.database import Database
from notifier.consumer import GROUP
from notifier.main import NAME, read_settings
from notifier.parked import commands


async def resend(keys: list[str]) -> int:
    """Run `resend KEY…` or `resend --parked`; return the exit status."""
    async with _database() as database:
        return await commands.resend(database, keys)


async def parked() -> int:
    """Run `parked`: print what waits for an operator; return the exit status."""
    async with _database() as database:
        return await commands.parked(database, consumer=GROUP)


async def retry(ids: list[str]) -> int:
    """Run `retry ID…`: have parked mails sent and parked facts read again; return the exit status."""
    async with _database() as database:
        return await commands.retry(database, ids, consumer=GROUP)


async def discard(ids: list[str], *, reason: str) -> int:
    """Run `discard ID… --reason TEXT`: end parked mails and facts; return the exit status."""
    async with _database() as database:
        return await commands.discard(database, ids, consumer=GROUP, reason=reason)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    async with Database(read_settings().database_url, name=f"{NAME}-command") as database:
        yield database
