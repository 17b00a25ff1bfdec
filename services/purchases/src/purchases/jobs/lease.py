"""A lease of a row that a request works on: taken and judged by the database's clock, renewed while its holder lives.

Processes' clocks differ, by minutes where one is wrong: a worker whose own clock was ten minutes behind took leases
that had run out when they began, and ten workers sent the same.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.process.logs import get_logger

log = get_logger(__name__)

HELD_FOR: Final = 0.8
"""The part of a lease after which its holder stops unless it was renewed: what it had begun ends before the lease."""
RENEWED_AFTER: Final = 0.3
"""The part of a lease after which it is renewed: a database that is away for a moment costs none."""

Renew = Callable[[AsyncSession], Awaitable[bool]]
"""Renews the lease; False where it is not ours to renew any more."""


class LeaseRanOut(Exception):  # noqa: N818 - named for what it says
    """The lease could not be renewed, so that others may decide about the row soon."""


async def database_now(session: AsyncSession) -> datetime:
    """Return the database's time, which judges every lease."""
    now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return now


def is_leased(leased_until: datetime | None, *, now: datetime) -> bool:
    """Return whether somebody is still at work; `now` is `database_now`."""
    return leased_until is not None and leased_until > now


@asynccontextmanager
async def renewing(database: Database, *, lease: timedelta, renew: Renew) -> AsyncIterator[None]:
    """Renew the lease while the block runs. Raises LeaseRanOut, the block cut off, where that fails for too long.

    How long that is, is measured here from before each renewal, so that it is over before the lease is.
    """
    try:
        async with asyncio.timeout(lease.total_seconds() * HELD_FOR) as limit:
            renewer = asyncio.create_task(_keep(database, lease, renew, limit))
            try:
                yield
            finally:
                renewer.cancel()
                await asyncio.wait([renewer])
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise LeaseRanOut(f"not renewed for {HELD_FOR * lease.total_seconds():.0f} s") from error


async def _keep(database: Database, lease: timedelta, renew: Renew, limit: asyncio.Timeout) -> None:
    seconds = lease.total_seconds()
    while True:
        await asyncio.sleep(seconds * RENEWED_AFTER)
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(seconds * RENEWED_AFTER), database.transaction() as session:
                held = await renew(session)
            if not held:
                return
            limit.reschedule(began + seconds * HELD_FOR)
        except Exception as error:
            log.warning("lease_not_renewed", error=repr(error)[:500])
