"""`stripe_commands`: one row per job, leased, postponed with a back-off, enqueued again while it runs, set aside."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from purchases.jobs import store as jobs
from purchases.jobs.kinds import AdoptCard, SyncSubscription
from purchases.jobs.store import LEASE, Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.stripe_api.client import MAX_NETWORK_RETRIES, TIMEOUT_SECONDS, OutcomeUnknown, StripeRefused
from purchases.worker import run_jobs
from tests.integration.purchases.harness import Harness, Json


class Worker:
    """What does `SyncSubscription` in these tests: it notes what it got and answers as it is set up."""

    def __init__(self) -> None:
        self.got: list[Task[SyncSubscription]] = []
        self.answers: list[Result | Exception] = []
        self.meanwhile: Any = None

    async def __call__(self, _: StripeContext, task: Task[SyncSubscription]) -> Result:
        self.got.append(task)
        if self.meanwhile is not None:
            await self.meanwhile()
        answer = self.answers.pop(0) if self.answers else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(run_jobs, "JOBS", {SyncSubscription: worker})
    return worker


def _job(said: str | None = None) -> SyncSubscription:
    return SyncSubscription(subscription_id="sub_1", workspace_id="ws-1", said=said)


async def _enqueue(harness: Harness, *, after: timedelta = timedelta(0), said: str | None = None) -> None:
    async with harness.database.transaction() as session:
        await enqueue(session, _job(said), after=after)


async def _row(harness: Harness) -> Json:
    (row,) = await harness.jobs("look_at_subscription")
    return row


def refused() -> StripeRefused:
    class Error(Exception):
        code, http_status, user_message, param, request_id = "nope", 400, "Not like this", "amount", "req_1"

    return StripeRefused(Error("no"))  # type: ignore[arg-type]


async def test_a_job_is_done_once(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)

    assert [await harness.loop.do_one(), await harness.loop.do_one()] == [True, False]
    assert ((await _row(harness))["state"], len(worker.got)) == ("done", 1)


async def test_a_job_that_is_not_due_waits(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness, after=timedelta(minutes=1))

    assert not await harness.loop.do_one()


async def test_enqueued_twice_it_is_one_row_due_at_the_earlier_time(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    await _enqueue(harness, after=timedelta(hours=1))

    assert await harness.loop.do_one()
    assert not await harness.loop.do_one()


async def test_enqueued_again_after_its_end_it_is_done_again(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    await harness.loop.do_one()
    await _enqueue(harness)

    assert await harness.loop.do_one()
    assert [task.attempts for task in worker.got] == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [DONE, Later(timedelta(hours=1)), OutcomeUnknown("timeout"), refused(), ValueError("a fault of ours")],
    ids=["done", "later", "unknown", "refused", "fault"],
)
async def test_enqueued_again_while_it_runs_it_runs_again_however_it_ended(
    harness: Harness, worker: Worker, answer: Result | Exception
) -> None:
    await _enqueue(harness)
    worker.answers = [answer]

    async def enqueue_again() -> None:
        worker.meanwhile = None
        await _enqueue(harness, said="news")

    worker.meanwhile = enqueue_again
    await harness.loop.do_one()

    assert await harness.loop.do_one()
    assert [task.job for task in worker.got] == [_job(), _job("news")]
    assert (await _row(harness))["state"] == "done"


async def test_while_one_worker_is_at_it_nobody_else_is(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    at_work, over = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        at_work.set()
        await over.wait()

    worker.meanwhile = work
    first = asyncio.create_task(harness.loop.do_one())
    await at_work.wait()

    assert not await harness.loop.do_one()
    over.set()
    assert await first


async def test_one_whose_worker_died_is_taken_again_when_its_lease_ends(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    async with harness.database.transaction() as session:
        assert await jobs.take(session, kinds=["look_at_subscription"]) is not None
    assert not await harness.loop.do_one()

    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second'")

    assert await harness.loop.do_one()
    assert [task.attempts for task in worker.got] == [2]


async def test_two_workers_never_take_the_same_job(harness: Harness) -> None:
    for number in range(20):
        async with harness.database.transaction() as session:
            await enqueue(session, AdoptCard(workspace_id=f"ws-{number}"))

    async def take() -> list[str]:
        taken: list[str] = []
        while True:
            async with harness.database.transaction() as session:
                row = await jobs.take(session, kinds=["adopt_card"])
            if row is None:
                return taken
            taken.append(row.subject)

    took = [subject for part in await asyncio.gather(*(take() for _ in range(4))) for subject in part]
    # Skipping what another one holds locked may end a round early, but nothing is taken twice.
    assert len(set(took)) == len(took)


@pytest.mark.parametrize("error", [OutcomeUnknown("500"), OSError("reset"), TimeoutError()])
async def test_what_may_pass_is_tried_later_and_later(harness: Harness, worker: Worker, error: Exception) -> None:
    await _enqueue(harness)
    waits = []
    for _ in range(3):
        worker.answers = [error]
        await harness.execute("update stripe_commands set due_at = now()")
        before = datetime.now(UTC)
        await harness.loop.do_one()
        waits.append(((await _row(harness))["due_at"] - before).total_seconds())

    assert waits == sorted(waits)
    assert waits[2] == pytest.approx(4, abs=1)
    assert (await _row(harness))["state"] == "open"
    assert (await _row(harness))["last_error"]


async def test_what_stripe_refuses_for_good_is_set_aside_with_its_reason(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    worker.answers = [refused()]

    await harness.loop.do_one()

    row = await _row(harness)
    assert (row["state"], row["last_error"]) == (
        "parked",
        "Stripe refused: Not like this (nope, parameter amount)",
    )
    assert not await harness.loop.do_one()


def out_of_a_driver() -> Exception:
    """A mistake in how we call it, raised within it."""
    try:
        stripe.StripeClient("sk_test_x", base_addresses=7)  # type: ignore[arg-type]
    except Exception as error:
        return error
    raise AssertionError("it took a number for addresses")


async def test_a_fault_of_ours_within_a_driver_reaches_staff_after_a_while(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    loop = harness.loop
    worker.answers = [out_of_a_driver() for _ in range(run_jobs.SET_ASIDE_AFTER)]
    states = []
    for _ in range(run_jobs.SET_ASIDE_AFTER):
        await harness.execute("update stripe_commands set due_at = now()")
        await loop.do_one()
        states.append((await _row(harness))["state"])

    assert states == ["open"] * (run_jobs.SET_ASIDE_AFTER - 1) + ["parked"]


async def test_a_fault_of_the_deployment_waits_however_long(harness: Harness, worker: Worker) -> None:
    await _enqueue(harness)
    loop = harness.loop

    async def ask_for_what_is_not_there() -> None:
        await harness.execute("select * from a_table_of_the_next_version")

    worker.meanwhile = ask_for_what_is_not_there
    for _ in range(run_jobs.SET_ASIDE_AFTER + 1):
        await harness.execute("update stripe_commands set due_at = now()")
        await loop.do_one()

    assert (len(worker.got), (await _row(harness))["state"]) == (run_jobs.SET_ASIDE_AFTER + 1, "open")


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "error_before", "status": 401, "stored": False},
        {"fault": "forbidden"},
        {"fault": "error_before", "status": 409, "stored": False},
        {"fault": "other_parameters"},
        {"fault": "rate_limit", "times": 4},
    ],
    ids=["401", "403", "409", "idempotency_error", "429"],
)
async def test_an_answer_that_is_about_us_sets_nothing_aside(harness: Harness, fault: Json) -> None:
    """It is about our key or the moment, not about the job, which waits until that is mended."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute("update workspace_addon_purchases set leased_until = null")
    await harness.control.fault(**fault, operation="invoices.retrieve")
    await harness.execute("update stripe_commands set due_at = now()")

    await harness.loop.do_one()

    (row,) = await harness.jobs("settle")
    assert ("open", str(purchase.id)) == (row["state"], row["subject"])
    assert row["last_error"]


async def test_the_lease_outlasts_the_calls_of_a_job() -> None:
    calls = 4
    assert timedelta(seconds=calls * TIMEOUT_SECONDS * (MAX_NETWORK_RETRIES + 1)) < LEASE
