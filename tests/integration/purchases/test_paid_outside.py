"""An invoice that was marked as paid outside of Stripe says so; nothing is asked or announced that cannot succeed."""

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PaymentParked, PaymentReturned, PurchaseCancelled
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.refunds.request_refund import refund_problem
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.moves import STAFF, ask_for_a_refund, cancel_it, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS

EACH_VERSION = pytest.mark.parametrize("version", VERSIONS)


async def marked_as_paid(harness: Harness, version: str | None, *, part: int = 0) -> Purchase:
    """Staff marks the invoice as paid in the Dashboard, where a card paid `part` of it before."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    if part:
        await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=part)
    await harness.control.mark_paid(str(purchase.stripe_invoice_id))
    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()
    return await harness.purchase(purchase.id)


@EACH_VERSION
async def test_it_is_known_and_refused_before_anything_is_asked(harness: Harness, version: str | None) -> None:
    purchase = await marked_as_paid(harness, version)
    asked = len(await harness.requests("refunds.create"))

    (payment,) = purchase.payments
    assert (purchase.status, payment.card_cents, payment.off_stripe_cents) == (Status.PAID, 0, PRICE)
    problem = refund_problem(purchase)
    assert problem is not None
    assert (problem.status, problem.slug) == (409, "paid-outside-stripe")
    with pytest.raises(Problem) as refused:
        await ask_for_a_refund(harness, purchase)
    assert refused.value.slug == "paid-outside-stripe"
    assert await refunds_of(harness, purchase) == []
    assert len(await harness.requests("refunds.create")) == asked


@EACH_VERSION
async def test_cancelled_it_says_so_and_asks_for_no_refund(harness: Harness, version: str | None) -> None:
    purchase = await marked_as_paid(harness, version)

    await cancel_it(harness, purchase, actor=STAFF, refund=True)
    await harness.settle_everything()

    (published,) = await harness.published(kind=PurchaseCancelled)
    assert (published["refund_requested_cents"], published["paid_outside_stripe_cents"]) == (0, PRICE)
    assert await refunds_of(harness, purchase) == []


@EACH_VERSION
async def test_come_too_late_it_waits_for_people_and_no_return_is_announced(
    harness: Harness, version: str | None
) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    await harness.control.mark_paid(str(purchase.stripe_invoice_id))

    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()
    await harness.deliver(*await harness.facts(version=version))
    await harness.settle_everything()

    assert await harness.published(kind=PaymentReturned) == []
    (parked,) = await harness.published(kind=PaymentParked)
    assert (parked["amount_paid_cents"], "outside of Stripe" in str(parked["reason"])) == (PRICE, True)
    assert await harness.jobs("return_payment") == []


async def test_of_one_that_a_card_paid_in_part_that_part_can_go_back(harness: Harness) -> None:
    purchase = await marked_as_paid(harness, None, part=10_000)
    assert await left_of(harness, purchase) == 10_000

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    (refund,) = await harness.refunds_at_stripe()
    assert refund["amount"] == 10_000
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED


async def test_where_another_event_says_what_paid_stripe_is_not_asked(harness: Harness) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.put(purchase, Status.PENDING, knows_invoice=True)

    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    assert (await harness.purchase(purchase.id)).status is Status.PAID
    assert await harness.jobs("look_at_payment") == []
