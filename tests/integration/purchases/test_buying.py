"""Buying with the saved card: every outcome of SPEC §3's table. At once from several processes: test_two_processes."""

import asyncio
from typing import Any

import pytest

from chassis.problems import Problem
from contracts.purchase_facts import PurchaseFailed
from purchases.buying.buy import Outcome
from purchases.ledger.transitions import Status, Trigger
from purchases.moves.move_by_hand import move_by_hand
from purchases.stripe_api.client import CustomerNeeded
from purchases.stripe_api.invoices import Charging
from tests.integration.purchases.harness import PRICE, Harness

NEEDS_CUSTOMER = "pm_card_authenticationRequired"
DECLINED = "pm_card_chargeCustomerFail"


async def _refused(harness: Harness, *args: Any, **more: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        await harness.buy(harness.order(*args, **more))
    return refused.value


async def _customers(harness: Harness) -> list[str]:
    return [one["id"] for one in (await harness.control.objects(kind="customer"))["customer"]]


async def test_paid(harness: Harness) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()

    bought = await harness.buy(harness.order(workspace))

    assert (bought.outcome, bought.purchase.status) == (Outcome.PAID, Status.PAID)
    assert bought.purchase.paid_cents == PRICE
    assert (await harness.control.sums())["total"]["eur"]["captured"] == PRICE


async def test_what_a_coupon_pays_in_full_is_sold_without_a_payment(harness: Harness) -> None:
    """Stripe charges nobody for an invoice of nothing: it is paid as soon as it is final."""
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    coupon = await harness.client.v1.coupons.create_async({"duration": "forever", "percent_off": 100})
    await harness.control.discount_customer((await _customers(harness))[0], coupon=coupon.id)

    bought = await harness.buy(harness.order(workspace))

    assert (bought.outcome, bought.purchase.status) == (Outcome.PAID, Status.PAID)
    assert (bought.purchase.paid_cents, bought.purchase.payable) == (0, False)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    assert Status.PAID is (await harness.purchase(bought.purchase.id)).status
    assert await harness.published(kind=PurchaseFailed) == []


@pytest.mark.parametrize("authentication", ["requires_action", "requires_payment_method"])
async def test_the_bank_wants_the_customer(harness: Harness, authentication: str) -> None:
    await harness.control.settings(invoice_authentication=authentication)
    await harness.given_an_addon()

    bought = await harness.buy(harness.order(await harness.given_a_workspace(NEEDS_CUSTOMER)))

    assert (bought.outcome, bought.purchase.status) == (Outcome.NEEDS_CUSTOMER, Status.PENDING)
    assert "/bank/" in str(bought.purchase.action_url)
    (confirmed,) = await harness.requests("payment_intents.confirm")
    assert "return_url" in str(confirmed["body"])


async def test_where_stripe_wants_the_customer_to_confirm_elsewhere_the_invoices_page_is_the_way(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot(self: Charging, **_: Any) -> Any:
        raise CustomerNeeded

    monkeypatch.setattr(Charging, "confirm", cannot)
    await harness.given_an_addon()

    bought = await harness.buy(harness.order(await harness.given_a_workspace(NEEDS_CUSTOMER)))

    assert bought.outcome is Outcome.NEEDS_CUSTOMER
    assert "/i/" in str(bought.purchase.action_url)


async def test_paid_between_the_refusal_and_the_question_is_paid(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer was quicker than our second look."""
    await harness.given_an_addon()
    pay = Charging.pay

    async def pay_and_authenticate(self: Charging, **more: Any) -> Any:
        try:
            return await pay(self, **more)
        except CustomerNeeded:
            intents = (await harness.control.objects(kind="payment_intent"))["payment_intent"]
            await harness.control.authenticate(intents[-1]["id"])
            raise

    monkeypatch.setattr(Charging, "pay", pay_and_authenticate)

    bought = await harness.buy(harness.order(await harness.given_a_workspace(NEEDS_CUSTOMER)))

    assert (bought.outcome, bought.purchase.status) == (Outcome.PAID, Status.PAID)


async def test_declined_and_voided(harness: Harness) -> None:
    await harness.given_an_addon()

    bought = await harness.buy(harness.order(await harness.given_a_workspace(DECLINED)))
    await harness.settle_everything()

    assert (bought.outcome, bought.purchase.failure_code) == (Outcome.DECLINED, "generic_decline")
    assert [one["status"] for one in (await harness.control.objects(kind="invoice"))["invoice"]] == ["void"]
    assert not (await harness.purchase(bought.purchase.id)).payable


async def test_no_saved_card_writes_nothing(harness: Harness) -> None:
    await harness.given_an_addon()

    problem = await _refused(harness, await harness.given_a_workspace(None))

    assert problem.slug == "payment-method-missing"
    assert await harness.rows("select 1 from workspace_addon_purchases") == []


@pytest.mark.parametrize("operation", ["invoices.create", "invoiceitems.create", "invoices.finalize", "invoices.pay"])
@pytest.mark.parametrize(
    "fault",
    ["error_before", "error_after", "close_before", "close_after", "rate_limit", "forbidden", "other_parameters"],
)
async def test_an_unknown_outcome_stays_pending_and_settles_itself(
    harness: Harness, operation: str, fault: str
) -> None:
    await harness.control.fault(fault, operation=operation, times=None if fault == "rate_limit" else 1)
    await harness.given_an_addon()

    bought = await harness.buy(harness.order(await harness.given_a_workspace()))
    await harness.control.reset_faults()
    assert (bought.outcome, bought.purchase.status) == (Outcome.UNKNOWN, Status.PENDING)

    await harness.execute("update workspace_addon_purchases set leased_until = now()")
    await harness.settle_everything()
    row = await harness.purchase(bought.purchase.id)
    was_paid = operation == "invoices.pay" and fault.endswith("_after")
    assert (row.status, row.payable) == (Status.PAID if was_paid else Status.FAILED, False)
    captured = (await harness.control.sums())["total"].get("eur", {}).get("captured", 0)
    assert captured == (PRICE if was_paid else 0)


async def test_asked_to_slow_down_it_asks_again_under_the_same_key_and_sells(harness: Harness) -> None:
    """A 429 says that nothing was done."""
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    for operation in ("invoices.create", "invoices.pay"):
        await harness.control.fault("rate_limit", operation=operation, times=2)

    bought = await harness.buy(harness.order(workspace))

    assert (bought.outcome, bought.purchase.paid_cents) == (Outcome.PAID, PRICE)
    asked = await harness.requests("invoices.pay")
    assert [one["status"] for one in asked] == [429, 429, 200]
    assert len({one["idempotency_key"] for one in asked}) == 1


async def test_stripe_refuses_for_another_reason(harness: Harness) -> None:
    await harness.control.fault("error_before", operation="invoices.finalize", status=400)
    await harness.given_an_addon()

    bought = await harness.buy(harness.order(await harness.given_a_workspace()))
    await harness.settle_everything()

    assert bought.outcome is Outcome.REFUSED
    assert not (await harness.purchase(bought.purchase.id)).payable


async def test_a_repeated_key_answers_with_the_purchase_as_it_is_now(harness: Harness) -> None:
    await harness.given_an_addon()
    order = harness.order(await harness.given_a_workspace())
    first = await harness.buy(order)
    async with harness.database.transaction() as session:
        await move_by_hand(session, Trigger.DELIVERED, purchase_id=first.purchase.id, actor="staff:mira")

    again = await harness.buy(order)

    assert (again.outcome, again.purchase.id) == (Outcome.REPEATED, first.purchase.id)
    assert again.purchase.status is Status.DELIVERED


async def test_a_repeated_key_with_another_body_is_refused(harness: Harness) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await harness.buy(harness.order(workspace, key="k"))

    assert (await _refused(harness, workspace, key="k", return_url="https://app.example/x")).status == 422


async def test_a_price_that_changed_is_refused(harness: Harness) -> None:
    await harness.given_an_addon(price_cents=59_900)

    problem = await _refused(harness, await harness.given_a_workspace())

    assert (problem.slug, problem.extra["price_cents"]) == ("price-changed", 59_900)


async def test_however_many_register_at_once_one_customer_is_made(harness: Harness) -> None:
    await asyncio.gather(*(harness.given_a_workspace(None, "ws-race") for _ in range(8)))

    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    assert await _customers(harness) == [row["stripe_customer_id"]]


async def test_a_customer_that_was_deleted_at_stripe_is_made_anew(harness: Harness) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    (before,) = await harness.rows("select stripe_customer_id from workspaces")
    await harness.client.v1.customers.delete_async(before["stripe_customer_id"])

    assert (await _refused(harness, workspace)).slug == "payment-method-missing"

    (after,) = await harness.rows("select stripe_customer_id from workspaces")
    assert after["stripe_customer_id"] not in (None, before["stripe_customer_id"])


@pytest.mark.parametrize("operation", ["draft", "pay"])
async def test_a_card_that_was_detached_since_it_was_looked_at_is_no_card(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Removed in another tab, between two of our calls: one is led to save another, and no row is stuck."""
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    step = getattr(Charging, operation)

    async def detach_first(self: Charging, *, payment_method_id: str, **more: Any) -> Any:
        await harness.client.v1.payment_methods.detach_async(payment_method_id)
        return await step(self, payment_method_id=payment_method_id, **more)

    monkeypatch.setattr(Charging, operation, detach_first)
    problem = await _refused(harness, workspace)
    monkeypatch.undo()
    await harness.settle_everything()

    assert (problem.status, problem.slug) == (409, "payment-method-missing")
    assert "/c/pay/" in problem.extra["setup_url"]
    (row,) = await harness.rows("select status, payable, failure_code from workspace_addon_purchases")
    assert (row["status"], row["payable"], row["failure_code"]) == ("failed", False, "payment_method_missing")
    (customer,) = await _customers(harness)
    await harness.give_card(customer, "pm_card_visa")
    assert (await harness.buy(harness.order(workspace))).outcome is Outcome.PAID
