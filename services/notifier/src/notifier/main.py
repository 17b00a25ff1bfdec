"""Reads the settings, builds the process and its commands; nothing else constructs anything."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from pydantic import Field, SecretStr

from chassis.consumer import Consumer
from chassis.database import Database
from chassis.health import Health, ops_app
from chassis.logs import configure_logs, get_logger
from chassis.migrations import migrate
from chassis.process import background, run_process
from chassis.server import HttpServer
from chassis.settings import DatabaseSettings, ServiceSettings
from notifier import commands
from notifier.addresses import InvalidAddress, Mailbox, named_mailbox
from notifier.consumer import FATES, GROUP, TOPICS, queue_mails
from notifier.housekeeping import keep_house
from notifier.mailer import Mailer
from notifier.rendering import House
from notifier.sender import Sender
from notifier.smtp_url import smtp_server

NAME: Final = "notifier"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
log = get_logger(__name__)


class Settings(ServiceSettings, DatabaseSettings):
    """What the notifier is told; the names are the environment's."""

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    mail_from: str = ""
    mail_locale: str = "en"
    smtp_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    smtp_connections: int = Field(default=8, ge=1, le=50)


class UnusableSetting(ValueError):  # noqa: N818 - named for what it says
    """The process refuses to start: with this setting no mail could ever go out."""


def read_settings() -> Settings:
    """The settings of the environment, with the log configured as they say."""
    settings = Settings()
    configure_logs(service=NAME, level=settings.log_level)
    return settings


def mailer(settings: Settings) -> Mailer:
    """Everything that a mail needs but its fact. Raises UnusableSetting or BadSmtpUrl."""
    support = _mailbox(settings.support_email, name="SUPPORT_EMAIL")
    return Mailer(
        house=House(
            support_email=support.spec, public_base_url=settings.public_base_url, locale=_locale(settings.mail_locale)
        ),
        sender=_mailbox(settings.mail_from, name="MAIL_FROM"),
        team=_mailbox(settings.team_notify_email, name="TEAM_NOTIFY_EMAIL"),
        support=support,
        server=smtp_server(settings.smtp_url.get_secret_value()),
        timeout=settings.smtp_timeout_seconds,
        tls_context=ssl.create_default_context(),
    )


def parts(*, settings: Settings, database: Database, health: Health) -> tuple[AbstractAsyncContextManager[Any], ...]:
    """What runs, in the order of starting: who sends is there before who queues."""
    sender = Sender(database=database, mailer=mailer(settings), health=health, connections=settings.smtp_connections)
    consumer = Consumer(
        topics=TOPICS,
        group=GROUP,
        database=database,
        handle=partial(queue_mails, wake=sender.wake),
        settings=settings,
        health=health,
        fates=FATES,
    )
    return background("housekeeping", lambda: keep_house(database)), sender.running(), consumer.running()


async def serve() -> None:
    """Consumer, sender and operations port in one process, until it is told to stop."""
    settings = read_settings()
    database, health = Database(settings.database_url, name=NAME), Health()
    health.check("database", database.ping)
    await run_process(
        database,
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops"),
        *parts(settings=settings, database=database, health=health),
        health=health,
    )


def migrate_database() -> None:
    """Bring the tables up to date; safe to repeat."""
    migrate(url=read_settings().database_url, migrations=MIGRATIONS)
    log.info("migrated")


async def resend(keys: list[str]) -> int:
    """`resend KEY…` or `resend --parked`; the exit status."""
    async with _database() as database:
        return await commands.resend(database, keys)


async def parked() -> int:
    """`parked`: print what waits for an operator; the exit status."""
    async with _database() as database:
        return await commands.parked(database)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    async with Database(read_settings().database_url, name=f"{NAME}-command") as database:
        yield database


def _mailbox(text: str, *, name: str) -> Mailbox:
    try:
        found = named_mailbox(text)
    except InvalidAddress as error:
        raise UnusableSetting(f"{name}: {error}") from error
    if found.needs_smtputf8:
        raise UnusableSetting(f"{name}: not every mail server takes an address beyond ASCII")
    return found


def _locale(name: str) -> str:
    try:
        return str(Locale.parse(name))
    except (ValueError, UnknownLocaleError) as error:
        raise UnusableSetting(f"MAIL_LOCALE: {error}") from error
