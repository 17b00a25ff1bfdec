"""Reads the settings, builds the processes and their commands; nothing else constructs anything."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from stripe import StripeClient

from chassis.auth import TokenVerifier
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.fates import is_outage
from chassis.health import Health, ops_app
from chassis.jwks import Jwks
from chassis.logs import configure_logs, get_logger
from chassis.migrations import migrate
from chassis.process import run_process
from chassis.relay import Relay
from chassis.web import HttpServer, web_app
from contracts import ADDON_STATE, PLAN_STATE, STRIPE_EVENTS
from purchases.api.routes import router
from purchases.commands_loop import CommandsLoop
from purchases.handlers.apply_facts import apply_facts
from purchases.handlers.stripe_desk import StripeDesk
from purchases.handlers.work import CONSUMER
from purchases.payments.client import stripe_client
from purchases.settings import Settings

MIGRATIONS: Final = Path(__file__).parent / "migrations"
TOPICS: Final[Sequence[str]] = (STRIPE_EVENTS.name, ADDON_STATE.name, PLAN_STATE.name)
log = get_logger(__name__)


def read_settings(process: str) -> Settings:
    """The settings of the environment, with the log configured as they say."""
    settings = Settings()
    configure_logs(service=process, level=settings.log_level)
    return settings


def app(*, settings: Settings, database: Database, client: StripeClient, verifier: TokenVerifier) -> FastAPI:
    """The public API."""
    api = web_app(title="Quittance purchases", settings=settings, verifier=verifier, passes=is_outage)
    api.state.settings = settings
    api.state.database = database
    api.state.stripe = client
    api.include_router(router)
    return api


async def serve_api() -> None:
    """The API and its operations port, until told to stop."""
    settings = read_settings("purchases-api")
    database, health = Database(settings.database_url, name="purchases-api"), Health()
    health.check("database", database.ping)
    verifier = TokenVerifier(Jwks(settings.jwks_url), settings.jwt_issuer, settings.jwt_audience)
    api = app(settings=settings, database=database, client=_client(settings), verifier=verifier)
    await run_process(
        database,
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops"),
        HttpServer(api, settings.http_host, settings.http_port),
        health=health,
    )


async def work() -> None:
    """The worker: consumer, relay, commands to Stripe."""
    settings = read_settings("purchases-worker")
    database, health = Database(settings.database_url, name="purchases-worker"), Health()
    health.check("database", database.ping)
    desk = StripeDesk(database=database, client=_client(settings), instance=settings.quittance_instance)
    consumer = Consumer(
        topics=TOPICS,
        group=CONSUMER,
        database=database,
        handle=partial(apply_facts, instance=settings.quittance_instance),
        settings=settings,
        health=health,
    )
    await run_process(
        database,
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops"),
        Relay(database=database, settings=settings, health=health).running(),
        CommandsLoop(desk=desk, health=health).running(),
        consumer.running(),
        health=health,
    )


def migrate_database() -> None:
    """Bring the tables up to date; safe to repeat."""
    migrate(url=read_settings("purchases-migrate").database_url, migrations=MIGRATIONS)
    log.info("migrated")


def _client(settings: Settings) -> StripeClient:
    return stripe_client(secret_key=settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
