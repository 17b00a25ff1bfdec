"""An invoice may be paid in parts: each charge is known, and what goes back of any of them is found."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PaymentParked, PaymentReturned, RefundFailed, RefundIssued
from contracts.stripe_facts import ChargeRefunded, DisputeChanged, InvoicePaid, RefundChanged
from purchases.jobs.kinds import ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.reconcile.rules import PAID_IN_PART
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.moves import ask_for_a_refund, cancel_it, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS

PARTS = (20_000, 29_900)


async def _pending(harness: Harness) -> Purchase:
    return await harness.given_a_purchase("pm_card_authenticationRequired")


async def _pay(harness: Harness, purchase: Purchase, *amounts: int) -> list[dict[str, Any]]:
    """Pay parts of its invoice; Stripe's charges, oldest first."""
    for amount in amounts:
        await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=amount)
    charges: list[dict[str, Any]] = (await harness.control.objects(kind="charge"))["charge"]
    return charges


async def _charges(harness: Harness) -> list[tuple[str, int, int]]:
    rows = await harness.rows("select * from purchase_charges where amount_cents > 0 order by amount_cents")
    return [(row["stripe_payment_intent_id"], row["amount_cents"], row["refunded_cents"]) for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_payment_is_a_list_of_charges(harness: Harness, version: str | None) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.PAID
    if version is None:
        # Older versions have no event that names them: they are asked for when something of them is heard.
        assert await _charges(harness) == [(one["payment_intent"], one["amount"], 0) for one in charges]
    assert await harness.parked() == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("which", [0, 1])
async def test_a_refund_of_any_of_them_is_found(harness: Harness, version: str | None, which: int) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)
    await harness.control.refund_as_dashboard(charge=charges[which]["id"])

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, [one.refund_cents for one in row.refunds]) == (Status.PAID, [PARTS[which]])
    assert len(await harness.published(kind=RefundIssued)) == 1
    assert (await harness.parked(), await left_of(harness, purchase)) == ([], PRICE - PARTS[which])
    assert [gone for _, took, gone in await _charges(harness) if took == PARTS[which]] == [PARTS[which]]


@pytest.mark.parametrize("version", VERSIONS)
async def test_once_every_one_went_back_the_purchase_is_refunded(harness: Harness, version: str | None) -> None:
    purchase = await _pending(harness)
    for charge in await _pay(harness, purchase, *PARTS):
        await harness.control.refund_as_dashboard(charge=charge["id"])

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert await _charges(harness) == [(one[0], one[1], one[1]) for one in await _charges(harness)]


async def test_a_dispute_of_any_of_them_is_found(harness: Harness) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)
    dispute = await harness.control.open_dispute(charge=charges[1]["id"])
    await harness.control.close_dispute(dispute["id"], status="lost")
    facts = await harness.facts()

    await harness.deliver(*[fact for fact in facts if isinstance(fact, InvoicePaid)])
    await harness.deliver(*[fact for fact in facts if isinstance(fact, DisputeChanged)])
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("dispute", PARTS[1])]
    assert await harness.parked() == []


async def test_a_refund_of_a_charge_never_heard_of_is_asked_about_once(harness: Harness) -> None:
    """Only the paid invoice and the refund came: Stripe lists which charges paid it."""
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)
    await harness.control.refund_as_dashboard(charge=charges[0]["id"])
    facts = await harness.facts()

    await harness.deliver(*[fact for fact in facts if isinstance(fact, InvoicePaid)])
    await harness.deliver(*[fact for fact in facts if isinstance(fact, RefundChanged | ChargeRefunded)])
    await harness.settle_everything()

    assert [one.refund_cents for one in await refunds_of(harness, purchase)] == [PARTS[0]]
    assert len(await harness.requests("invoice_payments.list")) == 1


@pytest.mark.parametrize("heard", [True, False])
async def test_staff_refund_all_of_it_by_one_refund_for_each_charge(harness: Harness, heard: bool) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)
    facts = [fact for fact in await harness.facts() if heard or isinstance(fact, InvoicePaid)]
    await harness.deliver(*facts)

    await ask_for_a_refund(harness, purchase)
    assert await left_of(harness, purchase) == 0
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    made = {one["charge"]: one["amount"] for one in await harness.refunds_at_stripe()}
    assert made == {one["id"]: one["amount"] for one in charges}
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED
    assert [one.status for one in await refunds_of(harness, purchase)] == ["succeeded"] * 2
    assert len(await harness.published(kind=RefundIssued)) == 2
    assert await harness.published(kind=RefundFailed) == []


