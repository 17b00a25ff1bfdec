"""The worker is stopped: jobs at hand are finished; one cut off is another worker's at once, or when its lease ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from purchases.jobs import store as jobs
from purchases.jobs.kinds import SyncSubscription
from purchases.jobs.store import LeasedRow, enqueue
from purchases.worker import run_jobs
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.test_jobs import Worker, _enqueue, _job, _row, worker

__all__ = ["worker"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for jobs at hand."""
    monkeypatch.setattr(run_jobs, "FINISH_SECONDS", 0.3)


@asynccontextmanager
async def at_work(
    harness: Harness, worker: Worker, doing: Callable[[], Awaitable[object]], *, jobs_at_hand: int = 1
) -> AsyncIterator[asyncio.Event]:
    """So many workers at a job each, which does `doing` and then waits; the event lets them go on."""
    begun, over = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        if len(worker.got) == jobs_at_hand:
            begun.set()
        await doing()
        await over.wait()

    worker.meanwhile = work
    async with harness.database.transaction() as session:
        named = [replace(_job(), subscription_id=f"sub_{number}") for number in range(1, jobs_at_hand + 1)]
        await enqueue(session, *named)
    async with harness.loop.running():
        await asyncio.wait_for(begun.wait(), 10)
        await asyncio.sleep(0.3)
        yield over


async def nothing() -> None:
    return


async def test_a_job_at_hand_is_finished_and_no_other_is_begun(harness: Harness, worker: Worker) -> None:
    async with at_work(harness, worker, nothing) as over:
        asyncio.get_running_loop().call_later(0.5, over.set)

    row = await _row(harness)
    assert (row["state"], row["leased_until"], len(worker.got)) == ("done", None, 1)


async def test_one_cut_off_between_calls_is_taken_by_another_worker_at_once(
    harness: Harness, worker: Worker, impatient: None
) -> None:
    async def calls_with_an_answer() -> None:
        await harness.client.v1.customers.create_async({"name": "Acme"})

    async with at_work(harness, worker, calls_with_an_answer):
        pass
    assert ((await _row(harness))["state"], (await _row(harness))["leased_until"]) == ("open", None)

    worker.meanwhile = None
    assert await harness.loop.do_one()
    assert [task.attempts for task in worker.got] == [1, 2]


async def test_one_cut_off_while_it_only_reads_is_taken_by_another_worker_at_once(
    harness: Harness, worker: Worker, impatient: None
) -> None:
    await harness.control.fault("latency", operation="customers.list", seconds=9)

    async with at_work(harness, worker, lambda: harness.client.v1.customers.list_async()):
        pass

    assert (await _row(harness))["leased_until"] is None


async def test_one_cut_off_in_a_change_stays_leased_since_it_may_be_under_way_at_stripe(
    harness: Harness, worker: Worker, impatient: None
) -> None:
    await harness.control.fault("late", operation="customers.create", seconds=9)

    async with at_work(harness, worker, lambda: harness.client.v1.customers.create_async({"name": "Acme"})):
        pass

    row = await _row(harness)
    assert (row["state"], row["leased_until"] is not None) == ("open", True)
    worker.meanwhile = None
    assert not await harness.loop.do_one()


async def test_a_lease_that_another_worker_has_by_now_is_not_given_back(
    harness: Harness, worker: Worker, impatient: None
) -> None:
    """Ours ran out, and somebody else is at it."""
    async with at_work(harness, worker, nothing):
        await harness.execute("update stripe_commands set attempts = 2")

    assert (await _row(harness))["leased_until"] is not None


async def take(harness: Harness) -> LeasedRow:
    async with harness.database.transaction() as session:
        row = await jobs.take(session, kinds=[SyncSubscription.KIND])
    assert row is not None
    return row


async def give_back(harness: Harness, row: LeasedRow) -> bool:
    """Whether nobody has it after that."""
    async with harness.database.transaction() as session:
        await jobs.give_back(session, row)
    return (await _row(harness))["leased_until"] is None


async def test_a_lease_of_the_same_job_enqueued_anew_is_not_given_back_for_the_one_before(harness: Harness) -> None:
    """Given one whose lease ran out, that others ended, and that was enqueued and taken again: as its first attempt."""
    await _enqueue(harness)
    ours = await take(harness)
    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second'")
    async with harness.database.transaction() as session:
        other = await jobs.take(session, kinds=[SyncSubscription.KIND])
        assert other is not None
        await jobs.end(session, other)
    await _enqueue(harness)
    theirs = await take(harness)

    assert (ours.id, ours.attempts) == (theirs.id, theirs.attempts)
    assert not await give_back(harness, ours)
    assert await give_back(harness, theirs)


async def test_one_that_was_enqueued_again_while_it_ran_is_given_back_too(harness: Harness) -> None:
    await _enqueue(harness)
    ours = await take(harness)
    await _enqueue(harness)

    assert await give_back(harness, ours)


async def test_a_database_that_is_away_does_not_hold_up_the_stop(
    harness: Harness, worker: Worker, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a job at each worker's hand, then all are given up at once, and not one after the other."""
    monkeypatch.setattr(run_jobs, "GIVE_BACK_SECONDS", 1.5)
    async with at_work(harness, worker, nothing, jobs_at_hand=run_jobs.WORKERS):
        let_go = await holding_the_rows(harness)
        began = time.monotonic()
    took = time.monotonic() - began
    await let_go()

    assert len(worker.got) == run_jobs.WORKERS
    assert took < run_jobs.FINISH_SECONDS + run_jobs.GIVE_BACK_SECONDS + run_jobs.CUT_OFF_SECONDS, took


async def holding_the_rows(harness: Harness) -> Callable[[], Awaitable[None]]:
    """Lock the jobs in a session of its own; return what lets them go."""
    connection = await harness.database.engine.connect()
    await connection.execute(text("select id from stripe_commands for update"))

    async def let_go() -> None:
        await connection.rollback()
        await connection.close()

    return let_go
