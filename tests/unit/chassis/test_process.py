"""A loop that raises runs again; only one that fails again and again ends the process."""

import asyncio

import asyncpg
import pytest

from chassis.outbox import consumer
from chassis.process import process
from chassis.process.process import background


async def test_a_loop_that_raised_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with asyncpg's InternalClientError, which stands in no table of the driver's faults."""
    ended: asyncio.Queue[BaseException] = asyncio.Queue()
    monkeypatch.setattr(process, "_FAILURES", ended)
    faults, runs = iter([asyncpg.InternalClientError("cannot switch to state 15")]), asyncio.Event()

    async def loop() -> None:
        if error := next(faults, None):
            raise error
        runs.set()
        await asyncio.Event().wait()

    async with background("relay", loop):
        async with asyncio.timeout(5):
            await runs.wait()

    assert ended.empty()


async def test_a_loop_that_fails_again_and_again_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: asyncio.Queue[BaseException] = asyncio.Queue()
    monkeypatch.setattr(process, "_FAILURES", ended)

    async def loop() -> None:
        raise RuntimeError("a bug")

    async with background("relay", loop, restarts=1):
        async with asyncio.timeout(5):
            error = await ended.get()

    assert str(error) == "a bug"


async def test_a_loop_that_lost_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python 3.11's `wait_for` loses one that comes with its result."""
    monkeypatch.setattr(process, "AGAIN_SECONDS", 0.01)
    losses, runs = iter([1]), asyncio.Event()

    async def loop() -> None:
        while True:
            runs.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if next(losses, None) is None:
                    raise

    async with asyncio.timeout(5), background("pulse", loop):
        await runs.wait()


def test_no_loop_is_cancelled_again_while_it_still_may_finish_its_batch() -> None:
    assert process.AGAIN_SECONDS > consumer.STOP_SECONDS + 5
