"""The catalog on a real PostgreSQL, reached over HTTP by people with and without rights."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stripe
from fastapi import FastAPI
from sqlalchemy import select, text

from catalog.main import MIGRATIONS
from catalog.main.service import app
from catalog.seed import plant_seed
from catalog.stripe_setup.bootstrap import bootstrap_stripe
from catalog.stripe_setup.client import stripe_client
from catalog.stripe_setup.webhook import shown
from catalog.tables import Addon, outbox
from chassis.database.database import Database
from chassis.database.kept_rows import MAINTENANCE
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from sandbox.issuer import Issuer, application
from sandbox.ports import free_port
from sandbox.stripe.control import StripeControl
from tests.documented import only_documented_problems
from tests.stack.postgres import NewDatabase, Template, emptying

ADDONS = "/v1/admin/addons"
TABLES = ("plan_addons", "plans", "plan_prices", "audit_log", "outbox", "inbox", "parked")
STAFF = {"sub": "usr_mira", "email": "mira@quittance.example", "platform_role": "super_admin"}


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One running catalog and what a test does to it."""

    database: Database
    api: FastAPI
    issuer: Issuer

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """Return a client of somebody with `token`, or of nobody in particular."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.api),
            base_url="http://catalog.test",
            headers=headers,
            event_hooks=only_documented_problems("catalog"),
        )

    def staff(self) -> httpx.AsyncClient:
        """Return a super_admin."""
        return self.client(self.issuer.mint(STAFF))

    async def given_an_addon(self, **body: Any) -> dict[str, Any]:
        """Return an add-on made over the API: EUR 499.00 unless `body` says otherwise."""
        async with self.staff() as staff:
            answer = await staff.post(ADDONS, json={"name": "Setup", "price": "499.00"} | body)
        assert answer.status_code == 201, answer.text
        addon: dict[str, Any] = answer.json()
        return addon

    async def edit(self, addon: dict[str, Any], changes: dict[str, Any]) -> httpx.Response:
        """Send PATCH as a super_admin who read `addon`."""
        async with self.staff() as staff:
            return await staff.patch(
                f"{ADDONS}/{addon['id']}", json=changes, headers={"If-Match": f'"{addon["sequence"]}"'}
            )

    async def withdraw(self, addon: dict[str, Any]) -> httpx.Response:
        """Send DELETE as a super_admin who read `addon`."""
        async with self.staff() as staff:
            return await staff.delete(f"{ADDONS}/{addon['id']}", headers={"If-Match": f'"{addon["sequence"]}"'})

    async def shown(self, addon: dict[str, Any]) -> dict[str, Any]:
        """Return the add-on as staff see it now."""
        async with self.staff() as staff:
            answer: dict[str, Any] = (await staff.get(f"{ADDONS}/{addon['id']}")).json()
        return answer

    async def given_the_seed(self) -> None:
        """Return what every new catalog starts with: one add-on, two plans."""
        async with self.database.transaction() as session:
            await plant_seed(session=session, now=datetime.now(UTC))

    async def plan(self, slug: str = "builder") -> dict[str, Any]:
        """Return a plan as staff see it."""
        async with self.staff() as staff:
            answer: dict[str, Any] = (await staff.get(f"/v1/admin/plans/{slug}")).json()
        return answer

    async def edit_plan(self, slug: str, changes: dict[str, Any]) -> httpx.Response:
        """Send PATCH as a super_admin who just read the plan."""
        sequence = (await self.plan(slug))["sequence"]
        async with self.staff() as staff:
            return await staff.patch(f"/v1/admin/plans/{slug}", json=changes, headers={"If-Match": f'"{sequence}"'})

    async def plans(self) -> list[dict[str, Any]]:
        """Return the plans as everyone sees them."""
        async with self.client() as anybody:
            items: list[dict[str, Any]] = (await anybody.get("/v1/plans")).json()["items"]
        return items

    async def changes(self, **query: Any) -> list[dict[str, Any]]:
        """Return the audit log as staff see it, the newest first."""
        async with self.staff() as staff:
            items: list[dict[str, Any]] = (await staff.get("/v1/admin/audit", params=query)).json()["items"]
        return items

    async def price_list(self) -> list[dict[str, Any]]:
        """Return what everyone sees."""
        async with self.client() as anybody:
            items: list[dict[str, Any]] = (await anybody.get("/v1/addons")).json()["items"]
        return items

    async def rows(self) -> list[Any]:
        """Return plan_addons as it is, oldest first."""
        async with self.database.reading() as session:
            return list((await session.execute(select(Addon.__table__).order_by(Addon.created_at))).all())

    async def outbox(self) -> list[Any]:
        """Return the facts that wait for the relay, oldest first."""
        async with self.database.reading() as session:
            return list((await session.execute(select(outbox).order_by(outbox.c.id))).all())


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[tuple[Issuer, TokenVerifier]]:
    issuer = Issuer(issuer="https://issuer.test", audience="quittance")
    async with HttpServer(application(issuer), "127.0.0.1", 0) as server:
        jwks = Jwks(f"http://127.0.0.1:{server.port}/.well-known/jwks.json")
        yield issuer, TokenVerifier(jwks, "https://issuer.test", "quittance")


@pytest.fixture(scope="module")
async def migrated(module_database_url: NewDatabase, template: Template) -> AsyncIterator[Database]:
    url = await module_database_url(like=await template(MIGRATIONS))
    async with Database(url, name="catalog-tests") as database:
        yield database


@pytest.fixture(scope="module")
def service(migrated: Database, issuer: tuple[Issuer, TokenVerifier]) -> Catalog:
    settings = ServiceSettings(app_env="testing", allowed_return_origins="https://app.example")
    return Catalog(
        database=migrated, api=app(settings=settings, database=migrated, verifier=issuer[1]), issuer=issuer[0]
    )


@pytest.fixture
async def catalog(service: Catalog) -> Catalog:
    """Return an empty catalog, which remembers nothing of what it sold."""
    async with service.database.transaction() as session:
        await session.execute(text(MAINTENANCE))
        await session.execute(text(emptying(TABLES)))
    service.api.state.price_list.forget()
    service.api.state.plan_list.forget()
    return service


URL = "https://billing.example/billing/webhook"


@dataclass(kw_only=True)
class Account:
    """A Stripe account, and somebody who sets it up."""

    catalog: Catalog
    url: str
    control: StripeControl
    client: stripe.StripeClient
    said: list[str] = field(default_factory=list)

    async def set_up(self, *, instance: str = "test", webhook_url: str | None = URL) -> list[str]:
        """Run the command; what it said this time."""
        self.said = []
        await bootstrap_stripe(
            database=self.catalog.database,
            client=self.client,
            instance=instance,
            webhook_url=webhook_url,
            keep_secret=shown,
            say=self.said.append,
        )
        return self.said

    async def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return what Stripe has, oldest first."""
        found: list[dict[str, Any]] = (await self.control.objects(kind=kind[:-1])).get(kind[:-1], [])
        return found

    async def made(self) -> list[str]:
        """Return the ids of everything."""
        return [one["id"] for kind in ("products", "prices", "webhook_endpoints") for one in await self.objects(kind)]


@pytest.fixture(scope="module")
async def stripe_url() -> AsyncIterator[str]:
    """Provide the sandbox as its users start it."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "sandbox.stripe", "--port", str(port))
    async with asyncio.timeout(60), StripeControl(url := f"http://127.0.0.1:{port}") as control:
        while True:
            try:
                await control.health()
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    yield url
    process.terminate()
    await process.wait()


@pytest.fixture
async def account(catalog: Catalog, stripe_url: str) -> AsyncIterator[Account]:
    """Provide an empty account, and a catalog that was seeded."""
    await catalog.given_the_seed()
    async with StripeControl(stripe_url) as control:
        await control.reset()
        async with stripe_client(secret_key="sk_test_1", api_base=stripe_url) as client:
            yield Account(catalog=catalog, url=stripe_url, control=control, client=client)