async def test_late_money_that_came_in_parts_goes_back_in_parts(harness: Harness) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, *PARTS)
    await harness.put(purchase, Status.CANCELLED)

    for _ in range(2):
        await harness.deliver(*await harness.facts())
        await harness.settle_everything()

    assert {one["charge"]: one["amount"] for one in await harness.refunds_at_stripe()} == {
        one["id"]: one["amount"] for one in charges
    }
    assert {one.kind for one in await refunds_of(harness, purchase)} == {"return"}
    assert len(await harness.published(kind=PaymentReturned)) == 1


async def _settled(harness: Harness, purchase: Purchase) -> Purchase:
    """Looked up at Stripe, with every webhook lost."""
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))
    await harness.run_jobs()
    return await harness.purchase(purchase.id)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=24)])
async def test_paid_in_part_and_never_finished_it_is_parked_and_mailed_and_not_voided(
    harness: Harness, after: timedelta
) -> None:
    purchase = await _pending(harness)
    await _pay(harness, purchase, PARTS[0])
    await harness.execute(
        "update workspace_addon_purchases set started_at = now() - make_interval(secs => :secs)",
        secs=after.total_seconds(),
    )

    await harness.deliver(*await harness.facts())
    for _ in range(2):
        row = await _settled(harness, purchase)

    assert (row.status, row.payable) == (Status.PENDING, True)
    (published,) = await harness.published(kind=PaymentParked)
    assert (published["amount_paid_cents"], published["reason"]) == (PARTS[0], PAID_IN_PART)
    assert await harness.requests("invoices.void") == []


async def test_the_rest_of_it_pays_it_all_the_same(harness: Harness) -> None:
    purchase = await _pending(harness)
    await _pay(harness, purchase, PARTS[0])
    await harness.deliver(*await harness.facts())
    await _settled(harness, purchase)
    await _pay(harness, purchase, PARTS[1])

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.PAID
    assert [took for _, took, _ in await _charges(harness)] == list(PARTS)


@pytest.mark.parametrize("what", ["declined", "given up"])
async def test_a_decline_of_the_rest_neither_fails_nor_voids_it(harness: Harness, what: str) -> None:
    purchase = await _pending(harness)
    await _pay(harness, purchase, PARTS[0])
    if what == "declined":
        await harness.control.fail_authentication(str(purchase.stripe_payment_intent_id))
    else:
        await harness.client.v1.invoices.mark_uncollectible_async(str(purchase.stripe_invoice_id))

    await harness.deliver(*await harness.facts())
    await harness.run_jobs()

    assert (await harness.purchase(purchase.id)).status is Status.PENDING
    assert len(await harness.published(kind=PaymentParked)) == 1
    assert await harness.requests("invoices.void") == []


async def test_what_is_paid_in_part_cannot_be_cancelled(harness: Harness) -> None:
    purchase = await _pending(harness)
    await _pay(harness, purchase, PARTS[0])

    with pytest.raises(Problem) as refused:
        await cancel_it(harness, purchase)

    assert (refused.value.status, refused.value.slug) == (409, "payment-in-progress")
    assert (await harness.purchase(purchase.id)).status is Status.PENDING


async def test_staff_refund_the_part_and_void_the_invoice_at_stripe_and_it_has_failed(harness: Harness) -> None:
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, PARTS[0])
    await harness.deliver(*await harness.facts())
    await harness.control.refund_as_dashboard(charge=charges[0]["id"])
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.payable, row.refunds) == (Status.FAILED, False, [])


async def test_what_goes_back_of_a_part_waits_while_the_invoice_is_open(harness: Harness) -> None:
    """It was ended as not ours, and was missing once the rest had been paid."""
    purchase = await _pending(harness)
    charges = await _pay(harness, purchase, PARTS[0])
    await harness.execute("update workspace_addon_purchases set stripe_payment_intent_id = null")
    await harness.control.refund_as_dashboard(charge=charges[0]["id"])
    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, RefundChanged)])
    await harness.run_jobs()

    (parked,) = await harness.parked()
    assert (parked["resolved_at"], parked["resolution"]) == (None, None)
