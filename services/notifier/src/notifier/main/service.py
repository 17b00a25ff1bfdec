"""The service: consumer, sender and staff's pages in one process."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI

from chassis.database.database import Database
from chassis.kafka.ended_sessions import EndedSessions
from chassis.outbox.consumer import Consumer
from chassis.outbox.fates import is_outage
from chassis.outbox.pruning import keep_pruned, parked_of
from chassis.process.health import Health
from chassis.process.process import background, run_process
from chassis.process.settings import ServiceSettings
from chassis.process.startup import refuse_unless_sound
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer, ops_server
from chassis.web.web import web_app
from notifier.consumer import FATES, GROUP, queue_mails
from notifier.delivery.sender import Sender
from notifier.housekeeping import run_housekeeping
from notifier.main import NAME, Settings, read_settings
from notifier.main.doctor import USED, findings, health_of
from notifier.main.mail_settings import mailer
from notifier.pages.routes import install_pages


def app(*, settings: ServiceSettings, database: Database, verifier: TokenVerifier) -> FastAPI:
    """Build staff's pages; there is no API."""
    pages = web_app(title="Quittance notifier", settings=settings, verifier=verifier, passes=is_outage)
    pages.state.database = database
    install_pages(pages, settings)
    return pages


def parts(*, settings: Settings, database: Database, health: Health) -> tuple[AbstractAsyncContextManager[Any], ...]:
    """Return what runs, in the order of starting: who sends is there before who queues."""
    kept = timedelta(days=settings.parked_kept_days)
    sender = Sender(database=database, mailer=mailer(settings), health=health, connections=settings.smtp_connections)
    consumer = Consumer(
        topics=USED.reads,
        group=GROUP,
        database=database,
        handle=partial(queue_mails, wake=sender.wake),
        settings=settings,
        health=health,
        fates=FATES,
        serves=True,
    )
    return (
        background("housekeeping", lambda: run_housekeeping(database, health)),
        background("pruning", lambda: keep_pruned(database, parked_of(GROUP), kept=kept, health=health)),
        sender.running(),
        consumer.running(),
    )


async def serve() -> None:
    """Run consumer, sender, pages and operations port in one process, until it is stopped."""
    settings = read_settings()
    refuse_unless_sound(list(findings(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of(settings, database)
    ended, jwks = EndedSessions(settings), Jwks(settings.jwks_url)
    verifier = TokenVerifier(jwks, settings.jwt_issuer, settings.jwt_audience, has_ended=ended.has)
    pages = app(settings=settings, database=database, verifier=verifier)
    await run_process(
        *parts(settings=settings, database=database, health=health),
        ended.running(health),
        HttpServer(pages, settings.http_host, settings.http_port, protected=settings.protected),
        foundations=(database, ops_server(health, settings)),
        health=health,
    )
