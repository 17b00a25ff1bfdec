"""Takes the catalog's states once more: what came after the backup was taken off Kafka by a database that is gone."""

from collections.abc import Callable
from typing import Final

from chassis.kafka.records import Received, decode
from chassis.outbox.fates import Fate, fate_of
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings
from chassis.recovery.published import published_records
from contracts.topics import ADDON_STATE, PLAN_STATE
from purchases.jobs.stripe_context import WorkerContext

log = get_logger(__name__)

TOPICS: Final = (ADDON_STATE.name, PLAN_STATE.name)
"""Compacted: the last state of each add-on and plan is there, and the newest one counts."""


async def reread_catalog(context: WorkerContext, settings: ServiceSettings, *, turned: Callable[[], None]) -> None:
    """Apply every state that there is; one that is older than its copy changes nothing.

    One that cannot be applied was set aside by the consumer before, and keeps no other from its turn.
    """
    async with published_records(settings, TOPICS) as records:
        if not (places := await records.whole()):
            return
        async for batch in records.read(places):
            turned()
            for received in (one for record in batch if isinstance(one := decode(record), Received)):
                await _apply(context, received)


async def _apply(context: WorkerContext, received: Received) -> None:
    try:
        async with context.database.transaction() as session:
            await context.apply(session, [received])
    except Exception as error:
        if fate_of(error) is Fate.RETRY:
            raise
        log.warning("state_not_taken_again", fact=received.envelope.subject, error=repr(error)[:300])
