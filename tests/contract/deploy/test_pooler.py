"""PgBouncer takes every connection that we open, and forgets a client whose machine is gone."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final

import pytest
from sqlalchemy import text

from chassis.database.database import Database, plain_connection
from chassis.database.migrations import migrate
from tests.contract.deploy.workloads import PROTECTED, named
from tests.contract.sources import ROOT

KNOWN: Final = frozenset(
    {
        *("user", "database", "application_name", "client_encoding"),
        *("datestyle", "timezone", "standard_conforming_strings", "intervalstyle"),
    }
)
"""What PgBouncer takes of a startup message by itself; any other key ends the connection."""
SSL_REQUEST: Final = 80877103
LEADER_SECONDS: Final = 30
"""A leader on a machine that is gone keeps the relay's lock for no longer."""


class Listener:
    """A server that reads what a client says first, and hangs up."""

    url = ""

    def __init__(self) -> None:
        self.startups: list[dict[str, str]] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            message = await self._message(reader)
            if struct.unpack("!i", message[:4]) == (SSL_REQUEST,):
                writer.write(b"N")
                message = await self._message(reader)
            words = message[4:].rstrip(b"\0").decode().split("\0")
            self.startups.append(dict(zip(words[::2], words[1::2], strict=True)))
        writer.close()

    async def _message(self, reader: asyncio.StreamReader) -> bytes:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        return await reader.readexactly(length - 4)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    async with server:
        made.url = f"postgresql://catalog:x@127.0.0.1:{server.sockets[0].getsockname()[1]}/catalog"
        yield made


async def pooled(url: str) -> None:
    async with Database(url, name="catalog") as database, database.transaction() as session:
        await session.execute(text("select 1"))


async def plain(url: str) -> None:
    async with plain_connection(url, name="relay"):
        pass


async def migrating(url: str) -> None:
    await asyncio.to_thread(migrate, url=url, migrations=ROOT / "services/catalog/src/catalog/migrations")


@pytest.mark.parametrize("overlay", PROTECTED)
@pytest.mark.parametrize("connect", [pooled, plain, migrating])
async def test_the_pooler_takes_each_way_in_which_we_connect(
    overlay: str, connect: Callable[[str], Awaitable[None]], listener: Listener
) -> None:
    with suppress(Exception):
        await connect(listener.url)

    ignored = {key.strip() for key in parameters(overlay)["ignore_startup_parameters"].split(",")}
    assert listener.startups
    assert {key for said in listener.startups for key in said} - KNOWN - ignored == set()


@pytest.mark.parametrize("overlay", PROTECTED)
def test_a_client_that_is_gone_is_forgotten_in_time(overlay: str) -> None:
    """Its session holds the relay's lock; the kernel's own keepalive begins after two hours."""
    said = parameters(overlay)

    assert said["tcp_keepalive"] == "1"
    idle, every, times = (int(said[f"tcp_keep{part}"]) for part in ("idle", "intvl", "cnt"))
    assert 0 < idle + every * times <= LEADER_SECONDS


def parameters(overlay: str) -> dict[str, str]:
    found: dict[str, str] = named(overlay, "Pooler", "postgres-pooler")["spec"]["pgbouncer"]["parameters"]
    return found
