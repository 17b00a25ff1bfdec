"""Takes the catalog's states once more: what came after the backup was taken off Kafka by a database that is gone."""

from collections.abc import Callable
from typing import Final

from chassis.kafka.records import Received, decode
from chassis.process.settings import ServiceSettings
from chassis.recovery.published import published_records
from contracts.topics import ADDON_STATE, PLAN_STATE
from purchases.jobs.stripe_context import WorkerContext

TOPICS: Final = (ADDON_STATE.name, PLAN_STATE.name)
"""Compacted: the last state of each add-on and plan is there, and the newest one counts."""


async def reread_catalog(context: WorkerContext, settings: ServiceSettings, *, turned: Callable[[], None]) -> None:
    """Apply every state that there is; one that is older than its copy changes nothing."""
    async with published_records(settings, TOPICS) as records:
        if not (places := await records.whole()):
            return
        async for batch in records.read(places):
            turned()
            received = [one for record in batch if isinstance(one := decode(record), Received)]
            async with context.database.transaction() as session:
                await context.apply(session, received)
