"""Things that listen on a port of this machine, for as long as a test needs them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from sandbox.ports import free_port
from tests.conformance.go_module import binary


@asynccontextmanager
async def served(make: Callable[[str], Any]) -> AsyncIterator[str]:
    """Serve the ASGI application that `make` makes for its own address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(make(url), port=port, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server._serve())
    await until_open(port)
    try:
        yield url
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def stripe_mock() -> AsyncIterator[str]:
    """Run the built stripe-mock."""
    port = free_port()
    quiet = asyncio.subprocess.DEVNULL
    address = ("-http-addr", f"127.0.0.1:{port}")
    process = await asyncio.create_subprocess_exec(binary(), *address, stdout=quiet, stderr=quiet)
    await until_open(port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def until_open(port: int) -> None:
    """Wait until somebody listens on `port`."""
    for _ in range(3000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on {port}")
