"""The command that reads the notifier's topics again."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.kafka.records import Received
from chassis.replay.reread import Reread
from notifier.consumer import FATES, GROUP, TOPICS, queue_mails
from notifier.main import NAME, read_settings


async def reread(*, since: timedelta) -> int:
    """Queue the mails of facts that this database does not know; return the exit status."""
    settings = read_settings()

    async def queue(session: AsyncSession, batch: Sequence[Received]) -> None:
        await queue_mails(session, batch, wake=lambda: None)

    async with Database(settings.database_url, name=f"{NAME}-reread") as database:
        again = Reread(topics=TOPICS, group=GROUP, database=database, handle=queue, settings=settings, fates=FATES)
        print(await again.run(since=since))
    return 0
