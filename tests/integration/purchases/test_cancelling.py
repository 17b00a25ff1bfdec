"""Cancelled and re-opened by hand: the slot, the money, the void at Stripe, and who says no."""

import asyncio
from datetime import timedelta

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PaymentReturned, PurchaseCancelled, PurchaseReopened
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, World
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


async def _refused(world: World, purchase: Purchase) -> Problem:
    before = await world.rows("select * from purchase_transitions")
    with pytest.raises(Problem) as refused:
        await cancel_it(world, purchase)
    assert await world.rows("select * from purchase_transitions") == before
    return refused.value


async def _invoice_status(world: World) -> list[str]:
    return [one["status"] for one in (await world.control.objects(kind="invoice"))["invoice"]]


async def _last_line(world: World, purchase: Purchase) -> tuple[str, str, str | None]:
    lines = await world.rows("select * from purchase_transitions where purchase_id = :id order by id", id=purchase.id)
    return lines[-1]["to_status"], lines[-1]["actor"], lines[-1]["reason"]


async def test_a_pending_one_is_cancelled_first_and_voided_then_and_only_then_its_slot_is_free(world: World) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)

    cancelled = await cancel_it(world, purchase)

    assert (cancelled.status, cancelled.payable, await _invoice_status(world)) == (Status.CANCELLED, True, ["open"])
    await world.give_card(str(purchase.stripe_customer_id), "pm_card_visa")
    with pytest.raises(Problem) as refused:
        await world.buy(world.order(purchase.workspace_id))
    assert refused.value.slug == "settling"
    await world.settle_everything()
    assert (await world.purchase(purchase.id)).payable is False
    assert await _invoice_status(world) == ["void"]
    assert (await world.buy(world.order(purchase.workspace_id))).purchase.status is Status.PAID


async def test_history_and_fact_say_who_and_why(world: World) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)

    await cancel_it(world, purchase)

    assert await _last_line(world, purchase) == ("cancelled", BUYER, SAID)
    (fact,) = await world.told(kind=PurchaseCancelled)
    assert (fact["actor"], fact["reason"], fact["previous_status"]) == (BUYER, SAID, "pending")
    assert (fact["paid_cents"], fact["refund_requested_cents"]) == (None, 0)


async def test_paid_before_the_void_reached_stripe_the_money_goes_back(world: World) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)
    await cancel_it(world, purchase)

    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    await world.settle_everything()
    await world.tell(*await world.facts())
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert (row.status, row.paid_cents, row.payable) == (Status.CANCELLED, None, False)
    assert [(one.kind, one.refund_cents) for one in row.refunds] == [("return", PRICE)]
    assert len(await world.told(kind=PaymentReturned)) == 1
    assert len(await world.refunds_at_stripe()) == 1


@pytest.mark.parametrize("webhook_first", [True, False])
async def test_cancelled_while_the_payments_webhook_is_applied_no_money_is_kept_for_nothing(
    world: World, webhook_first: bool
) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    facts = await world.facts()
    both = [world.tell(*facts), cancel_it(world, purchase)]

    await asyncio.gather(*(both if webhook_first else reversed(both)))
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    (cancelled,) = await world.told(kind=PurchaseCancelled)
    back = sum(one["amount"] for one in await world.refunds_at_stripe())
    assert (row.status, row.payable) == (Status.CANCELLED, False)
    assert (cancelled["previous_status"], back) in [("pending", PRICE), ("paid", 0)]


async def test_a_paid_one_is_cancelled_by_its_buyer_without_a_refund(world: World) -> None:
    purchase = await world.given_a_purchase()

    await cancel_it(world, purchase)
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert (row.status, row.paid_cents, row.refunds) == (Status.CANCELLED, PRICE, [])
    assert await world.refunds_at_stripe() == []
    (fact,) = await world.told(kind=PurchaseCancelled)
    assert (fact["previous_status"], fact["paid_cents"], fact["refund_requested_cents"]) == ("paid", PRICE, 0)
    assert (await world.buy(world.order(purchase.workspace_id))).purchase.status is Status.PAID


async def test_staff_may_refund_what_remains_with_the_same_step(world: World) -> None:
    purchase = await world.given_a_purchase()
    await ask_for_a_refund(world, purchase, 9_900)

    await cancel_it(world, purchase, actor=STAFF, refund=True)

    assert [one.refund_cents for one in await refunds_of(world, purchase)] == [9_900, 40_000]
    (fact,) = await world.told(kind=PurchaseCancelled)
    assert (fact["actor"], fact["refund_requested_cents"]) == (STAFF, 40_000)
    await world.settle_everything()
    row = await world.purchase(purchase.id)
    assert (row.status, [one.status for one in row.refunds]) == (Status.CANCELLED, ["succeeded"] * 2)
    assert [one.requested_by for one in row.refunds] == [STAFF] * 2


