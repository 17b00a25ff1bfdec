"""`stripe_commands`: one row per wish, leased, postponed with a back-off, asked again while it runs, set aside."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from purchases.jobs import store as commands
from purchases.jobs.store import LEASE, Command
from purchases.jobs.stripe_context import DONE, Later, Result, StripeDesk
from purchases.stripe_api.client import MAX_NETWORK_RETRIES, TIMEOUT_SECONDS, OutcomeUnknown, StripeRefused
from purchases.worker import run_jobs
from tests.integration.purchases.harness import Harness, Json


class Carrier:
    """What carries out `settle` in these tests: it notes what it got and does what it is told."""

    def __init__(self) -> None:
        self.got: list[Command] = []
        self.answers: list[Result | Exception] = []
        self.meanwhile: Any = None

    async def __call__(self, _: StripeDesk, command: Command) -> Result:
        self.got.append(command)
        if self.meanwhile is not None:
            await self.meanwhile()
        answer = self.answers.pop(0) if self.answers else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Carrier:
    carrier = Carrier()
    monkeypatch.setattr(run_jobs, "COMMANDS", {"settle": carrier})
    return carrier


async def _ask(harness: Harness, *, after: timedelta = timedelta(0), **arguments: Any) -> None:
    async with harness.database.transaction() as session:
        await commands.ask(session, kind="settle", subject="p1", after=after, **arguments)


async def _command(harness: Harness) -> Json:
    (command,) = await harness.jobs("settle")
    return command


def refused() -> StripeRefused:
    class Error(Exception):
        code, http_status, user_message, param, request_id = "nope", 400, "Not like this", "amount", "req_1"

    return StripeRefused(Error("no"))  # type: ignore[arg-type]


async def test_a_wish_is_carried_out_once(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)

    assert [await harness.loop.do_one(), await harness.loop.do_one()] == [True, False]
    assert ((await _command(harness))["state"], len(carrier.got)) == ("done", 1)


async def test_a_wish_that_is_not_due_waits(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness, after=timedelta(minutes=1))

    assert not await harness.loop.do_one()


async def test_asked_for_twice_it_is_one_row_due_at_the_earlier_time(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    await _ask(harness, after=timedelta(hours=1))

    assert await harness.loop.do_one()
    assert not await harness.loop.do_one()


async def test_asked_for_again_after_its_end_it_is_carried_out_again(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    await harness.loop.do_one()
    await _ask(harness)

    assert await harness.loop.do_one()
    assert [one.attempts for one in carrier.got] == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [DONE, Later(timedelta(hours=1)), OutcomeUnknown("timeout"), refused(), ValueError("a fault of ours")],
    ids=["done", "later", "unknown", "refused", "fault"],
)
async def test_asked_for_again_while_it_runs_it_runs_again_however_it_ended(
    harness: Harness, carrier: Carrier, answer: Result | Exception
) -> None:
    await _ask(harness)
    carrier.answers = [answer]

    async def ask_again() -> None:
        carrier.meanwhile = None
        await _ask(harness, news=True)

    carrier.meanwhile = ask_again
    await harness.loop.do_one()

    assert await harness.loop.do_one()
    assert [one.arguments for one in carrier.got] == [{}, {"news": True}]
    assert (await _command(harness))["state"] == "done"


async def test_while_one_carries_it_out_nobody_else_does(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    at_work, over = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        at_work.set()
        await over.wait()

    carrier.meanwhile = work
    first = asyncio.create_task(harness.loop.do_one())
    await at_work.wait()

    assert not await harness.loop.do_one()
    over.set()
    assert await first


async def test_one_whose_carrier_died_is_taken_again_when_its_lease_ends(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    async with harness.database.transaction() as session:
        assert await commands.take(session, kinds=["settle"]) is not None
    assert not await harness.loop.do_one()

    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second'")

    assert await harness.loop.do_one()
    assert [one.attempts for one in carrier.got] == [2]


async def test_what_a_newer_version_wants_is_left_to_its_workers(harness: Harness) -> None:
    await harness.execute(
        "insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)"
        " values ('not_thought_of_yet', 'not_thought_of_yet:p1', 'p1', '{}', 'open', 1, now(), 0)"
    )

    assert not await harness.loop.do_one()

    (command,) = await harness.jobs("not_thought_of_yet")
    assert (command["state"], command["attempts"]) == ("open", 0)


async def test_two_carriers_never_take_the_same_one(harness: Harness) -> None:
    for number in range(20):
        async with harness.database.transaction() as session:
            await commands.ask(session, kind="settle", subject=f"p{number}")

    async def take() -> list[str]:
        taken: list[str] = []
        while True:
            async with harness.database.transaction() as session:
                command = await commands.take(session, kinds=["settle"])
            if command is None:
                return taken
            taken.append(command.subject)

    took = [subject for part in await asyncio.gather(*(take() for _ in range(4))) for subject in part]
    # Skipping what another one holds locked may end a round early, but nothing is taken twice.
    assert len(set(took)) == len(took)


@pytest.mark.parametrize("error", [OutcomeUnknown("500"), OSError("reset"), TimeoutError()])
async def test_what_may_pass_is_tried_later_and_later(harness: Harness, carrier: Carrier, error: Exception) -> None:
    await _ask(harness)
    waits = []
    for _ in range(3):
        carrier.answers = [error]
        await harness.execute("update stripe_commands set due_at = now()")
        before = datetime.now(UTC)
        await harness.loop.do_one()
        waits.append(((await _command(harness))["due_at"] - before).total_seconds())

    assert waits == sorted(waits)
    assert waits[2] == pytest.approx(4, abs=1)
    assert (await _command(harness))["state"] == "open"
    assert (await _command(harness))["last_error"]


async def test_what_stripe_refuses_for_good_is_set_aside_with_its_reason(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    carrier.answers = [refused()]

    await harness.loop.do_one()

    command = await _command(harness)
    assert (command["state"], command["last_error"]) == (
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


async def test_a_fault_of_ours_within_a_driver_reaches_staff_after_a_while(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    loop = harness.loop
    carrier.answers = [out_of_a_driver() for _ in range(run_jobs.SET_ASIDE_AFTER)]
    states = []
    for _ in range(run_jobs.SET_ASIDE_AFTER):
        await harness.execute("update stripe_commands set due_at = now()")
        await loop.do_one()
        states.append((await _command(harness))["state"])

    assert states == ["open"] * (run_jobs.SET_ASIDE_AFTER - 1) + ["parked"]


async def test_a_fault_of_the_deployment_waits_however_long(harness: Harness, carrier: Carrier) -> None:
    await _ask(harness)
    loop = harness.loop

    async def ask_for_what_is_not_there() -> None:
        await harness.execute("select * from a_table_of_the_next_version")

    carrier.meanwhile = ask_for_what_is_not_there
    for _ in range(run_jobs.SET_ASIDE_AFTER + 1):
        await harness.execute("update stripe_commands set due_at = now()")
        await loop.do_one()

    assert (len(carrier.got), (await _command(harness))["state"]) == (run_jobs.SET_ASIDE_AFTER + 1, "open")


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
    """It is about our key or the moment, not about the command, which waits until that is mended."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute("update workspace_addon_purchases set leased_until = null")
    await harness.control.fault(**fault, operation="invoices.retrieve")
    await harness.execute("update stripe_commands set due_at = now()")

    await harness.loop.do_one()

    (command,) = await harness.jobs("settle")
    assert ("open", str(purchase.id)) == (command["state"], command["subject"])
    assert command["last_error"]


async def test_the_lease_outlasts_the_calls_of_a_command() -> None:
    calls = 4
    assert timedelta(seconds=calls * TIMEOUT_SECONDS * (MAX_NETWORK_RETRIES + 1)) < LEASE
