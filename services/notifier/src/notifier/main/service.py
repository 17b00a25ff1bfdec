"""The service: consumer and sender in one process."""

import ssl
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from babel import Locale, UnknownLocaleError

from chassis.consumer import Consumer
from chassis.database import Database
from chassis.health import Health, ops_app
from chassis.process import background, run_process
from chassis.server import HttpServer
from notifier.addresses import InvalidAddress, Mailbox, named_mailbox
from notifier.consumer import FATES, GROUP, TOPICS, queue_mails
from notifier.housekeeping import keep_house
from notifier.mailer import Mailer
from notifier.main import NAME, Settings, read_settings
from notifier.rendering import House
from notifier.sender import Sender
from notifier.smtp_url import smtp_server


class UnusableSetting(ValueError):  # noqa: N818 - named for what it says
    """The process refuses to start: with this setting no mail could ever go out."""


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
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops", protected=settings.protected),
        *parts(settings=settings, database=database, health=health),
        health=health,
    )


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
