"""The API of purchases in this process: real PostgreSQL, the Stripe sandbox, tokens of an issuer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from stripe import StripeClient

from chassis.database.database import Database
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from purchases.main.api import app
from purchases.settings import Settings
from sandbox.issuer import Issuer, application
from sandbox.ports import LOOPBACK
from tests.documented import only_documented_problems
from tests.integration.purchases.conftest import client, control, harness, migrated, stripe_url
from tests.integration.purchases.harness import Harness

__all__ = ["client", "control", "harness", "migrated", "stripe_url"]

Json = dict[str, Any]
ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "quittance"
STAFF: Final = {"sub": "mira", "platform_role": "super_admin"}


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API, and tokens for it."""

    app: FastAPI
    issuer: Issuer

    def of(self, claims: Json) -> httpx.AsyncClient:
        """Somebody with a token that says so."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://purchases.test",
            event_hooks=only_documented_problems("purchases"),
            headers={"Authorization": f"Bearer {self.issuer.mint(claims)}"},
        )

    def owner(self, workspace_id: str) -> httpx.AsyncClient:
        """The registered owner of the harness's workspaces."""
        return self.of({"sub": "olga", "workspaces": {workspace_id: "owner"}})


@pytest.fixture(scope="module")
async def tokens() -> AsyncIterator[tuple[Issuer, TokenVerifier]]:
    issuer = Issuer(issuer=ISSUER, audience=AUDIENCE)
    async with HttpServer(application(issuer), LOOPBACK, 0) as server:
        jwks = Jwks(f"http://{LOOPBACK}:{server.port}/.well-known/jwks.json")
        yield issuer, TokenVerifier(jwks, ISSUER, AUDIENCE)


@pytest.fixture(scope="module")
def service(migrated: Database, client: StripeClient, tokens: tuple[Issuer, TokenVerifier]) -> Api:
    settings = Settings(
        app_env="testing",
        quittance_instance="test",
        allowed_return_origins=("https://app.example",),
        database_url=migrated.url,
        stripe_secret_key=SecretStr("sk_test_x"),
        # One workspace is asked for hundreds of times here; what a budget is for: test_budgets.
        stripe_budget_workspace_burst=100_000,
        stripe_budget_person_burst=100_000,
    )
    issuer, verifier = tokens
    return Api(app=app(settings=settings, database=migrated, client=client, verifier=verifier), issuer=issuer)


@pytest.fixture
def api(harness: Harness, service: Api) -> Api:
    """On an empty ledger."""
    return service


@pytest.fixture
async def staff(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of platform staff."""
    async with api.of(STAFF) as somebody:
        yield somebody
