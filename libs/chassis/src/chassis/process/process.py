"""One process: its parts are entered in order, run until a signal or a failed part, and left in reverse."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final

import uvloop

from chassis.backoff import Backoff
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.logs import get_logger

log = get_logger(__name__)

YOUNG: Final = (50_000, 20, 50)
"""How much is made between two collections: a batch of 500 facts makes 100,000 objects, and hardly a cycle."""


class PartFailed(Exception):  # noqa: N818 - named for what it says
    """A loop of this process failed again and again; the process ends too, so that it is started anew."""


RESTARTS: Final = 5
"""A loop that raised runs again, so often in a row; one that ran for LONG_ENOUGH seconds begins to count anew."""
LONG_ENOUGH: Final = 60.0
AGAIN_SECONDS: Final = 30.0
"""A loop that goes on after it was cancelled is cancelled again: Python 3.11's `asyncio.wait_for`, which drivers use,
loses a cancellation that comes with its result. Longer than any loop takes to leave: the consumer's stop has 25 s."""


@asynccontextmanager
async def background(
    name: str, loop: Callable[[], Awaitable[None]], *, restarts: int = RESTARTS
) -> AsyncIterator[None]:
    """Run `loop` until the block is left. One that raises runs again after a while; at the last the process stops.

    What a driver raises outside its documented tree is a passing fault until proven otherwise, and no reason to end a
    process whose other loops run.
    """
    metrics.LOOP_FAILURES.labels(name)
    task = asyncio.create_task(_watched(name, loop, restarts), name=name)
    try:
        yield
    finally:
        task.cancel()
        while not (await asyncio.wait({task}, timeout=AGAIN_SECONDS))[0]:
            log.warning("loop_cancelled_again", loop=name)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watched(name: str, loop: Callable[[], Awaitable[None]], restarts: int) -> None:
    backoff, failures = Backoff(first=0.2, limit=5), 0
    while True:
        began = time.monotonic()
        try:
            return await loop()
        except Exception as error:
            if time.monotonic() - began > LONG_ENOUGH:
                backoff.reset()
                failures = 0
            failures += 1
            log.exception("loop_failed", loop=name, failures=failures)
            metrics.LOOP_FAILURES.labels(name).inc()
            if failures > restarts:
                _FAILURES.put_nowait(error)
                return None
        await backoff.sleep()


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
