"""One process: its parts are entered in order, run until a signal or a failed part, and left side by side in time."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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


Part = AbstractAsyncContextManager[Any]
PARTS_SECONDS: Final = 35.0
"""So long may the parts take to stop, all at once. The longest of them is the consumer with 25 s, or a mail at hand."""
FOUNDATIONS_SECONDS: Final = 10.0
"""So long may then take what they stand on. With a `preStop` of 5 s it is 50 s: a grace period of 60 s is enough."""
CUT_SHORT: Final = 70
"""The exit status of a process whose parts did not stop in time: what they were at is as after a crash."""


async def run_process(*parts: Part, foundations: Sequence[Part] = (), health: Health | None = None) -> None:
    """Enter `foundations` and `parts`, wait for SIGTERM, SIGINT or a failed loop, and leave them. Raises PartFailed.

    `health` says at once that the process is not ready any more. The parts stop side by side, then what they stand on:
    the database, the operations port. A part that takes longer than PARTS_SECONDS is cut off, and the process with it.
    """
    stop = asyncio.Event()
    gc.set_threshold(*YOUNG)
    gc.freeze()  # what is there now stays: a full collection of it would be a pause of tens of milliseconds
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _entered(foundations, within=FOUNDATIONS_SECONDS), _entered(parts, within=PARTS_SECONDS):
        log.info("started")
        await _first_of(stop)
        log.info("stopping")
        if health is not None:
            health.drain()
    log.info("stopped")


@asynccontextmanager
async def _entered(parts: Sequence[Part], *, within: float) -> AsyncIterator[None]:
    """Enter them in order, and leave all at once: each waits for something else."""
    entered: list[Part] = []
    try:
        for part in parts:
            await part.__aenter__()
            entered.append(part)
        yield
    finally:
        await _leave(entered, within=within)


async def _leave(parts: Sequence[Part], *, within: float) -> None:
    """Leave `parts`, or end the process where that takes too long. Raises the first thing that one of them raises."""
    leaving = [asyncio.create_task(_left(part), name=_name_of(part)) for part in parts]
    if not leaving:
        return
    done, late = await asyncio.wait(leaving, timeout=within)
    if late:
        # Nothing here is lost by that, as by no crash; a supervisor's SIGKILL would come later and say nothing.
        log.critical("stop_cut_short", parts=sorted(task.get_name() for task in late), seconds=within)
        sys.stdout.flush()
        os._exit(CUT_SHORT)
    for task in done:
        task.result()


async def _left(part: Part) -> None:
    await part.__aexit__(None, None, None)


def _name_of(part: Part) -> str:
    return str(getattr(getattr(part, "gen", None), "__qualname__", type(part).__name__))


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