async def test_what_the_buyer_cancelled_staff_can_refund_afterwards(world: World) -> None:
    purchase = await world.given_a_purchase()
    await cancel_it(world, purchase)

    await ask_for_a_refund(world, purchase)
    await world.settle_everything()

    assert [one.status for one in await refunds_of(world, purchase)] == ["succeeded"]
    assert (await world.purchase(purchase.id)).status is Status.CANCELLED


async def test_with_a_refund_and_nothing_paid_it_is_only_cancelled(world: World) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)

    await cancel_it(world, purchase, actor=STAFF, refund=True)
    await world.settle_everything()

    assert ((await world.purchase(purchase.id)).status, await refunds_of(world, purchase)) == (Status.CANCELLED, [])


async def test_while_its_payment_is_made_it_cannot_be_cancelled(world: World) -> None:
    purchase = await world.given_a_purchase(NEEDS_CUSTOMER)
    await world.execute("update workspace_addon_purchases set leased_until = now() + interval '1 minute'")

    problem = await _refused(world, purchase)

    assert (problem.status, problem.slug, problem.headers) == (409, "payment-in-progress", {"Retry-After": "2"})
    await world.execute("update workspace_addon_purchases set leased_until = now() - interval '1 second'")
    assert (await cancel_it(world, purchase)).status is Status.CANCELLED


async def test_what_is_over_cannot_be_cancelled_again(world: World) -> None:
    purchase = await world.given_a_purchase()
    await cancel_it(world, purchase)

    problem = await _refused(world, purchase)

    assert (problem.status, problem.slug) == (409, "illegal-transition")
    assert problem.detail == "a cancelled purchase cannot be cancelled again"


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED, Status.REFUNDED])
async def test_what_is_delivered_failed_or_refunded_cannot_be_cancelled(world: World, status: Status) -> None:
    purchase = await world.given_a_purchase()
    await world.execute("update workspace_addon_purchases set status = :status", status=status.value)

    problem = await _refused(world, purchase)

    assert (problem.slug, problem.detail) == ("illegal-transition", f"a {status} purchase cannot be cancelled")


async def test_another_workspaces_purchase_does_not_exist(world: World) -> None:
    purchase = await world.given_a_purchase()

    with pytest.raises(Problem) as refused:
        await cancel_it(world, purchase, workspace_id="ws-other")

    assert (refused.value.status, refused.value.slug) == (404, "purchase-not-found")


async def test_two_tabs_cancel_once(world: World) -> None:
    purchase = await world.given_a_purchase()

    answers = await asyncio.gather(*(cancel_it(world, purchase) for _ in range(4)), return_exceptions=True)

    assert len([one for one in answers if isinstance(one, Problem)]) == 3
    assert len(await world.told(kind=PurchaseCancelled)) == 1


async def test_re_opened_it_can_be_bought_once_more_and_its_money_stays(world: World) -> None:
    purchase = await world.given_a_purchase()
    await deliver_it(world, purchase)

    await reopen_it(world, purchase)
    await world.settle_everything()

    assert await _last_line(world, purchase) == ("cancelled", STAFF, SAID)
    (fact,) = await world.told(kind=PurchaseReopened)
    assert (fact["actor"], fact["reason"], fact["status"]) == (STAFF, SAID, "cancelled")
    assert (await world.buy(world.order(purchase.workspace_id))).purchase.status is Status.PAID
    assert await world.refunds_at_stripe() == []


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.DELIVERED])
async def test_only_what_was_delivered_can_be_re_opened(world: World, status: Status) -> None:
    purchase = await world.given_a_purchase()
    await world.execute("update workspace_addon_purchases set status = :status", status=status.value)

    with pytest.raises(Problem) as refused:
        await reopen_it(world, purchase)

    assert refused.value.detail == f"a {status} purchase cannot be re-opened"


async def test_cancelled_before_its_invoice_was_made_nothing_is_left_open(world: World) -> None:
    """The buying request died after its row was written; its lease is over."""
    await world.given_an_addon()
    order = world.order(await world.given_a_workspace())
    await world.control.fault("close_before", operation="invoices.create", times=3)
    purchase = (await world.buy(order)).purchase
    await world.execute(
        "update workspace_addon_purchases set leased_until = :at", at=purchase.started_at - timedelta(1)
    )

    await cancel_it(world, purchase)
    await world.settle_everything()

    row = await world.purchase(purchase.id)
    assert (row.status, row.payable) == (Status.CANCELLED, False)
