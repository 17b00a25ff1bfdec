"""A charge may have no payment intent, as before there were any: what goes back through it is asked of the charge."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from contracts.purchase_facts import RefundFailed, RefundIssued
from contracts.stripe_facts import RefundChanged
from purchases.jobs.kinds import EndSubscription, ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.api import Api, an_api
from tests.integration.purchases.checkouts import complete, open_page, upgrade
from tests.integration.purchases.harness import PRICE, Harness, Json
from tests.integration.purchases.moves import refunds_of

STAFF: Final = {"sub": "mira", "platform_role": "super_admin"}
THREE_PARTS: Final = (20_000, 19_900, 10_000)
FORGOTTEN: Final = """
    update workspace_addon_purchases set stripe_payment_intent_id = null, stripe_charge_id = null
    where id = :purchase_id
"""


@pytest.fixture
async def api(harness: Harness) -> AsyncIterator[Api]:
    async with an_api(harness.database, harness.client) as api:
        yield api


async def _charges(harness: Harness) -> list[Json]:
    """Stripe's, oldest first."""
    charges: list[Json] = (await harness.control.objects(kind="charge"))["charge"]
    return [one for one in charges if one["status"] == "succeeded"]


async def _settled(harness: Harness, purchase: Purchase) -> Purchase:
    """Looked up at Stripe, where it was paid before anybody heard of it."""
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))
    await harness.run_jobs()
    return await harness.purchase(purchase.id)


async def _paid_without_an_intent(harness: Harness, status: Status = Status.PENDING) -> Purchase:
    """Its only charge has no intent, and nobody ever heard of one."""
    purchase = await harness.given_a_purchase()
    (charge,) = await _charges(harness)
    await harness.control.forget_intent(charge["id"])
    await harness.put(purchase, status, knows_invoice=True)
    row = await _settled(harness, purchase)
    (known,) = row.payments[0].charges
    assert (known.stripe_payment_intent_id, known.stripe_charge_id) == (None, charge["id"])
    return row


async def _paid_in_parts(harness: Harness, *, without: int) -> Purchase:
    """Three charges paid it, one of them without an intent."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    for amount in THREE_PARTS:
        await harness.control.pay_part(str(purchase.stripe_invoice_id), amount=amount)
    await harness.control.forget_intent((await _charges(harness))[without]["id"])
    await harness.execute(FORGOTTEN, purchase_id=purchase.id)
    return await _settled(harness, purchase)


async def _ask_staffs_way(api: Api, purchase: Purchase, **body: Any) -> None:
    answer = await api.call(
        "POST",
        f"/v1/admin/purchases/{purchase.id}/refund",
        token=STAFF,
        json={"reason": "asked by phone", **body},
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 202, answer.text


async def _made(harness: Harness) -> list[tuple[str, int]]:
    return [(one["charge"], one["amount"]) for one in await harness.refunds_at_stripe()]


async def test_staff_refund_it_by_the_charge(harness: Harness, api: Api) -> None:
    purchase = await _paid_without_an_intent(harness)
    (charge,) = await _charges(harness)

    await _ask_staffs_way(api, purchase, amount_cents=100)
    await harness.settle_everything()

    assert await _made(harness) == [(charge["id"], 100)]
    (refund,) = await refunds_of(harness, purchase)
    assert (refund.status, refund.refund_cents) == ("succeeded", 100)
    assert (len(await harness.published(kind=RefundIssued)), await harness.published(kind=RefundFailed)) == (1, [])


@pytest.mark.parametrize("fault", ["close_after", "error_after"])
async def test_interrupted_it_is_made_once(harness: Harness, api: Api, fault: str) -> None:
    purchase = await _paid_without_an_intent(harness)
    await _ask_staffs_way(api, purchase)
    await harness.control.fault(fault, operation="refunds.create")

    await harness.settle_everything()

    assert [one["amount"] for one in await harness.refunds_at_stripe()] == [PRICE]
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED


@pytest.mark.parametrize("without", [0, 1, 2])
async def test_each_of_several_charges_gives_back_its_own(harness: Harness, api: Api, without: int) -> None:
    """The refund over the charge without an intent was asked of another one, or split again and again."""
    purchase = await _paid_in_parts(harness, without=without)
    assert purchase.status is Status.PAID

    await _ask_staffs_way(api, purchase)
    for _ in range(3):
        await harness.run_jobs()

    made = {one["charge"]: one["amount"] for one in await harness.refunds_at_stripe()}
    assert made == {one["id"]: one["amount"] for one in await _charges(harness)}
    assert {one.status for one in await refunds_of(harness, purchase)} == {"succeeded"}
    assert (await harness.purchase(purchase.id)).status is Status.REFUNDED


async def test_late_money_goes_back_by_the_charge(harness: Harness) -> None:
    purchase = await _paid_without_an_intent(harness, Status.CANCELLED)
    (charge,) = await _charges(harness)

    await harness.settle_everything()

    assert await _made(harness) == [(charge["id"], PRICE)]
    assert [(one.kind, one.refund_cents) for one in await refunds_of(harness, purchase)] == [("return", PRICE)]


async def test_late_money_that_went_back_in_part_already_goes_back_for_the_rest(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    (charge,) = await _charges(harness)
    await harness.control.forget_intent(charge["id"])
    await harness.control.refund_as_dashboard(charge=charge["id"], amount=9_900)
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)

    await _settled(harness, purchase)
    await harness.settle_everything()

    assert [one["amount"] for one in await harness.refunds_at_stripe()] == [9_900, PRICE - 9_900]


async def test_a_refund_of_it_by_the_dashboard_is_found(harness: Harness) -> None:
    """Also before its payment was heard of: the charge's customer is ours, and one invoice of his was paid with it."""
    purchase = await harness.given_a_purchase()
    (charge,) = await _charges(harness)
    await harness.control.forget_intent(charge["id"])
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    await harness.control.refund_as_dashboard(charge=charge["id"], amount=700)
    refunds = [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)]
    assert {fact.payment_intent_id for fact in refunds} == {None}

    await harness.deliver(*refunds)
    await harness.settle_everything()

    assert [one.refund_cents for one in await refunds_of(harness, purchase)] == [700]
    assert await harness.parked() == []


@pytest.mark.usefixtures("builder")
async def test_what_an_extra_subscription_took_goes_back_by_the_charge(harness: Harness) -> None:
    workspace = await harness.given_a_workspace()
    await complete(harness, (await open_page(harness, upgrade(workspace))).session_id)
    (charge,) = await _charges(harness)
    await harness.control.forget_intent(charge["id"])
    (row,) = await harness.rows("select * from subscriptions")
    async with harness.database.transaction() as session:
        await enqueue(session, EndSubscription(subscription_id=row["stripe_subscription_id"], workspace_id=workspace))

    await harness.run_jobs()

    assert await _made(harness) == [(charge["id"], charge["amount"])]
