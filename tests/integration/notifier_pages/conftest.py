"""Browsers in front of the notifier's pages on real PostgreSQL; without JavaScript, and as far as HTTP goes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text, update

from chassis.database.database import Database
from chassis.kafka.records import StoredRecord, malformed
from chassis.outbox import parked
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from notifier import mails
from notifier.consumer import GROUP, mails_for
from notifier.letters.letters import Mailable
from notifier.main import MIGRATIONS
from notifier.main.service import app
from notifier.parked.parked_items import id_of_mail
from notifier.tables import MAILS
from sandbox.issuer import Issuer, application
from tests.stack.postgres import NewDatabase, Template

Json = dict[str, Any]
ORIGIN: Final = "http://127.0.0.1:8000"
LIST: Final = "/admin/parked-mails"
STAFF: Final = {"sub": "usr_mira", "email": "mira@quittance.example", "platform_role": "super_admin"}
REFUSED: Final = '550 5.1.1 <dana@northwind.example>: no such mailbox here, "dana b"@northwind.example'


@dataclass(frozen=True, kw_only=True)
class Site:
    """The notifier's pages, its database, and who signs in."""

    database: Database
    pages: FastAPI
    issuer: Issuer

    def visitor(self, claims: Json | None = None, **headers: str) -> httpx.AsyncClient:
        """Provide somebody's browser; signed in where there are claims."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.pages),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN, **headers},
            cookies={"quittance_session": self.issuer.mint(claims)} if claims else {},
        )

    def staff(self, **headers: str) -> httpx.AsyncClient:
        """Return the browser of a super_admin."""
        return self.visitor(STAFF, **headers)

    async def given_parked(self, fact: Mailable, *, reason: str = REFUSED) -> str:
        """Return a mail that the mail server refused for good; its id on the pages."""
        (mail, *_) = mails_for(fact)
        async with self.database.transaction() as session:
            await mails.queue(session, [mail])
            parked_now = {"due_at": None, "parked_at": text("now()"), "last_error": reason, "attempts": 1}
            await session.execute(update(MAILS).where(MAILS.c.key == mail.key).values(parked_now))
        return id_of_mail(mail.key)

    async def given_unreadable(self, value: bytes, *, offset: int) -> str:
        """Return a record of which no mail could be made; its id on the pages."""
        record = StoredRecord("billing.purchase.events.v1", 3, offset, b"\x00", value, [("\x00", b"1")])
        async with self.database.transaction() as session:
            await parked.park_malformed(session, [malformed(record, "price_cents: Field required")], consumer=GROUP)
            number = (await session.execute(text("select max(id) from parked"))).scalar_one()
        return f"fact-{number}"

    async def mail(self, item_id: str) -> Json:
        """Return the mail's row."""
        async with self.database.reading() as session:
            rows = (await session.execute(MAILS.select())).mappings().all()
        return next(dict(row) for row in rows if id_of_mail(row["key"]) == item_id)

    async def decided(self) -> list[tuple[str, str, str, str | None]]:
        """Return all decisions, the oldest first."""
        query = text("select item, decision, actor, reason from parked_decisions order by id")
        async with self.database.reading() as session:
            return [(one.item, one.decision, one.actor, one.reason) for one in await session.execute(query)]


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[tuple[Issuer, TokenVerifier]]:
    issuer = Issuer(issuer="https://issuer.test", audience="quittance")
    async with HttpServer(application(issuer), "127.0.0.1", 0) as server:
        jwks = Jwks(f"http://127.0.0.1:{server.port}/.well-known/jwks.json")
        yield issuer, TokenVerifier(jwks, "https://issuer.test", "quittance")


@pytest.fixture
async def site(
    issuer: tuple[Issuer, TokenVerifier], database_url: NewDatabase, template: Template
) -> AsyncIterator[Site]:
    async with Database(await database_url(like=await template(MIGRATIONS)), name="notifier-tests") as database:
        pages = app(settings=ServiceSettings(app_env="testing"), database=database, verifier=issuer[1])
        yield Site(database=database, pages=pages, issuer=issuer[0])
