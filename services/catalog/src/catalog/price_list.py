"""The public list as bytes, kept in memory: everyone may read it, and it changes when an admin edits."""

import asyncio
from time import monotonic
from typing import Final, NamedTuple

from catalog.etags import digest_etag
from catalog.handlers import list_active_addons
from catalog.views import PublicAddons, public_view
from chassis.database import Database

FRESH_SECONDS: Final = 1.0
"""How long an edit made in another process may stay unseen; one made here is seen at once."""


class PriceList(NamedTuple):
    """The answer's bytes and their ETag."""

    body: bytes
    etag: str


class PriceListCache:
    """Reads the list from the database at most once in FRESH_SECONDS, however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = asyncio.Lock()
        self._list: PriceList | None = None
        self._fresh_until = 0.0
        self._edits = 0

    async def current(self) -> PriceList:
        """The list, at most FRESH_SECONDS old."""
        if self._list is None or monotonic() >= self._fresh_until:
            async with self._reading:
                if self._list is None or monotonic() >= self._fresh_until:
                    return await self._read()
        return self._list

    def forget(self) -> None:
        """To be called after each committed edit; what is being read from before the edit is not kept."""
        self._edits += 1
        self._list = None

    async def _read(self) -> PriceList:
        edits, asked_at = self._edits, monotonic()
        async with self._database.reading() as session:
            items = [public_view(addon) for addon in await list_active_addons(session=session)]
        body = PublicAddons(items=items).model_dump_json().encode()
        read = PriceList(body, digest_etag(body))
        if edits == self._edits:
            self._list, self._fresh_until = read, asked_at + FRESH_SECONDS
        return read
