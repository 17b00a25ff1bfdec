"""A public list as bytes, kept in memory: everyone may read it, and it changes when an admin edits."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, NamedTuple

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.etags import digest_etag
from catalog.plan_views import PublicPlans, public_plan
from catalog.views import PublicAddons, public_view
from chassis.database.database import Database

FRESH_SECONDS: Final = 1.0
"""How long an edit made in another process may stay unseen; one made here is seen at once."""


async def addons_on_sale(session: AsyncSession) -> PublicAddons:
    """Return what `GET /v1/addons` answers."""
    return PublicAddons(items=[public_view(addon) for addon in await store.active_addons(session)])


async def plans_on_offer(session: AsyncSession) -> PublicPlans:
    """Return what `GET /v1/plans` answers."""
    return PublicPlans(items=[public_plan(plan) for plan in await store.all_plans(session)])


class PriceList(NamedTuple):
    """The answer's bytes and their ETag."""

    body: bytes
    etag: str


class PriceListCache:
    """Reads the list from the database at most once in FRESH_SECONDS, however many ask."""

    def __init__(self, database: Database, read: Callable[[AsyncSession], Awaitable[BaseModel]]) -> None:
        self._database = database
        self._read_list = read
        self._reading = asyncio.Lock()
        self._list: PriceList | None = None
        self._fresh_until = 0.0
        self._edits = 0

    async def current(self) -> PriceList:
        """Return the list, at most FRESH_SECONDS old."""
        if self._list is None or monotonic() >= self._fresh_until:
            async with self._reading:
                if self._list is None or monotonic() >= self._fresh_until:
                    return await self._read()
        return self._list

    def forget(self) -> None:
        """Forget the list after a committed edit; what is being read from before the edit is not kept."""
        self._edits += 1
        self._list = None

    async def _read(self) -> PriceList:
        edits, asked_at = self._edits, monotonic()
        async with self._database.reading() as session:
            body = (await self._read_list(session)).model_dump_json().encode()
        read = PriceList(body, digest_etag(body))
        if edits == self._edits:
            self._list, self._fresh_until = read, asked_at + FRESH_SECONDS
        return read
