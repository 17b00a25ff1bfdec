"""Reads a consumer's topics again, beside the consumer or without it: its inbox drops what it has applied."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.kafka.progress import Progress
from chassis.kafka.records import Received
from chassis.outbox.applying import Applier, Handler, Note
from chassis.outbox.fates import FATES, Fates
from chassis.process.settings import ServiceSettings
from chassis.recovery.published import published_records


@dataclass(kw_only=True)
class Reread:
    """One reading of what lies on `topics`, as the consumer `group` applies it."""

    topics: Collection[str]
    group: str
    database: Database
    handle: Handler
    settings: ServiceSettings
    fates: Fates = field(default_factory=lambda: FATES)
    note: Note | None = None

    async def run(self, *, since: timedelta) -> str:
        """Apply what was written within `since` and is there now; return what was done, in a sentence.

        Raises KafkaError or TimeoutError where Kafka does not answer. Safe to repeat.
        """
        read, applied = 0, set[UUID]()

        async def handle(session: AsyncSession, batch: Sequence[Received]) -> None:
            await self.handle(session, batch)
            applied.update(received.envelope.id for received in batch)

        applier = Applier(
            group=self.group,
            database=self.database,
            handle=handle,
            note=self.note,
            fates=self.fates,
            progress=Progress(self.group),
            stop=asyncio.Event(),
        )
        async with published_records(self.settings, self.topics) as records:
            if stretches := await records.since(datetime.now(UTC) - since):
                async for batch in records.read(stretches):
                    read += len(batch)
                    if batch:
                        await applier.take(batch)
        return f"{read} records read, {len(applied)} of them applied for the first time"
