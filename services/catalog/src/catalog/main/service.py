"""The service: API, consumer and relay in one process."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from catalog.api import addons, audit, plans
from catalog.consumer import GROUP, apply_facts
from catalog.handlers.read_back import read_back
from catalog.main import NAME, read_settings
from catalog.main.doctor import USED, findings, health_of
from catalog.numbered import LEDGER
from catalog.pages.routes import install_pages
from catalog.price_list import PriceListCache, addons_on_sale, plans_on_offer
from chassis.database.database import Database
from chassis.kafka.ended_sessions import EndedSessions
from chassis.outbox.consumer import Consumer
from chassis.outbox.fates import is_outage
from chassis.outbox.pruning import keep_pruned, parked_of
from chassis.outbox.relay import Relay
from chassis.process.health import Health
from chassis.process.process import background, run_process
from chassis.process.settings import ServiceSettings
from chassis.process.startup import refuse_unless_sound
from chassis.recovery.read_back import keep_read_back
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer, ops_server
from chassis.web.web import web_app


def app(*, settings: ServiceSettings, database: Database, verifier: TokenVerifier) -> FastAPI:
    """Build the public API, and the pages beside it."""
    api = web_app(title="Quittance catalog", settings=settings, verifier=verifier, passes=is_outage)
    api.state.database = database
    api.state.price_list = PriceListCache(database, addons_on_sale)
    api.state.plan_list = PriceListCache(database, plans_on_offer)
    for router in (addons.public, plans.public, addons.admin, plans.admin, audit.admin):
        api.include_router(router)
    install_pages(api, settings)
    return api


def consumer(*, settings: ServiceSettings, database: Database, health: Health) -> Consumer:
    """Build the consumer of purchases' facts."""
    handle = partial(apply_facts, instance=settings.quittance_instance)
    return Consumer(
        topics=USED.reads,
        group=GROUP,
        database=database,
        handle=handle,
        settings=settings,
        health=health,
        serves=True,
    )


async def serve() -> None:
    """Run API, consumer, relay and operations port in one process, until it is stopped."""
    settings = read_settings()
    refuse_unless_sound(list(findings(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of(settings, database)
    ended, jwks = EndedSessions(settings), Jwks(settings.jwks_url)
    verifier = TokenVerifier(jwks, settings.jwt_issuer, settings.jwt_audience, has_ended=ended.has)
    kept = timedelta(days=settings.parked_kept_days)
    api = app(settings=settings, database=database, verifier=verifier)
    mend = partial(read_back, database=database, settings=settings)
    await run_process(
        Relay(database=database, settings=settings, health=health, ledger=LEDGER).beside_a_service(
            settings.relay, serves=True
        ),
        consumer(settings=settings, database=database, health=health).running(),
        background("read-back", lambda: keep_read_back(database, mend, health=health)),
        background("pruning", lambda: keep_pruned(database, parked_of(GROUP), kept=kept, health=health)),
        ended.running(health),
        HttpServer(api, settings.http_host, settings.http_port, protected=settings.protected),
        foundations=(database, ops_server(health, settings)),
        health=health,
    )
