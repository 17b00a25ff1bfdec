"""Who may act on a row: a lease is the database's, renewed while its holder lives, and only its holder's to end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.buying.buy import Outcome, buy
from purchases.jobs import store as jobs
from purchases.jobs.kinds import AdoptCard, ReconcilePurchase, SyncSubscription
from purchases.jobs.lease import LeaseRanOut, renewing
from purchases.jobs.store import LeasedRow, enqueue
from purchases.ledger.transitions import Status
from purchases.stripe_api.client import stripe_client
from purchases.worker.jobs import KINDS
from tests.integration.purchases.checkouts import open_page, sessions_of, upgrade
from tests.integration.purchases.harness import Harness

SHORT = timedelta(seconds=5)
LONGER = 7.0
"""Seconds for which Stripe does not answer, longer than the lease; then its client asks once more."""


@pytest.fixture
async def patient(harness: Harness, stripe_url: str) -> AsyncIterator[Harness]:
    """With a client that tries again, as the service's own."""
    client = stripe_client(secret_key="sk_test_x", api_base=stripe_url)
    client._requestor._options.max_network_retries = 1
    yield replace(harness, client=client)
    http: Any = client._requestor._client
    await http.close_async()


async def test_a_buyer_whom_stripe_keeps_waiting_for_longer_than_the_lease_keeps_it(patient: Harness) -> None:
    await patient.given_an_addon()
    order = patient.order(await patient.given_a_workspace())
    await patient.control.fault("hang_after", operation="invoices.finalize", seconds=LONGER)

    bought = await buy(patient.context, lease=SHORT, order=order)

    assert (bought.outcome, bought.purchase.status) == (Outcome.PAID, Status.PAID)


async def test_a_checkout_that_stripe_is_slow_to_open_keeps_its_lease(patient: Harness, builder: None) -> None:
    wanted = upgrade(await patient.given_a_workspace())
    await patient.control.fault("hang_after", operation="checkout.sessions.create", seconds=LONGER)
    opening = asyncio.create_task(open_page(patient, wanted, lease=SHORT))
    await _until_asking(patient)
    await asyncio.sleep(SHORT.total_seconds() + 0.3)  # its first lease is over, and Stripe has not answered

    [row] = await patient.rows("select state, leased_until > now() as leased from checkout_sessions")

    assert row == {"state": "asking", "leased": True}
    assert [session["id"] for session in await sessions_of(patient)] == [(await opening).session_id]


async def _until_asking(harness: Harness) -> None:
    async with asyncio.timeout(30):
        while not await harness.rows("select id from checkout_sessions"):  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.01)


async def test_who_cannot_renew_stops_before_the_lease_is_over(harness: Harness) -> None:
    began = asyncio.get_running_loop().time()
    stopped = asyncio.Event()

    async def away(session: AsyncSession) -> bool:
        raise ConnectionError("the database is away")

    async def at_work() -> None:
        async with renewing(harness.database, lease=SHORT, renew=away):
            try:
                await asyncio.sleep(60)
            finally:
                stopped.set()

    with pytest.raises(LeaseRanOut):
        await at_work()

    assert stopped.is_set()
    assert asyncio.get_running_loop().time() - began < 30


async def test_a_time_out_of_the_work_itself_is_that_and_no_lost_lease(harness: Harness) -> None:
    async def held(session: AsyncSession) -> bool:
        return True

    with pytest.raises(TimeoutError):
        async with renewing(harness.database, lease=timedelta(minutes=1), renew=held):
            raise TimeoutError


async def test_whose_lease_is_over_ends_postpones_and_parks_nothing_of_who_took_it(harness: Harness) -> None:
    first = await _taken(harness)
    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second'")
    second = await _taken(harness, enqueued=False)
    held = await _row(harness)

    async with harness.database.transaction() as session:
        await jobs.end(session, first)
        await jobs.postpone(session, first, due_in=timedelta(hours=1), error="late")
        await jobs.set_aside(session, first, error="late")
        await jobs.give_back(session, first)

    assert await _row(harness) == held
    async with harness.database.transaction() as session:
        await jobs.end(session, second)
    assert (await _row(harness))["state"] == "done"


async def test_what_was_enqueued_again_meanwhile_stays_its_holders_too(harness: Harness) -> None:
    first = await _taken(harness)
    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second'")
    await _taken(harness, enqueued=False)
    async with harness.database.transaction() as session:
        await enqueue(session, AdoptCard(workspace_id="ws-1"))
    held = await _row(harness)

    async with harness.database.transaction() as session:
        await jobs.end(session, first)

    assert await _row(harness) == held
    assert held["leased_until"] is not None


async def _taken(harness: Harness, *, enqueued: bool = True) -> LeasedRow:
    async with harness.database.transaction() as session:
        if enqueued:
            await enqueue(session, AdoptCard(workspace_id="ws-1"))
            await session.flush()
        row = await jobs.take(session, kinds=KINDS)
    assert row is not None
    return row


async def _row(harness: Harness) -> dict[str, object]:
    [row] = await harness.rows("select state, due_at, leased_until, attempts, last_error from stripe_commands")
    return row


async def test_settling_goes_before_what_is_due_for_longer(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.execute("delete from stripe_commands")
    async with harness.database.transaction() as session:
        for number in range(20):
            await enqueue(session, SyncSubscription(subscription_id=f"sub_{number}", workspace_id="ws-1"))
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))
    await harness.execute("update stripe_commands set due_at = now() - interval '1 hour' where kind <> 'settle'")

    async with harness.database.transaction() as session:
        row = await jobs.take(session, kinds=KINDS)

    assert row is not None
    assert (row.kind, row.subject) == ("settle", str(purchase.id))
