"""The public API of purchases, called by people with tokens: in this process, or as processes of their own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from stripe import StripeClient

from chassis.database.database import Database
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from purchases.main.api import app
from purchases.settings import Settings
from sandbox.issuer import Issuer, application
from sandbox.ports import free_port
from tests.documented import only_documented_problems
from tests.integration.purchases.harness import INSTANCE

ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "quittance"
Members = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API and who calls it."""

    issuer: Issuer
    http: httpx.AsyncClient

    async def call(
        self, method: str, path: str, *, token: Mapping[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        """As the bearer of a token with these claims; by default as the host product that claims resources."""
        claims = token or {"sub": "host", "scope": "resources:write"}
        headers = {"Authorization": f"Bearer {self.issuer.mint(dict(claims))}", **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)


@asynccontextmanager
async def an_issuer() -> AsyncIterator[tuple[Issuer, str]]:
    """Mints tokens, and serves its keys at the URL."""
    issuer = Issuer(issuer=ISSUER, audience=AUDIENCE)
    async with HttpServer(application(issuer), "127.0.0.1", 0) as server:
        yield issuer, f"http://127.0.0.1:{server.port}/.well-known/jwks.json"


@asynccontextmanager
async def an_api(database: Database, client: StripeClient) -> AsyncIterator[Api]:
    """The app in this process."""
    settings = Settings(app_env="testing", database_url=database.url, support_email="support@quittance.example")
    async with an_issuer() as (issuer, jwks_url):
        verifier = TokenVerifier(Jwks(jwks_url), ISSUER, AUDIENCE)
        here = app(settings=settings, database=database, client=client, verifier=verifier)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=here),
            base_url="http://purchases.test",
            event_hooks=only_documented_problems("purchases"),
        ) as http:
            yield Api(issuer=issuer, http=http)


@asynccontextmanager
async def api_processes(database_url: str, *, number: int, stripe_url: str = "") -> AsyncIterator[list[Api]]:
    """`python -m purchases api`, several times, on one database and one Stripe account."""
    async with AsyncExitStack() as stack:
        issuer, jwks_url = await stack.enter_async_context(an_issuer())
        given = {"DATABASE_URL": database_url, "JWKS_URL": jwks_url, "STRIPE_API_BASE": stripe_url}
        yield [await stack.enter_async_context(_process(given, issuer)) for _ in range(number)]


@asynccontextmanager
async def _process(parts: Mapping[str, str], issuer: Issuer) -> AsyncIterator[Api]:
    port = free_port()
    given = {"APP_ENV": "testing", "QUITTANCE_INSTANCE": INSTANCE, **parts}
    given |= {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "STRIPE_SECRET_KEY": "sk_test_x"}
    given |= {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port), "OPS_PORT": str(free_port()), "LOG_LEVEL": "WARNING"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "purchases", "api", env=os.environ | given)
    try:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=None) as http:
            await _answers(http)
            yield Api(issuer=issuer, http=http)
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await http.get("/v1/workspaces/nobody/billing")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
