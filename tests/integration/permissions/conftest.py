"""The three HTTP services in this process, two registered workspaces, and an issuer of tokens."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp

import catalog.main.service
import purchases.main.api
from chassis.database.database import Database
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from purchases.settings import Settings
from purchases.stripe_api.client import stripe_client
from purchases.workspaces.rows import Workspace
from sandbox.issuer import Issuer, application
from sandbox.ports import LOOPBACK, free_port
from tests.documented import only_documented_problems
from tests.integration.permissions.matrix import REGISTERED_OWNERS
from tests.stack.postgres import NewDatabase, Template
from webhook_gateway.main import gateway_app
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.metrics import WebhookMetrics
from webhook_gateway.webhook.webhook_secrets import signing_secrets

ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "quittance"
ORIGIN: Final = "https://app.example"
STRIPE_IS_AWAY: Final = f"http://{LOOPBACK}:{free_port()}"
"""No call gets further than its permission."""


class NoBroker:
    """Nothing gets as far as the gateway's broker."""

    async def send(self, **record: Any) -> asyncio.Future[Any]:
        raise AssertionError(record)

    def renew(self) -> None:
        raise AssertionError


@pytest.fixture(scope="module")
async def issuer() -> Issuer:
    return Issuer(issuer=ISSUER, audience=AUDIENCE)


@pytest.fixture(scope="module")
async def verifier(issuer: Issuer) -> AsyncIterator[TokenVerifier]:
    async with HttpServer(application(issuer), LOOPBACK, 0) as server:
        yield TokenVerifier(Jwks(f"http://{LOOPBACK}:{server.port}/.well-known/jwks.json"), ISSUER, AUDIENCE)


@pytest.fixture(scope="module")
async def services(
    verifier: TokenVerifier, module_database_url: NewDatabase, template: Template
) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client of each service, with nobody's token."""
    answers: dict[str, Any] = {"app_env": "testing", "allowed_return_origins": ORIGIN}
    async with AsyncExitStack() as stack:
        urls = {
            service: await module_database_url(like=await template(service.MIGRATIONS))
            for service in (catalog.main, purchases.main)
        }
        catalogs = await stack.enter_async_context(Database(urls[catalog.main], name="catalog-tests"))
        ledger = await stack.enter_async_context(Database(urls[purchases.main], name="purchases-tests"))
        await register_workspaces(ledger)
        apps: dict[str, ASGIApp] = {
            "catalog": catalog.main.service.app(
                settings=ServiceSettings(**answers), database=catalogs, verifier=verifier
            ),
            "purchases": purchases.main.api.app(
                settings=Settings(**answers, database_url=ledger.url, stripe_secret_key=SecretStr("sk_test_x")),
                database=ledger,
                client=stripe_client(secret_key="sk_test_x", api_base=STRIPE_IS_AWAY),
                verifier=verifier,
            ),
            "webhook-gateway": gateway_app(
                settings=GatewaySettings(**answers),
                signing=signing_secrets(given=[f"whsec_{secrets.token_hex(16)}"], protected=True),
                producer=NoBroker(),
                metrics=WebhookMetrics(),
            ),
        }
        clients = {
            name: await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{name}.test")
            )
            for name, app in apps.items()
        }
        for name, client in clients.items():
            client.event_hooks = only_documented_problems(name.replace("-", "_"))
        yield clients


async def register_workspaces(ledger: Database) -> None:
    async with ledger.transaction() as session:
        for workspace_id, owner in REGISTERED_OWNERS.items():
            session.add(
                Workspace(id=workspace_id, name="Acme", owner_user_id=owner, owner_email=f"{owner}@acme.example")
            )


@pytest.fixture(scope="module")
async def documents(services: dict[str, httpx.AsyncClient]) -> dict[str, Any]:
    """Each service's OpenAPI document, as it is served."""
    return {name: (await client.get("/openapi.json")).json() for name, client in services.items()}
