"""The parts that fail on the scheduler's word: PostgreSQL behind our `Database`, and Stripe behind its own client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import asyncpg
import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from sandbox.stripe.control import StripeControl
from tests.simulation.scheduler import ACTOR, TRACE, point

RAISE: Final = "do $$ begin raise exception 'simulated' using errcode = '{code}'; end $$"
DATABASE_FAULTS: Final = ("serialization", "read only", "session ended", "lost during commit")
STRIPE_FAULTS: Final = ("unreachable", "rate limited", "error_before", "error_after", "no answer")
"""The two with an underscore are the sandbox's own: it keeps such an answer under the key, as Stripe does."""


@dataclass(kw_only=True)
class Mishaps:
    """How likely a transaction, or a call to Stripe, is spoiled now."""

    random: Random = field(default_factory=Random)
    database: float = 0.0
    stripe: float = 0.0
    seen: dict[str, int] = field(default_factory=dict)
    committed: bool = False
    """Since somebody looked last."""

    def of_the_database(self) -> str | None:
        return self._one(DATABASE_FAULTS, self.database)

    def of_stripe(self) -> str | None:
        return self._one(STRIPE_FAULTS, self.stripe)

    def _one(self, kinds: tuple[str, ...], likely: float) -> str | None:
        actor = ACTOR.get()
        if actor is None or self.random.random() >= likely:
            return None
        kind = self.random.choice(kinds)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        TRACE.get().append(f"{actor.name}: {kind}")
        return kind


class FailingDatabase(Database):
    """Our database, whose transactions begin and end at points, and fail as PostgreSQL makes them fail."""

    mishaps: Mishaps

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """As `Database.transaction`."""
        await point("transaction")
        mishap = self.mishaps.of_the_database()
        with _in_a_transaction():
            async with super().transaction() as session:
                if mishap == "read only":
                    await session.execute(text("set transaction read only"))
                yield session
                if mishap == "serialization":
                    await session.execute(text(RAISE.format(code="40001")))
                if mishap == "session ended":
                    await session.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        self.mishaps.committed = True
        if mishap == "lost during commit":
            lost = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
            raise DBAPIError("commit", None, lost, connection_invalidated=True)
        await point("committed")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """As `Database.reading`."""
        await point("reading")
        async with super().reading() as session:
            yield session


class _in_a_transaction:  # noqa: N801 - used like a function
    def __enter__(self) -> None:
        if actor := ACTOR.get():
            assert not actor.in_transaction, "one transaction within another"
            actor.in_transaction = True

    def __exit__(self, *_: object) -> None:
        if actor := ACTOR.get():
            actor.in_transaction = False


class FailingStripe(httpx.AsyncBaseTransport):
    """The sandbox in this process, behind a network that a seed decides about."""

    def __init__(self, app: Any, mishaps: Mishaps, control: StripeControl) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self._mishaps = mishaps
        self._control = control

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        actor = ACTOR.get()
        assert actor is None or not actor.in_transaction, f"{request.url.path} is called within a transaction"
        about = f"{request.method} {request.url.path}"
        await point(about)
        mishap = self._mishaps.of_stripe()
        if mishap == "unreachable":
            raise httpx.ConnectError("simulated")
        if mishap == "rate limited":
            return _answer(request, 429, "rate_limit")
        if mishap in {"error_before", "error_after"}:
            await self._control.fault(mishap)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        await point(f"{about} is answered")
        if mishap == "no answer":
            raise httpx.ReadTimeout("simulated")
        return response


def _answer(request: httpx.Request, status: int, kind: str) -> httpx.Response:
    body = {"error": {"type": kind, "message": "simulated"}}
    return httpx.Response(status, json=body, headers={"stripe-should-retry": "false"}, request=request)
