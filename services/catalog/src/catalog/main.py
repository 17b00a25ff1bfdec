"""Reads the settings, builds the process and its commands; nothing else constructs anything."""

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import stripe
from fastapi import FastAPI
from pydantic import SecretStr

from catalog.api import addons, audit, plans
from catalog.consumer import GROUP, TOPICS, apply_facts
from catalog.price_list import PriceListCache, addons_on_sale, plans_on_offer
from catalog.seed import plant_seed
from catalog.stripe_setup.bootstrap import NoPlans, bootstrap_stripe
from catalog.stripe_setup.client import stripe_client
from catalog.stripe_setup.webhook import into_file, shown
from chassis.auth import TokenVerifier
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.fates import is_outage
from chassis.health import Health, ops_app
from chassis.jwks import Jwks
from chassis.logs import configure_logs, get_logger
from chassis.migrations import migrate
from chassis.origins import origin_of
from chassis.process import run_process
from chassis.relay import Relay
from chassis.settings import DatabaseSettings, ServiceSettings
from chassis.web import HttpServer, web_app

NAME: Final = "catalog"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
log = get_logger(__name__)


class Settings(ServiceSettings, DatabaseSettings):
    """What the catalog is told; the names are the environment's. Only `bootstrap-stripe` needs Stripe's."""

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_api_base: str | None = None
    stripe_webhook_url: str | None = None


def read_settings() -> Settings:
    """The settings of the environment, with the log configured as they say."""
    settings = Settings()
    configure_logs(service=NAME, level=settings.log_level)
    return settings


def app(*, settings: ServiceSettings, database: Database, verifier: TokenVerifier) -> FastAPI:
    """The public API."""
    api = web_app(title="Quittance catalog", settings=settings, verifier=verifier, passes=is_outage)
    api.state.database = database
    api.state.price_list = PriceListCache(database, addons_on_sale)
    api.state.plan_list = PriceListCache(database, plans_on_offer)
    for router in (addons.public, plans.public, addons.admin, plans.admin, audit.admin):
        api.include_router(router)
    return api


def consumer(*, settings: ServiceSettings, database: Database, health: Health) -> Consumer:
    """What listens to purchases."""
    handle = partial(apply_facts, instance=settings.quittance_instance)
    return Consumer(topics=TOPICS, group=GROUP, database=database, handle=handle, settings=settings, health=health)


async def serve() -> None:
    """API, consumer, relay and operations port in one process, until it is told to stop."""
    settings = read_settings()
    database, health = Database(settings.database_url, name=NAME), Health()
    health.check("database", database.ping)
    verifier = TokenVerifier(Jwks(settings.jwks_url), settings.jwt_issuer, settings.jwt_audience)
    api = app(settings=settings, database=database, verifier=verifier)
    await run_process(
        database,
        HttpServer(ops_app(health), settings.http_host, settings.ops_port, name="ops"),
        Relay(database=database, settings=settings, health=health).running(),
        consumer(settings=settings, database=database, health=health).running(),
        HttpServer(api, settings.http_host, settings.http_port),
        health=health,
    )


def migrate_database() -> None:
    """Bring the tables up to date; safe to repeat."""
    migrate(url=read_settings().database_url, migrations=MIGRATIONS)
    log.info("migrated")


async def seed() -> None:
    """Plant the seed; safe to repeat."""
    async with Database(read_settings().database_url, name=NAME) as database, database.transaction() as session:
        planted = await plant_seed(session=session, now=datetime.now(UTC))
    log.info("seeded", planted=planted)


async def bootstrap(*, webhook_url: str | None, secret_file: Path | None) -> None:
    """Set up the Stripe account; safe to repeat. Ends the process with a message when that cannot be done."""
    settings = read_settings()
    url, key = webhook_url or settings.stripe_webhook_url, settings.stripe_secret_key.get_secret_value()
    if not key:
        sys.exit("STRIPE_SECRET_KEY is not set")
    if url and origin_of(url) is None:
        sys.exit("the webhook's address must be an absolute http(s) URL")
    keep_secret = into_file(secret_file) if secret_file else shown
    connected = stripe_client(secret_key=key, api_base=settings.stripe_api_base)
    async with Database(settings.database_url, name=NAME) as database, connected as client:
        try:
            await bootstrap_stripe(
                database=database,
                client=client,
                instance=settings.quittance_instance,
                webhook_url=url,
                keep_secret=keep_secret,
                say=print,
            )
        except (NoPlans, stripe.StripeError) as error:
            sys.exit(f"bootstrap-stripe: {error}")
