"""The sweep goes in passes: one slice at a time over all replicas, by the worker's own timers, and in nobody's way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from chassis.process.health import Health
from purchases.jobs.kinds import ReconcileReach
from purchases.jobs.store import enqueue
from purchases.jobs.stripe_context import WorkerContext
from purchases.ledger.rows import Purchase
from purchases.reconcile import passes
from purchases.reconcile.passes import REACHES, Place, compared_until, start_sweep
from purchases.stripe_api.since import Stretch
from purchases.worker.jobs import SWEEPS, URGENT
from purchases.worker.run_jobs import JobsLoop
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.subscribers import given_a_subscriber
from tests.integration.purchases.test_lost_webhooks import begin, let_pass

LONGEST_WAIT: Final = 60.0


async def test_a_pass_goes_on_where_it_was_and_ends_with_how_far_it_compared(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given slices of one object, then each is compared all the same, and the other reaches have their turn between."""
    monkeypatch.setattr(passes, "SLICE", 1)
    await begin(harness, timedelta(minutes=30))
    purchase = await harness.given_a_purchase()
    for _ in range(3):
        await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=10)
        await let_pass(harness, timedelta(minutes=1))
    await let_pass(harness, timedelta(minutes=27))
    async with harness.database.transaction() as session:
        await start_sweep(session, INSTANCE)
    await harness.execute("update stripe_commands set due_at = now()")

    turns = []
    while await harness.loop.do_one(kinds=SWEEPS):
        turns += [row["reach"] for row in await harness.rows("select reach from sweep_passes where step is not null")]

    assert len((await harness.purchase(purchase.id)).refunds) == 3
    assert set(turns) == set(REACHES)
    async with harness.database.reading() as session:
        ends = await compared_until(session)
    assert all(end is not None and datetime.now(UTC) - end < timedelta(minutes=5) for end in ends.values())
    due = {row["subject"]: row["wait"] for row in await harness.rows(WAITS)}
    assert {reach: round(due[reach] / timedelta(minutes=10)) for reach in REACHES} == {
        "hour": 1,
        "day": 6,
        "month": 144,
    }


async def test_a_slice_that_another_worker_overtook_leaves_nothing_of_the_new_pass_out(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given that its lease ended, and a new pass began meanwhile, then the place that it came to is not noted."""

    async def slow(_: WorkerContext, stretch: Stretch, place: Place) -> Place:
        await harness.execute("update sweep_passes set starts_at = starts_at + interval '10 minutes'")
        return Place(stretch.start, place.after_id)

    monkeypatch.setattr(passes, "STEPS", {**passes.STEPS, "payments": slow})
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcileReach(reach="hour"))

    await harness.loop.do_one(kinds=SWEEPS)

    (row,) = await harness.rows("select step, made_before, compared_until from sweep_passes")
    assert row == {"step": "payments", "made_before": None, "compared_until": None}


WAITS: Final = "select subject, due_at - now() as wait from stripe_commands where kind = 'sweep_reach'"


async def test_of_all_replicas_one_sweeps_at_a_time_and_what_is_urgent_waits_for_none(harness: Harness) -> None:
    """Given that a replica is at a slice, then another one takes no slice, and what is urgent as ever."""
    async with harness.database.transaction() as session:
        await start_sweep(session, INSTANCE)
    others = JobsLoop(context=harness.context, health=Health())
    await harness.execute(
        """
        insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, leased_until)
        values ('sweep_reach', 'sweep_reach:day', 'day', '{}', 'open', 1, now(), 1, now() + interval '1 minute'),
               ('rename_product', 'rename_product:x', :addon, '{}', 'open', 1, now(), 1, null)
        """,
        addon="6a1d2f9e-0000-4000-8000-000000000001",
    )

    swept = await others.do_one(kinds=SWEEPS)
    urgent = await others.do_one(kinds=URGENT)
    await harness.execute("update stripe_commands set leased_until = now() - interval '1 second' where subject = 'day'")
    swept_afterwards = await others.do_one(kinds=SWEEPS)

    assert (swept, urgent, swept_afterwards) == (False, True, True)


async def test_while_a_restored_copy_is_read_back_nothing_is_swept(harness: Harness) -> None:
    """Given that it is one, then what is urgent is done, and the sweep begins when it is over."""
    await harness.execute("insert into epochs (epoch, began_at, reason, stretches) values (7, now(), 'a copy', '[]')")
    async with harness.database.transaction() as session:
        await start_sweep(session, INSTANCE)

    meanwhile = await harness.loop.do_one(kinds=SWEEPS)
    await harness.execute("update epochs set ended_at = now() where epoch = 7")
    afterwards = await harness.loop.do_one(kinds=SWEEPS)

    assert (meanwhile, afterwards) == (False, True)


async def until_refunded(harness: Harness, purchase: Purchase) -> None:
    async with asyncio.timeout(LONGEST_WAIT):
        while True:
            if (await harness.purchase(purchase.id)).refunds:
                return
            await asyncio.sleep(0.1)


async def test_a_worker_that_starts_compares_at_once(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for it, and no timer of before is due."""
    monkeypatch.setattr(passes, "RELAY_TAKES", timedelta(0))
    await begin(harness, timedelta(minutes=20))
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=5_000)
    await let_pass(harness, timedelta(minutes=20))

    async with JobsLoop(context=harness.context, health=Health()).running():
        await until_refunded(harness, purchase)

    assert [one.refund_cents for one in (await harness.purchase(purchase.id)).refunds] == [5_000]


async def test_a_subscription_is_looked_at_just_after_its_period(harness: Harness) -> None:
    """Once: what is read then is newer than the end of the period."""
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    await harness.client.v1.subscriptions.cancel_async((await subscriber.rows())[0]["stripe_subscription_id"])
    await harness.execute(
        "update subscriptions set current_period_end = now() - interval '2 minutes', told_at = now() - interval '1 day'"
    )
    async with harness.database.transaction() as session:
        await start_sweep(session, INSTANCE)
    await harness.execute("update stripe_commands set state = 'done' where kind <> 'sweep'")
    await harness.loop.do_one()
    await harness.execute("update stripe_commands set state = 'done' where kind not in ('sweep_periods')")

    await harness.run_jobs()

    assert (await subscriber.plan(), await subscriber.status()) == ("free", "canceled")
    looks: list[Any] = [one for one in await harness.jobs("sweep_periods") if one["state"] == "open"]
    assert len(looks) == 1
