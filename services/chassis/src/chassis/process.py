"""One process: its parts are entered in order, run until a signal or a failed part, and left in reverse."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final

import uvloop

from chassis.health import Health
from chassis.logs import get_logger

log = get_logger(__name__)

YOUNG: Final = (50_000, 20, 50)
"""How much is made between two collections: a batch of 500 facts makes 100,000 objects, and hardly a cycle."""


class PartFailed(Exception):  # noqa: N818 - named for what it says
    """A loop of this process ended by itself; the process ends too, so that it is started anew."""


@asynccontextmanager
async def background(name: str, loop: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `loop` until the block is left. Should it end before, the whole process stops."""
    task = asyncio.create_task(_watched(name, loop), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watched(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    try:
        await loop()
    except Exception as error:
        log.exception("loop_failed", loop=name)
        _FAILURES.put_nowait(error)


_FAILURES: "asyncio.Queue[BaseException]" = asyncio.Queue()


async def run_process(*parts: AbstractAsyncContextManager[Any], health: Health | None = None) -> None:
    """Enter `parts`, wait for SIGTERM, SIGINT or a failed loop, leave them in reverse. Raises PartFailed.

    `health` says at once that the process is not ready any more.
    """
    stop = asyncio.Event()
    gc.set_threshold(*YOUNG)
    gc.freeze()  # what is there now stays: a full collection of it would be a pause of tens of milliseconds
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(part)
        log.info("started")
        await _first_of(stop)
        log.info("stopping")
        if health is not None:
            health.drain()


async def _first_of(stop: asyncio.Event) -> None:
    waiting = asyncio.create_task(stop.wait())
    failing = asyncio.create_task(_FAILURES.get())
    done, pending = await asyncio.wait({waiting, failing}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if failing in done:
        raise PartFailed(str(failing.result())) from failing.result()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run an async `main` on uvloop."""

    async def awaited() -> None:
        await main()

    uvloop.run(awaited())
