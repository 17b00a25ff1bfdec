"""The pages of purchases in this process: real PostgreSQL, the Stripe sandbox, sessions of an issuer."""

from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from stripe import StripeClient

from chassis.database.database import Database
from chassis.web.auth import TokenVerifier
from purchases.main.api import app
from purchases.settings import Settings
from sandbox.issuer import Issuer
from tests.integration.purchases.conftest import client, control, harness, migrated, stripe_url
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_api.conftest import tokens
from tests.integration.purchases_pages.reading import Form, Page

__all__ = ["client", "control", "harness", "migrated", "stripe_url", "tokens"]

ORIGIN: Final = "https://pages.example"


@dataclass(kw_only=True)
class Visitor:
    """Somebody's browser: it follows forms and links, and reads pages."""

    http: httpx.AsyncClient

    async def open(self, address: str, **headers: str) -> Page:
        """A page, through every redirect of our own."""
        answer = await self.http.get(address, headers=headers)
        while (there := answer.headers.get("location", "")).startswith("/"):
            answer = await self.http.get(there)
        return Page(answer)

    async def send(self, form: Form, **typed: str) -> httpx.Response:
        """The answer to a form, before anything is followed."""
        return await self.http.post(form.action, data=form.fields | typed)

    async def submit(self, form: Form, **typed: str) -> Page:
        """The page that a form leads to."""
        answer = await self.send(form, **typed)
        return await self.open(answer.headers["location"]) if answer.status_code == 303 else Page(answer)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The pages, and sessions for them."""

    app: FastAPI
    issuer: Issuer

    def visitor(self, claims: dict[str, Any] | None, **headers: str) -> Visitor:
        """Somebody who is signed in as that; None: nobody."""
        session = {"quittance_session": self.issuer.mint(claims)} if claims else {}
        browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN, **headers},
            cookies=session,
        )
        return Visitor(http=browser)

    def owner(self, workspace_id: str, **headers: str) -> Visitor:
        """The registered owner of the harness's workspaces."""
        return self.visitor({"sub": "olga", "workspaces": {workspace_id: "owner"}}, **headers)


@pytest.fixture(scope="module")
def service(migrated: Database, client: StripeClient, tokens: tuple[Issuer, TokenVerifier]) -> Site:
    settings = Settings(
        app_env="testing",
        quittance_instance="test",
        public_base_url=ORIGIN,
        support_email="help@pages.example",
        database_url=migrated.url,
        stripe_secret_key=SecretStr("sk_test_x"),
    )
    issuer, verifier = tokens
    return Site(app=app(settings=settings, database=migrated, client=client, verifier=verifier), issuer=issuer)


@pytest.fixture
def site(harness: Harness, service: Site) -> Site:
    """On an empty ledger."""
    return service
