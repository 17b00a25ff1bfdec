"""Cancelled and re-opened by hand: the slot, the money, the void at Stripe, and who says no."""

import asyncio
from datetime import timedelta

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PaymentReturned, PurchaseCancelled, PurchaseReopened
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.moves import (
    BUYER,
    SAID,
    STAFF,
    ask_for_a_refund,
    cancel_it,
    deliver_it,
    refunds_of,
    reopen_it,
)

NEEDS_CUSTOMER = "pm_card_authenticationRequired"


async def _refused(harness: Harness, purchase: Purchase) -> Problem:
    before = await harness.rows("select * from purchase_transitions")
    with pytest.raises(Problem) as refused:
        await cancel_it(harness, purchase)
    assert await harness.rows("select * from purchase_transitions") == before
    return refused.value


async def _invoice_status(harness: Harness) -> list[str]:
    return [one["status"] for one in (await harness.control.objects(kind="invoice"))["invoice"]]


async def _last_line(harness: Harness, purchase: Purchase) -> tuple[str, str, str | None]:
    lines = await harness.rows("select * from purchase_transitions where purchase_id = :id order by id", id=purchase.id)
    return lines[-1]["to_status"], lines[-1]["actor"], lines[-1]["reason"]


async def test_a_pending_one_is_cancelled_first_and_voided_then_and_only_then_its_slot_is_free(
    harness: Harness,
) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)

    cancelled = await cancel_it(harness, purchase)

    assert (cancelled.status, cancelled.payable, await _invoice_status(harness)) == (Status.CANCELLED, True, ["open"])
    await harness.give_card(str(purchase.stripe_customer_id), "pm_card_visa")
    with pytest.raises(Problem) as refused:
        await harness.buy(harness.order(purchase.workspace_id))
    assert refused.value.slug == "settling"
    await harness.settle_everything()
    assert (await harness.purchase(purchase.id)).payable is False
    assert await _invoice_status(harness) == ["void"]
    assert (await harness.buy(harness.order(purchase.workspace_id))).purchase.status is Status.PAID


async def test_history_and_fact_say_who_and_why(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)

    await cancel_it(harness, purchase)

    assert await _last_line(harness, purchase) == ("cancelled", BUYER, SAID)
    (fact,) = await harness.published(kind=PurchaseCancelled)
    assert (fact["actor"], fact["reason"], fact["previous_status"]) == (BUYER, SAID, "pending")
    assert (fact["paid_cents"], fact["refund_requested_cents"]) == (None, 0)


async def test_paid_before_the_void_reached_stripe_the_money_goes_back(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await cancel_it(harness, purchase)

    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.paid_cents, row.payable) == (Status.CANCELLED, None, False)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("return", PRICE)]
    assert len(await harness.published(kind=PaymentReturned)) == 1
    assert len(await harness.refunds_at_stripe()) == 1


@pytest.mark.parametrize("webhook_first", [True, False])
async def test_cancelled_while_the_payments_webhook_is_applied_no_money_is_kept_for_nothing(
    harness: Harness, webhook_first: bool
) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    facts = await harness.facts()
    both = [harness.deliver(*facts), cancel_it(harness, purchase)]

    await asyncio.gather(*(both if webhook_first else reversed(both)))
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    (cancelled,) = await harness.published(kind=PurchaseCancelled)
    back = sum(one["amount"] for one in await harness.refunds_at_stripe())
    assert (row.status, row.payable) == (Status.CANCELLED, False)
    assert (cancelled["previous_status"], back) in [("pending", PRICE), ("paid", 0)]


async def test_a_paid_one_is_cancelled_by_its_buyer_without_a_refund(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()

    await cancel_it(harness, purchase)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.paid_cents, row.refunds) == (Status.CANCELLED, PRICE, [])
    assert await harness.refunds_at_stripe() == []
    (fact,) = await harness.published(kind=PurchaseCancelled)
    assert (fact["previous_status"], fact["paid_cents"], fact["refund_requested_cents"]) == ("paid", PRICE, 0)
    assert (await harness.buy(harness.order(purchase.workspace_id))).purchase.status is Status.PAID


