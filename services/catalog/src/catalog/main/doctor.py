"""Which settings the service and its relay need, and what has to be there before they are ready."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from catalog.consumer import TOPICS
from catalog.main import MIGRATIONS, NAME, Settings, read_settings
from catalog.numbered import LEDGER
from chassis.database.database import Database
from chassis.database.schema_check import SchemaArrival
from chassis.kafka.broker_check import BrokerArrival, TopicsUsed
from chassis.process import doctor
from chassis.process.doctor_command import report, wait_until_ready
from chassis.process.health import Health
from chassis.process.kafka_settings import kafka
from chassis.recovery.numbered import topics_of

USED: Final = TopicsUsed.of(NAME, reads=TOPICS, sessions=True, reads_back=topics_of(LEDGER))
USED_BY_RELAY: Final = TopicsUsed.of(NAME, reads_back=topics_of(LEDGER))


def findings(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the settings, in a sentence each."""
    yield from doctor.database(settings, settings.database_url)
    yield from kafka(settings)
    yield from doctor.traces(settings)
    yield from doctor.callers(settings)
    yield from doctor.pages(settings)


def findings_of_relay(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the relay's settings, in a sentence each: it needs the database and Kafka alone."""
    yield from doctor.database(settings, settings.database_url)
    yield from kafka(settings)
    yield from doctor.traces(settings)


def health_of(settings: Settings, database: Database) -> Health:
    """Return the service's health: ready once database, migrations, broker and topics are there."""
    return _health(settings, database, USED.with_relay(settings.relay))


def health_of_relay(settings: Settings, database: Database) -> Health:
    """Return the relay's health: ready once database, migrations, broker and topics are there; leading or not."""
    return _health(settings, database, USED_BY_RELAY)


def _health(settings: Settings, database: Database, used: TopicsUsed) -> Health:
    health = Health()
    SchemaArrival(database, MIGRATIONS).watch(health)
    BrokerArrival(settings, used.all).watch(health)
    return health


FINDINGS: Final[Mapping[str, Callable[[Settings], Iterable[str]]]] = {"serve": findings, "relay": findings_of_relay}
HEALTH: Final[Mapping[str, Callable[[Settings, Database], Health]]] = {"serve": health_of, "relay": health_of_relay}


async def examine(process: str, *, wait: float) -> int:
    """Say what is wrong with `serve` or `relay`, or not ready after `wait` seconds, and return the exit status."""
    settings = read_settings()
    name = NAME if process == "serve" else f"{NAME}-{process}"
    if status := report(name, FINDINGS[process](settings)):
        return status
    async with Database(settings.database_url, name=f"{name}-doctor") as database:
        return await wait_until_ready(name, HEALTH[process](settings, database), wait=wait)
