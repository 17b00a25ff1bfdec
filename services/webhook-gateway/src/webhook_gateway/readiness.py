"""Whether a broker can be reached; asked by readiness only, never by liveness."""

import asyncio
from contextlib import suppress
from typing import Final

CONNECT_SECONDS: Final = 1.0


async def broker_is_reachable(bootstrap_servers: str) -> bool:
    """Whether any of the comma-separated `host:port` takes a connection."""
    servers = [server.strip() for server in bootstrap_servers.split(",") if server.strip()]
    return any(await asyncio.gather(*[_takes_connection(server) for server in servers]))


async def _takes_connection(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
