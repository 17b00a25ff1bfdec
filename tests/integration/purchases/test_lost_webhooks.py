"""No webhook came for an hour, three days, 35 days: when a worker starts, ledger, plan and mails are as Stripe's."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from prometheus_client import REGISTRY

from chassis.process.health import Health
from purchases.jobs.kinds import ReconcileReach
from purchases.jobs.store import enqueue
from purchases.jobs.stripe_context import WorkerContext
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.reconcile import passes
from purchases.reconcile.passes import REACHES, Place, compared_until, reconcile_open_disputes, start_sweep
from purchases.stripe_api.since import Stretch
from purchases.worker.jobs import SWEEPS, URGENT
from purchases.worker.run_jobs import JobsLoop
from sandbox.stripe.control import Json
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.subscribers import MONTHLY, Subscriber, given_a_subscriber
from tests.integration.purchases.test_sweep import forget

SILENT: Final = {
    "1 hour": timedelta(hours=1),
    "3 days": timedelta(days=3),
    "35 days": timedelta(days=34, hours=23),
}
"""The last is as far as the sweep looks back, and an hour less: what was made earlier is another day's."""
LONGEST_WAIT: Final = 60.0
ROUNDS: Final = 4
"""What a worker does of its own accord within 15 minutes: each job waits for a minute or two at most."""


async def begin(harness: Harness, silent: timedelta) -> None:
    """Stripe's account begins so long ago."""
    await harness.control.advance(seconds=-int(silent.total_seconds()))


async def let_pass(harness: Harness, part: timedelta) -> None:
    await harness.control.advance(seconds=int(part.total_seconds()))


async def start_a_worker(harness: Harness) -> None:
    async with harness.database.transaction() as session:
        await start_sweep(session, INSTANCE)
    for _ in range(ROUNDS):
        await harness.run_jobs()


async def paid_for_the_plan(harness: Harness) -> Json:
    """By invoice: what the plan took, as the ledger has it."""
    rows = await harness.rows(
        """
        select stripe_invoice_id, sum(amount_cents) as cents from subscription_charges
        join subscription_invoices using (stripe_invoice_id) where paid_at is not null group by 1
        """
    )
    return {row["stripe_invoice_id"]: int(row["cents"]) for row in rows}


async def paid_at_stripe(harness: Harness) -> Json:
    invoices = (await harness.control.objects(kind="invoice"))["invoice"]
    return {
        one["id"]: one["amount_paid"]
        for one in invoices
        if one["status"] == "paid" and one["billing_reason"].startswith("subscription")
    }


async def change_card(harness: Harness, card: str) -> None:
    method = (await harness.control.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await harness.control.change_card(method, card)


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
async def test_after_a_silence_ledger_plan_and_mails_are_as_stripes(harness: Harness, silent: timedelta) -> None:
    """Given a sale that was forgotten, a refund, a lost dispute and a subscription with what it took."""
    await begin(harness, silent)
    forgotten = await harness.given_a_purchase()
    await forget(harness)
    refunded, disputed = [await harness.given_a_purchase() for _ in range(2)]
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await let_pass(harness, silent / 3)
    await harness.control.refund_as_dashboard(invoice=refunded.stripe_invoice_id, amount=20_000)
    dispute = await harness.control.open_dispute(invoice=disputed.stripe_invoice_id)
    await let_pass(harness, silent / 3)
    await harness.control.close_dispute(dispute["id"], status="lost")
    (first, *_) = await paid_at_stripe(harness)
    await harness.control.refund_as_dashboard(invoice=first, amount=100)
    await let_pass(harness, silent / 3)

    await start_a_worker(harness)

    assert (await harness.purchase(forgotten.id)).status is Status.PAID
    assert [one.refund_cents for one in (await harness.purchase(refunded.id)).refunds] == [20_000]
    assert (await harness.purchase(disputed.id)).status is Status.REFUNDED
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")
    assert await paid_for_the_plan(harness) == await paid_at_stripe(harness)
    assert [row["refund_cents"] for row in await harness.rows("select * from workspace_refunds")] == [100]
    assert await harness.parked() == []
    kinds = [kind for kind, _ in await subscriber.published()]
    assert (kinds.count("plan_changed"), kinds.count("payment_refunded")) == (1, 1)
    assert await harness.rows("select 1 from stripe_commands where state = 'parked'") == []
    published = len(await harness.published())
    await start_a_worker(harness)
    assert len(await harness.published()) == published


async def failed(subscriber: Subscriber) -> None:
    await change_card(subscriber.harness, "chargeCustomerFail")


async def paid(_: Subscriber) -> None:
    """With the card that it has."""


@pytest.mark.parametrize(("before", "mails"), [(failed, 1), (paid, 0)], ids=["failed", "paid"])
async def test_a_renewal_of_which_nothing_was_heard_is_known_when_a_worker_starts(
    harness: Harness, before: Callable[[Subscriber], Awaitable[None]], mails: int
) -> None:
    await begin(harness, timedelta(days=32))
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    await before(subscriber)
    await let_pass(harness, timedelta(days=32))

    await start_a_worker(harness)

    owed = [body for kind, body in await subscriber.published() if kind == "renewal_failed"]
    assert [body["amount_due_cents"] for body in owed] == [MONTHLY] * mails
    assert await subscriber.status() == ("past_due" if mails else "active")
    assert await paid_for_the_plan(harness) == await paid_at_stripe(harness)


async def test_a_dispute_that_was_lost_after_the_sweeps_reach_is_found_by_its_id(harness: Harness) -> None:
    """Given one that was heard of as it was opened, two months ago; its end was not, and no list shows it any more."""
    await begin(harness, timedelta(days=60))
    purchase = await harness.given_a_purchase()
    dispute = await harness.control.open_dispute(invoice=purchase.stripe_invoice_id)
    await harness.deliver(*await harness.facts())
    await let_pass(harness, timedelta(days=60))
    await harness.control.close_dispute(dispute["id"], status="lost")

    await start_a_worker(harness)

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert await reconcile_open_disputes(harness.context) == 0


async def test_the_plans_money_that_cannot_be_recorded_counts_as_missing(harness: Harness) -> None:
    """Given a subscription of a workspace that has no row here, then what it took is not in the ledger."""
    await begin(harness, timedelta(hours=1))
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await harness.execute("delete from workspaces")
    await let_pass(harness, timedelta(hours=1))

    await start_a_worker(harness)
    await harness.loop.update_gauges()
    missing = REGISTRY.get_sample_value("billing_stripe_paid_not_in_ledger")

    assert missing == 1


async def test_what_is_on_its_way_is_left_to_its_event(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=5_000)

    await start_a_worker(harness)

    assert (await harness.purchase(purchase.id)).refunds == []


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
