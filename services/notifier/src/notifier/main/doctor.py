"""Which settings this process needs, and what has to be there before it is ready."""

from collections.abc import Iterable
from typing import Final

from chassis.database.database import Database
from chassis.database.schema_check import SchemaArrival
from chassis.kafka.broker_check import BrokerArrival, TopicsUsed
from chassis.process import doctor
from chassis.process.doctor_command import report, wait_until_ready
from chassis.process.health import Health
from chassis.process.kafka_settings import kafka
from notifier.consumer import TOPICS
from notifier.delivery.smtp_url import BadSmtpUrl
from notifier.main import MIGRATIONS, NAME, Settings, read_settings
from notifier.main.mail_settings import UnusableSetting, mailer

USED: Final = TopicsUsed.of(NAME, reads=TOPICS, sessions=True)


def findings(settings: Settings) -> Iterable[str]:
    """Find what is wrong with the settings, in a sentence each."""
    yield from doctor.database(settings, settings.database_url)
    yield from kafka(settings)
    yield from doctor.traces(settings)
    yield from doctor.callers(settings)
    yield from doctor.pages(settings)
    try:
        mailer(settings)
    except (UnusableSetting, BadSmtpUrl) as error:
        yield f"{error}: with it no mail could go out; set another."


def health_of(settings: Settings, database: Database) -> Health:
    """Return its health: ready once database, migrations, broker and topics are there."""
    health = Health()
    SchemaArrival(database, MIGRATIONS).watch(health)
    BrokerArrival(settings, USED.all).watch(health)
    return health


async def examine(*, wait: float) -> int:
    """Say what is wrong, or not ready after `wait` seconds, and return the exit status."""
    settings = read_settings()
    if status := report(NAME, findings(settings)):
        return status
    async with Database(settings.database_url, name=f"{NAME}-doctor") as database:
        return await wait_until_ready(NAME, health_of(settings, database), wait=wait)
