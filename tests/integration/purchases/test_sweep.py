"""What no event, job or backfill brought is found by comparing Stripe's lists with the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.replay.options import period
from contracts.purchase_facts import DisputeClosed, PaymentReturned, PurchasePaid, PurchaseStarted, RefundIssued
from contracts.stripe_facts import RefundChanged
from purchases.ledger.transitions import Status
from purchases.reconcile.reconcile import Found, reconcile_stretch
from purchases.reconcile.rules import REACH
from purchases.stripe_api.since import Stretch
from tests.integration.purchases.bundles import given_a_bundle
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.statements import FOLLOWING


async def sweep(harness: Harness) -> Found:
    now = datetime.now(UTC)
    found = await reconcile_stretch(harness.context, Stretch(now - REACH, now + timedelta(minutes=1)))
    await harness.settle_everything()
    return found


async def forget(harness: Harness) -> None:
    """A backup from before the purchase is restored."""
    for table in (*FOLLOWING, "workspace_addon_purchases"):
        await harness.execute(f"delete from {table}")
    assert await harness.rows("select 1 from workspace_addon_purchases") == []


async def test_a_payment_without_a_row_is_adopted(harness: Harness) -> None:
    lost = await harness.given_a_purchase()
    await forget(harness)

    found = await sweep(harness)

    row = await harness.purchase(lost.id)
    assert (row.status, row.payable, row.paid_cents, row.price_cents) == (Status.PAID, False, PRICE, PRICE)
    assert (row.workspace_id, row.plan_addon_id, row.stripe_invoice_id, row.stripe_payment_intent_id) == (
        lost.workspace_id,
        lost.plan_addon_id,
        lost.stripe_invoice_id,
        lost.stripe_payment_intent_id,
    )
    assert found["payments"] == 1
    for kind in (PurchaseStarted, PurchasePaid):
        (published,) = await harness.published(kind=kind)
        assert published["purchase_id"] == str(lost.id)
    history = await harness.rows("select trigger, actor, reason from purchase_transitions order by id")
    assert [(line["trigger"], line["actor"]) for line in history] == [
        ("bought", "quittance"),
        ("payment_succeeded", "stripe"),
    ]
    assert history[0]["reason"] == "found paid at Stripe, and not in the ledger"


async def test_what_is_adopted_while_its_slot_is_taken_goes_back(harness: Harness) -> None:
    lost = await harness.given_a_purchase()
    await forget(harness)
    holder = (await harness.buy(harness.order(lost.workspace_id))).purchase

    await sweep(harness)
    await sweep(harness)

    row = await harness.purchase(lost.id)
    assert (row.status, row.payable, row.paid_cents) == (Status.CANCELLED, False, None)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("return", PRICE)]
    assert (await harness.purchase(holder.id)).status is Status.PAID
    assert [one["payment_intent"] for one in await harness.refunds_at_stripe()] == [lost.stripe_payment_intent_id]
    assert len(await harness.published(kind=PaymentReturned)) == 1


async def test_missed_payments_refunds_and_disputes_are_applied(harness: Harness) -> None:
    """Not one event came."""
    refunded, disputed = [await harness.given_a_purchase() for _ in range(2)]
    await harness.control.refund_as_dashboard(invoice=refunded.stripe_invoice_id, amount=20_000)
    dispute = await harness.control.open_dispute(invoice=disputed.stripe_invoice_id)
    await harness.control.close_dispute(dispute["id"], status="lost")

    found = await sweep(harness)

    assert found == {"payments": 0, "refunds": 1, "disputes": 1}
    assert [one.refund_cents for one in (await harness.purchase(refunded.id)).refunds] == [20_000]
    assert (await harness.purchase(disputed.id)).status is Status.REFUNDED
    assert len(await harness.published(kind=RefundIssued)) == 1
    assert len(await harness.published(kind=DisputeClosed)) == 1


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("billing_sweep_missed_total", {"what": what}) or 0.0


async def test_what_was_missed_is_counted_and_logged_by_its_id(harness: Harness) -> None:
    """Money that fits nothing is found by each sweep anew: the team was mailed, and no webhook need be lost."""
    lost, strange = await harness.given_a_purchase(), await harness.given_a_purchase()
    await forget(harness)
    await harness.client.v1.invoices.update_async(
        str(strange.stripe_invoice_id), {"metadata": {"workspace_id": "nobody-s"}}
    )
    before = counted("payment")

    with capture_logs() as lines:
        for _ in range(2):
            await sweep(harness)

    missed = [line for line in lines if line["event"] == "sweep_missed"]
    assert [(line["log_level"], line["what"], line["stripe_id"]) for line in missed] == [
        ("warning", "payment", lost.stripe_invoice_id)
    ]
    assert counted("payment") - before == 1


async def test_a_second_sweep_finds_nothing(harness: Harness) -> None:
    purchase = await harness.given_a_purchase("pm_card_refundFail")
    refund = await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.control.settle_refund(refund["id"], status="failed")
    await sweep(harness)
    published = len(await harness.published())

    assert await sweep(harness) == {"payments": 0, "refunds": 0, "disputes": 0}
    assert len(await harness.published()) == published


async def test_a_whole_page_and_more_is_read(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    for _ in range(105):
        await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id, amount=10)

    assert (await sweep(harness))["refunds"] == 105
    assert len((await harness.purchase(purchase.id)).refunds) == 105


async def test_a_bundle_that_no_event_named_is_paid(harness: Harness) -> None:
    purchases = await given_a_bundle(harness)

    assert (await sweep(harness))["payments"] == 1

    assert {(await harness.purchase(purchase.id)).status for purchase in purchases} == {Status.PAID}


async def test_parked_facts_of_a_lost_row_are_released_by_its_adoption(harness: Harness) -> None:
    lost = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=lost.stripe_invoice_id, amount=5_000)
    await forget(harness)
    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])
    await harness.run_jobs()
    assert await harness.parked() != []

    await sweep(harness)

    row = await harness.purchase(lost.id)
    assert [one.refund_cents for one in row.refunds] == [5_000]
    assert await harness.parked() == []


async def test_another_instances_and_strangers_objects_are_left_alone(harness: Harness) -> None:
    lost = await harness.given_a_purchase()
    await forget(harness)
    await harness.client.v1.invoices.update_async(
        str(lost.stripe_invoice_id), {"metadata": {"quittance_instance": "staging"}}
    )
    await harness.control.refund_as_dashboard(invoice=lost.stripe_invoice_id, amount=5_000)

    assert await sweep(harness) == {"payments": 0, "refunds": 0, "disputes": 0}
    assert await harness.rows("select 1 from workspace_addon_purchases") == []
    assert await harness.parked() == []


async def test_what_cannot_be_rebuilt_is_parked_for_staff(harness: Harness) -> None:
    """Its add-on was never published here."""
    lost = await harness.given_a_purchase()
    await forget(harness)
    await harness.execute("delete from addons")

    await sweep(harness)

    assert [one["waits_for"] for one in await harness.parked()] == [str(lost.id)]
    assert await harness.rows("select 1 from workspace_addon_purchases") == []


@pytest.mark.parametrize(("text", "hours"), [("35d", 35 * 24), ("12h", 12), ("90m", 1.5)])
def test_how_far_to_look_back_is_read(text: str, hours: float) -> None:
    assert period(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "35", "d", "0d", "-1d", "1w", "1d "])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        period(text)
