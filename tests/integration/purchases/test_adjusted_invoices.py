"""Coupon, credit and tax change what is paid, not whether; below the minimum it is paid without a payment."""

from typing import Any

import pytest

from contracts.stripe_facts import InvoicePaid
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.scenarios import LEGACY

VERSIONS = pytest.mark.parametrize("version", [None, LEGACY])


async def delivered_as_pending(harness: Harness, purchase: Purchase, version: str | None) -> Purchase:
    """Its row as the payment's events alone leave it."""
    await harness.put(purchase, Status.PENDING)
    await harness.deliver(*[fact for fact in await harness.facts(version=version) if isinstance(fact, InvoicePaid)])
    await harness.settle_everything()
    assert await harness.parked() == []
    return await harness.purchase(purchase.id)


async def customer_of(harness: Harness, workspace_id: str) -> str:
    (row,) = await harness.rows("select stripe_customer_id from workspaces where id = :id", id=workspace_id)
    return str(row["stripe_customer_id"])


@VERSIONS
async def test_a_coupon_makes_it_cheaper_and_it_is_paid_all_the_same(harness: Harness, version: str | None) -> None:
    await harness.given_an_addon()
    workspace_id = await harness.given_a_workspace()
    coupon = await harness.client.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    await harness.control.discount_customer(await customer_of(harness, workspace_id), coupon=coupon.id)
    purchase = (await harness.buy(harness.order(workspace_id))).purchase

    row = await delivered_as_pending(harness, purchase, version)

    assert (row.status, row.price_cents, row.paid_cents) == (Status.PAID, PRICE, PRICE * 9 // 10)


@VERSIONS
@pytest.mark.parametrize("credit", [20_000, PRICE])
async def test_a_credit_balance_pays_for_it_too(harness: Harness, version: str | None, credit: int) -> None:
    """In part, or all of it: then there is no payment intent at all."""
    await harness.given_an_addon()
    workspace_id = await harness.given_a_workspace()
    changes: Any = {"balance": -credit}
    await harness.client.v1.customers.update_async(await customer_of(harness, workspace_id), changes)
    purchase = (await harness.buy(harness.order(workspace_id))).purchase

    row = await delivered_as_pending(harness, purchase, version)

    assert (row.status, row.paid_cents, row.payable) == (Status.PAID, PRICE, False)
    assert [(one.invoice_paid_cents, one.shared) for one in row.payments] == [(PRICE - credit, False)]


@VERSIONS
async def test_an_invoice_below_the_minimum_is_paid_without_any_payment(harness: Harness, version: str | None) -> None:
    await harness.given_an_addon(price_cents=20)
    workspace_id = await harness.given_a_workspace()
    purchase = (await harness.buy(harness.order(workspace_id, expected_price_cents=20))).purchase

    row = await delivered_as_pending(harness, purchase, version)

    assert (row.status, row.paid_cents, row.payable, row.stripe_payment_intent_id) == (Status.PAID, 20, False, None)


@VERSIONS
async def test_tax_on_top_is_part_of_what_was_paid(harness: Harness, version: str | None) -> None:
    """Somebody adds a tax rate in the Dashboard before it is paid."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    facts = [fact for fact in await harness.facts(version=version) if isinstance(fact, InvoicePaid)]
    await harness.put(purchase, Status.PENDING, knows_invoice=True)

    taxed = [
        fact.model_copy(
            update={
                "amount_paid": PRICE + 9_481,
                "lines": tuple(line.model_copy(update={"tax_cents": 9_481}) for line in fact.lines),
            }
        )
        for fact in facts
    ]
    await harness.deliver(*taxed)

    row = await harness.purchase(purchase.id)
    assert (row.status, row.paid_cents) == (Status.PAID, PRICE + 9_481)
