"""The API process."""

from functools import partial
from typing import Final

from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError
from stripe import StripeClient

from chassis.database.database import Database
from chassis.kafka.ended_sessions import EndedSessions
from chassis.outbox.fates import is_outage
from chassis.outbox.outbox import publish
from chassis.process.faults import sqlstate
from chassis.process.process import run_process
from chassis.process.startup import refuse_unless_sound
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer, ops_server
from chassis.web.web import web_app
from contracts.session_facts import SessionEnded
from purchases.main import read_settings
from purchases.main.doctor import health_of_api, of_api
from purchases.settings import Settings
from purchases.stripe_api.client import stripe_client
from purchases.web.api.routes import router
from purchases.web.pages.routes import install_pages

NAME: Final = "purchases-api"
ALREADY_THERE: Final = "23505"
"""PostgreSQL's unique_violation."""


def app(
    *,
    settings: Settings,
    database: Database,
    client: StripeClient,
    verifier: TokenVerifier,
    ended: EndedSessions | None = None,
) -> FastAPI:
    """Build the public API and the pages beside it; each sign-out is published through `ended`."""
    api = web_app(title="Quittance purchases", settings=settings, verifier=verifier, passes=is_outage, ended=ended)
    api.state.settings = settings
    api.state.database = database
    api.state.stripe = client
    api.include_router(router)
    install_pages(api, settings)
    return api


async def publish_sign_out(database: Database, fact: SessionEnded) -> None:
    """Publish the sign-out to every service, once, by the relay, as soon as Kafka can be reached.

    One that waits for the relay already, as after a double click that two replicas answer, is published.
    """
    try:
        async with database.transaction() as session:
            publish(session, fact, occurred_at=fact.occurred_at)
    except IntegrityError as error:
        if sqlstate(error) != ALREADY_THERE:
            raise


async def serve() -> None:
    """Run the API and its operations port until the process is stopped."""
    settings = read_settings(NAME)
    refuse_unless_sound(list(of_api(settings)))
    database = Database(settings.database_url, name=NAME)
    health = health_of_api(settings, database)
    ended = EndedSessions(settings, publish=partial(publish_sign_out, database))
    jwks = Jwks(settings.jwks_url)
    verifier = TokenVerifier(jwks, settings.jwt_issuer, settings.jwt_audience, has_ended=ended.has)
    client = stripe_client(secret_key=settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
    api = app(settings=settings, database=database, client=client, verifier=verifier, ended=ended)
    await run_process(
        ended.running(health),
        HttpServer(api, settings.http_host, settings.http_port, protected=settings.protected),
        foundations=(database, ops_server(health, settings)),
        health=health,
    )
