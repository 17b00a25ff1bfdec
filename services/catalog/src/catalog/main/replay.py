"""The commands for a Kafka that lost something: states are published again, and topics are read again."""

from datetime import timedelta
from functools import partial

from catalog.consumer import GROUP, TOPICS, apply_facts
from catalog.handlers.republish import republish_states
from catalog.main import NAME, read_settings
from chassis.database.database import Database
from chassis.replay.reread import Reread


async def reread(*, since: timedelta) -> int:
    """Apply the prices that this database does not know; return the exit status."""
    settings = read_settings()
    handle = partial(apply_facts, instance=settings.quittance_instance)
    async with Database(settings.database_url, name=f"{NAME}-reread") as database:
        again = Reread(topics=TOPICS, group=GROUP, database=database, handle=handle, settings=settings)
        print(await again.run(since=since))
    return 0


async def republish() -> int:
    """Publish the state of each add-on and plan again; return the exit status."""
    async with Database(read_settings().database_url, name=f"{NAME}-republish") as database:
        print(f"{await republish_states(database)} states are published again")
    return 0
