"""What nobody waits for: the gauges of the backlog, and forgetting what old mails said."""

import asyncio
from datetime import timedelta
from time import monotonic
from typing import Final

from chassis.database.database import Database
from chassis.process import metrics as shared
from chassis.process.health import Health
from chassis.process.logs import get_logger
from notifier import mails, metrics

log = get_logger(__name__)

EVERY_SECONDS: Final = 5.0
FORGET_EVERY_SECONDS: Final = 3600.0
KEPT: Final = timedelta(days=90)
"""So long can a mail be sent again; then its personal data goes, and only its key stays."""


async def run_housekeeping(database: Database, health: Health) -> None:
    """Loop for ever; a database that is away costs nothing but the figures, which are NaN meanwhile."""
    forget_at = monotonic()
    shared.PRUNED.labels("mails")
    shared.PRUNED_AT.labels("mails").set(shared.UNKNOWN)
    while True:
        health.beat("housekeeping")
        try:
            await export_backlog(database)
            if monotonic() >= forget_at:
                forget_at = monotonic() + FORGET_EVERY_SECONDS
                await forget_old(database)
        except Exception as error:
            log.warning("housekeeping_failed", error=repr(error)[:500])
        await asyncio.sleep(EVERY_SECONDS)


async def export_backlog(database: Database) -> None:
    """Set the gauges that alerts watch."""
    with shared.unknown_where_it_fails(metrics.OLDEST_UNSENT, metrics.PARKED):
        async with database.reading() as session:
            backlog = await mails.backlog(session)
    metrics.OLDEST_UNSENT.set(backlog.oldest_seconds)
    metrics.PARKED.set(backlog.parked)


async def forget_old(database: Database, *, kept: timedelta = KEPT) -> int:
    """Drop the facts of mails sent or ended longer ago than `kept`."""
    async with database.transaction() as session:
        forgotten = await mails.forget(session, older_than=kept)
    shared.PRUNED.labels("mails").inc(forgotten)
    shared.PRUNED_AT.labels("mails").set_to_current_time()
    return forgotten
