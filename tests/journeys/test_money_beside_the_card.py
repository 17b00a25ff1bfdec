"""Paid is not the card paid: what a credit balance paid goes back there, what Stripe never had is said to be so."""

from typing import Any

import httpx
import pytest

from sandbox.driver import TEAM, Driver
from sandbox.shop import Shop
from tests.givens import given_a_pending_purchase
from tests.reconciliation_check import check_reconciliation

Json = dict[str, Any]
PRICE = 49_900


async def given_a_purchase_with_credit(driver: Driver, credit: int) -> tuple[Shop, Json]:
    """EUR 499.00 of a customer whose balance held `credit`."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    await driver.at_stripe(f"/v1/customers/{shop.customer_id}", {"balance": str(-credit)})
    bought: Json = (await driver.buy(shop, addon)).json()
    await driver.settle()
    return shop, bought


async def texts_to(driver: Driver, address: str, purchase: Json) -> list[str]:
    """The mails to `address` about this purchase, oldest first."""
    mails = [mail for mail in await driver.mails_naming(purchase["id"]) if mail["To"][0]["Address"] == address]
    found = []
    for mail in sorted(mails, key=lambda mail: str(mail["Created"])):
        whole = await driver.http.get(f"{driver.stack.mailbox_url}/api/v1/message/{mail['ID']}")
        found.append(" ".join(f"{mail['Subject']} {whole.json()['Text']}".split()))
    return found


@pytest.mark.parametrize("credit", [20_000, PRICE])
async def test_a_full_refund_gives_back_the_card_s_share_and_the_credit_s(driver: Driver, credit: int) -> None:
    shop, purchase = await given_a_purchase_with_credit(driver, credit)
    assert (purchase["status"], purchase["paid_by_credit_cents"]) == ("paid", credit)

    await driver.move(purchase["id"], "refund", reason="the customer asked")
    await driver.settle()

    refunded = await driver.purchase(shop, purchase["id"])
    assert (refunded["status"], refunded["refunded_cents"]) == ("refunded", PRICE)
    customer = (await driver.stripe.objects(kind="customer"))["customer"]
    assert [one["balance"] for one in customer if one["id"] == shop.customer_id] == [-credit]
    mails = await texts_to(driver, shop.owner_email, purchase)
    assert len(mails) == (2 if credit < PRICE else 1)
    (of_credit,) = [text for text in mails if "credit on your account balance" in text]
    assert f"€{credit // 100}.00" in of_credit
    assert "It is not on your card" in of_credit
    await check_reconciliation(driver, shop)


async def test_where_stripe_refuses_the_team_is_mailed_the_amount(driver: Driver) -> None:
    shop, purchase = await given_a_purchase_with_credit(driver, 20_000)
    await driver.stripe.fault("refused", operation="customers.balance_transactions.create", code="no_such_luck")

    await driver.move(purchase["id"], "refund", reason="the customer asked")
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], record["refundable_cents"], record["refundable_to_credit_cents"]) == (
        "paid",
        20_000,
        20_000,
    )
    *_, failed = await texts_to(driver, TEAM, purchase)
    assert failed.startswith("Refund failed: €200.00")
    assert "credit balance at Stripe" in failed
    await check_reconciliation(driver, shop)


@pytest.mark.unrecorded("how often it is read before all of it has come")
async def test_paid_outside_of_stripe_it_says_so_and_no_refund_is_offered(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.stripe.mark_paid((await driver.record(purchase["id"]))["stripe_invoice_id"])

    async def is_known() -> bool:
        return bool((await driver.purchase(shop, purchase["id"]))["paid_outside_stripe_cents"])

    await driver.until(is_known, "what paid it is known")
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], record["paid_outside_stripe_cents"], record["refundable_cents"]) == ("paid", PRICE, 0)
    assert record["not_refundable_because"] == "paid-outside-stripe"
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await driver.move(purchase["id"], "refund", reason="the customer asked")
    assert refused.value.response.status_code == 409
    assert refused.value.response.json()["type"].endswith("/paid-outside-stripe")
    await driver.move(purchase["id"], "cancel", reason="the customer asked", refund=True)
    await driver.settle()
    *_, cancelled = await texts_to(driver, TEAM, purchase)
    assert "€499.00 of it was paid outside of Stripe" in cancelled
    assert "decide about a refund" not in cancelled
    assert (await driver.record(purchase["id"]))["refunds"] == []
    await check_reconciliation(driver, shop)