async def test_staff_may_refund_what_remains_with_the_same_step(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await ask_for_a_refund(harness, purchase, 9_900)

    await cancel_it(harness, purchase, actor=STAFF, refund=True)

    assert [one.refund_cents for one in await refunds_of(harness, purchase)] == [9_900, 40_000]
    (fact,) = await harness.published(kind=PurchaseCancelled)
    assert (fact["actor"], fact["refund_requested_cents"]) == (STAFF, 40_000)
    await harness.settle_everything()
    row = await harness.purchase(purchase.id)
    assert (row.status, [one.status for one in row.refunds]) == (Status.CANCELLED, ["succeeded"] * 2)
    assert [one.requested_by for one in row.refunds] == [STAFF] * 2


async def test_what_the_buyer_cancelled_staff_can_refund_afterwards(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await cancel_it(harness, purchase)

    await ask_for_a_refund(harness, purchase)
    await harness.settle_everything()

    assert [one.status for one in await refunds_of(harness, purchase)] == ["succeeded"]
    assert (await harness.purchase(purchase.id)).status is Status.CANCELLED


async def test_with_a_refund_and_nothing_paid_it_is_only_cancelled(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)

    await cancel_it(harness, purchase, actor=STAFF, refund=True)
    await harness.settle_everything()

    assert ((await harness.purchase(purchase.id)).status, await refunds_of(harness, purchase)) == (Status.CANCELLED, [])


async def test_while_its_payment_is_made_it_cannot_be_cancelled(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(NEEDS_CUSTOMER)
    await harness.execute("update workspace_addon_purchases set leased_until = now() + interval '1 minute'")

    problem = await _refused(harness, purchase)

    assert (problem.status, problem.slug, problem.headers) == (409, "payment-in-progress", {"Retry-After": "2"})
    await harness.execute("update workspace_addon_purchases set leased_until = now() - interval '1 second'")
    assert (await cancel_it(harness, purchase)).status is Status.CANCELLED


async def test_what_is_over_cannot_be_cancelled_again(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await cancel_it(harness, purchase)

    problem = await _refused(harness, purchase)

    assert (problem.status, problem.slug) == (409, "illegal-transition")
    assert problem.detail == "a cancelled purchase cannot be cancelled again"


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED, Status.REFUNDED])
async def test_what_is_delivered_failed_or_refunded_cannot_be_cancelled(harness: Harness, status: Status) -> None:
    purchase = await harness.given_a_purchase()
    await harness.execute("update workspace_addon_purchases set status = :status", status=status.value)

    problem = await _refused(harness, purchase)

    assert (problem.slug, problem.detail) == ("illegal-transition", f"a {status} purchase cannot be cancelled")


async def test_another_workspaces_purchase_does_not_exist(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()

    with pytest.raises(Problem) as refused:
        await cancel_it(harness, purchase, workspace_id="ws-other")

    assert (refused.value.status, refused.value.slug) == (404, "purchase-not-found")


async def test_two_tabs_cancel_once(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()

    answers = await asyncio.gather(*(cancel_it(harness, purchase) for _ in range(4)), return_exceptions=True)

    assert len([one for one in answers if isinstance(one, Problem)]) == 3
    assert len(await harness.published(kind=PurchaseCancelled)) == 1


async def test_re_opened_it_can_be_bought_once_more_and_its_money_stays(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    await deliver_it(harness, purchase)

    await reopen_it(harness, purchase)
    await harness.settle_everything()

    assert await _last_line(harness, purchase) == ("cancelled", STAFF, SAID)
    (fact,) = await harness.published(kind=PurchaseReopened)
    assert (fact["actor"], fact["reason"], fact["status"]) == (STAFF, SAID, "cancelled")
    assert (await harness.buy(harness.order(purchase.workspace_id))).purchase.status is Status.PAID
    assert await harness.refunds_at_stripe() == []


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.DELIVERED])
async def test_only_what_was_delivered_can_be_re_opened(harness: Harness, status: Status) -> None:
    purchase = await harness.given_a_purchase()
    await harness.execute("update workspace_addon_purchases set status = :status", status=status.value)

    with pytest.raises(Problem) as refused:
        await reopen_it(harness, purchase)

    assert refused.value.detail == f"a {status} purchase cannot be re-opened"


async def test_cancelled_before_its_invoice_was_made_nothing_is_left_open(harness: Harness) -> None:
    """The buying request died after its row was written; its lease is over."""
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    await harness.control.fault("close_before", operation="invoices.create", times=3)
    purchase = (await harness.buy(order)).purchase
    await harness.execute(
        "update workspace_addon_purchases set leased_until = :at", at=purchase.started_at - timedelta(1)
    )

    await cancel_it(harness, purchase)
    await harness.settle_everything()

    row = await harness.purchase(purchase.id)
    assert (row.status, row.payable) == (Status.CANCELLED, False)
