"""No webhook came for an hour, three days, 35 days: when a worker starts, ledger, plan and mails are as Stripe's."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import pytest
from prometheus_client import REGISTRY

from purchases.ledger.transitions import Status
from purchases.reconcile.passes import reconcile_open_disputes, start_sweep
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
    """Given one that was applied as it was opened, two months ago; its end was not, and no list shows it any more."""
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
