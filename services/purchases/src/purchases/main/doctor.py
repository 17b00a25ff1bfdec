"""Which settings each of the processes needs, and what has to come before it is ready."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from chassis.database.database import Database
from chassis.database.schema_check import SchemaArrival
from chassis.kafka.broker_check import BrokerArrival, TopicsUsed
from chassis.process import doctor
from chassis.process.doctor_command import report, wait_until_ready
from chassis.process.health import Health
from chassis.process.kafka_settings import kafka
from chassis.recovery.numbered import topics_of
from contracts.topics import ADDON_STATE, PLAN_STATE, STRIPE_EVENTS
from purchases.main import MIGRATIONS, read_settings
from purchases.restored.numbered import LEDGER
from purchases.settings import Settings

USED_BY_API: Final = TopicsUsed(sessions=True)
"""What the API publishes on Kafka, the relay sends."""
USED_BY_RELAY: Final = TopicsUsed.of("purchases", reads_back=topics_of(LEDGER))
USED_BY_WORKER: Final = TopicsUsed.of(
    "purchases", reads=(STRIPE_EVENTS.name, ADDON_STATE.name, PLAN_STATE.name), reads_back=topics_of(LEDGER)
)


def of_api(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the API's settings, in a sentence each."""
    yield from of_worker(settings)
    yield from doctor.callers(settings)
    yield from doctor.pages(settings)
    yield from doctor.sign_in(settings, settings)


def of_worker(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the worker's settings, in a sentence each."""
    yield from doctor.database(settings, settings.database_url)
    yield from kafka(settings)
    yield from doctor.traces(settings)
    yield from doctor.stripe(settings, settings)


def of_relay(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the relay's settings, in a sentence each: it needs the database and Kafka alone."""
    yield from doctor.database(settings, settings.database_url)
    yield from kafka(settings)
    yield from doctor.traces(settings)


def health_of_api(settings: Settings, database: Database) -> Health:
    """Return the API's health: ready once database and migrations are there, and the topic of ended sessions."""
    return _health(settings, database, USED_BY_API)


def health_of_worker(settings: Settings, database: Database) -> Health:
    """Return the worker's health: ready once database, migrations, broker and topics are there."""
    return _health(settings, database, USED_BY_WORKER.with_relay(settings.relay))


def health_of_relay(settings: Settings, database: Database) -> Health:
    """Return the relay's health: ready once database, migrations, broker and topics are there; leading or not."""
    return _health(settings, database, USED_BY_RELAY)


def _health(settings: Settings, database: Database, used: TopicsUsed) -> Health:
    health = Health()
    SchemaArrival(database, MIGRATIONS).watch(health)
    BrokerArrival(settings, used.all).watch(health)
    return health


FINDINGS: Final[Mapping[str, Callable[[Settings], Iterable[str]]]] = {
    "api": of_api,
    "worker": of_worker,
    "relay": of_relay,
}
HEALTH: Final[Mapping[str, Callable[[Settings, Database], Health]]] = {
    "api": health_of_api,
    "worker": health_of_worker,
    "relay": health_of_relay,
}
PROCESSES: Final = tuple(FINDINGS)


async def examine(process: str, *, wait: float) -> int:
    """Say what is wrong with one of PROCESSES, or not ready after `wait` seconds, and return the exit status."""
    name = f"purchases-{process}"
    settings = read_settings(f"{name}-doctor")
    if status := report(name, FINDINGS[process](settings)):
        return status
    async with Database(settings.database_url, name=f"{name}-doctor") as database:
        return await wait_until_ready(name, HEALTH[process](settings, database), wait=wait)
