"""Money that does not fit is parked with its reason; what is not ours is left alone."""

import uuid
from typing import Any

import pytest

from contracts.purchase_facts import PaymentParked
from contracts.stripe_facts import InvoiceFact, InvoicePaid, StripeFact
from purchases.jobs.kinds import ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, Harness


def _changed(fact: StripeFact, **changes: Any) -> StripeFact:
    """Another event that says something else."""
    return fact.model_copy(update={"stripe_event_id": f"evt_{uuid.uuid4().hex}"} | changes)


def _with_line(fact: StripeFact, **changes: Any) -> StripeFact:
    assert isinstance(fact, InvoiceFact)
    return _changed(fact, lines=tuple(line.model_copy(update=changes) for line in fact.lines))


MISMATCHES = {
    "amount": lambda fact: _with_line(fact, amount=1),
    "currency": lambda fact: _with_line(fact, currency="usd"),
    "customer": lambda fact: _changed(fact, customer_id="cus_somebody_else"),
    "no customer": lambda fact: _changed(fact, customer_id=None),
    "no line": lambda fact: _changed(fact, lines=()),
    "another purchase's line": lambda fact: _with_line(fact, purchase_id=str(uuid.uuid4())),
}


@pytest.mark.parametrize("what", MISMATCHES)
async def test_money_that_does_not_fit_is_parked_and_moves_nothing(harness: Harness, what: str) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    paid = [fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)]
    odd = [MISMATCHES[what](fact) for fact in paid]

    await harness.deliver(*odd)

    row = await harness.purchase(purchase.id)
    assert (row.status, row.payable, row.paid_cents, row.payments) == (Status.PENDING, True, None, [])
    (published,) = await harness.published(kind=PaymentParked)
    assert (PRICE, "EUR", purchase.stripe_invoice_id) == (
        published["amount_paid_cents"],
        published["amount_paid_currency"],
        published["stripe_invoice_id"],
    )
    parked = await harness.parked()
    assert {published["reason"]} == {one["reason"] for one in parked}
    assert len(odd) == len(parked)


async def test_a_parked_payment_that_is_tried_again_is_not_published_twice(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    await harness.deliver(_with_line(next(f for f in await harness.facts() if isinstance(f, InvoicePaid)), amount=1))

    await harness.execute("update parked set retry_at = now()")
    assert await harness.consumer._retry_one()

    assert len(await harness.parked()) == 1
    assert len(await harness.published(kind=PaymentParked)) == 1


async def test_money_that_does_not_fit_is_mailed_to_the_team_also_when_only_reconciling_finds_it(
    harness: Harness,
) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    await harness.execute("update workspace_addon_purchases set price_cents = 1")

    for _ in range(2):
        await harness.deliver(*await harness.facts())
        async with harness.database.transaction() as session:
            await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))
        await harness.run_jobs()

    assert Status.PENDING is (await harness.purchase(purchase.id)).status
    assert len(await harness.published(kind=PaymentParked)) == 1


async def test_an_event_that_shows_some_lines_only_has_the_whole_invoice_read(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    paid = next(fact for fact in await harness.facts() if isinstance(fact, InvoicePaid))

    await harness.deliver(_changed(paid, lines=(), lines_complete=False))
    await harness.settle_everything()

    assert Status.PAID is (await harness.purchase(purchase.id)).status
    assert await harness.published(kind=PaymentParked) == []


async def test_another_instances_objects_are_left_alone(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)

    await harness.deliver(*[_changed(fact, quittance_instance="staging") for fact in await harness.facts()])

    assert Status.PENDING is (await harness.purchase(purchase.id)).status
    assert await harness.parked() == []


async def test_a_strangers_invoices_are_left_alone_and_refunds_once_stripe_has_said_whose_they_are(
    harness: Harness,
) -> None:
    stranger = await harness.client.v1.customers.create_async({"email": "other@software.example"})
    await harness.give_card(stranger.id, "pm_card_visa")
    api = harness.client.v1
    invoice = await api.invoices.create_async({"customer": stranger.id, "currency": "eur"})
    await api.invoice_items.create_async(
        {"customer": stranger.id, "invoice": invoice.id, "amount": 700, "currency": "eur"}
    )
    await api.invoices.pay_async(str(invoice.id))
    await harness.control.refund_as_dashboard(invoice=invoice.id)

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert await harness.parked() == []
    assert {"not ours"} == {one["resolution"] for one in await harness.rows("select resolution from parked")}
    assert await harness.rows("select 1 from outbox") == []


async def test_an_invoice_of_our_customer_that_names_no_purchase_is_parked(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    paid = next(fact for fact in await harness.facts() if isinstance(fact, InvoicePaid))
    unnamed = _with_line(_changed(paid, quittance_instance=None, purchase_id=None, invoice_id="in_x"), purchase_id=None)

    await harness.deliver(unnamed)

    assert [one["reason"] for one in await harness.parked()] == ["an invoice of ours without a purchase"]
    assert Status.PAID is (await harness.purchase(purchase.id)).status


async def test_a_purchase_id_in_another_spelling_does_not_stop_the_others(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    facts = await harness.facts()
    paid = next(fact for fact in facts if isinstance(fact, InvoicePaid))
    odd = _changed(paid, purchase_id=str(purchase.id).upper(), lines=(), invoice_id="in_x", object_id="in_x")

    await harness.deliver(odd, *facts)

    assert Status.PAID is (await harness.purchase(purchase.id)).status
    assert len(await harness.parked()) == 1
