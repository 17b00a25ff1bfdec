"""People's moves, announced to everybody whom they concern: cancelled, refunded here, re-opened."""

from typing import Any

import pytest

from sandbox.driver import TEAM, Driver
from sandbox.shop import Shop
from tests.givens import given_a_paid_purchase, given_a_pending_purchase
from tests.seen import invoice_status

Json = dict[str, Any]
WHY = "<b>changed</b> their mind"


async def mails(driver: Driver, address: str, purchase: Json) -> dict[str, str]:
    """Subject up to its colon or «for», and text, of the mails to `address` about this purchase."""
    found = {}
    for mail in await driver.mails_naming(purchase["id"]):
        if mail["To"][0]["Address"] == address:
            whole = await driver.http.get(f"{driver.stack.mailbox_url}/api/v1/message/{mail['ID']}")
            found[mail["Subject"].split(":")[0].split(" for ")[0]] = " ".join(whole.json()["Text"].split())
    return found


async def buys_again(driver: Driver, shop: Shop, purchase: Json) -> str:
    """What becomes of another purchase of the same add-on."""
    await driver.save_card(shop.customer_id, "pm_card_visa")
    answer = await driver.buy(shop, purchase["addon"] | {"price_cents": 49_900, "currency": "EUR"})
    return str(answer.json().get("status") or answer.json()["type"])


async def test_a_buyer_cancels_a_paid_one_and_staff_refunds_it(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)

    assert (await driver.cancel(shop, purchase["id"], reason=WHY)).json()["status"] == "cancelled"
    await driver.settle()
    team = await mails(driver, TEAM, purchase)
    assert set(team) == {"New purchase", "Cancelled after payment"}
    assert "sends no money back: please decide" in team["Cancelled after payment"]
    assert WHY in team["Cancelled after payment"]
    assert "€499.00" in team["Cancelled after payment"]
    assert await mails(driver, shop.owner_email, purchase) == {}

    await driver.move(purchase["id"], "refund", reason="as they asked")
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], record["refunded_cents"], record["refundable_cents"]) == ("cancelled", 49_900, 0)
    owner = await mails(driver, shop.owner_email, purchase)
    assert set(owner) == {"Your refund of €499.00"}
    assert "as they asked" not in owner["Your refund of €499.00"]
    before = await driver.record(purchase["id"])
    await driver.replay(shop, copies=3)
    assert await driver.record(purchase["id"]) == before
    assert await buys_again(driver, shop, purchase) == "paid"


async def test_staff_cancels_and_refunds_in_one_step(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)

    await driver.move(purchase["id"], "cancel", reason="sold by mistake", refund=True)
    await driver.settle()

    team = await mails(driver, TEAM, purchase)
    assert "A refund of €499.00 was asked for with it" in team["Cancelled after payment"]
    assert set(await mails(driver, shop.owner_email, purchase)) == {"Your refund of €499.00"}


async def test_one_that_waits_for_the_bank_is_cancelled_voided_and_can_be_bought_again(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)

    assert (await driver.cancel(shop, purchase["id"])).json()["status"] == "cancelled"
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["payable"], await invoice_status(driver, record)) == (False, "void")
    assert await mails(driver, TEAM, purchase) == {}
    assert await buys_again(driver, shop, purchase) == "paid"


async def test_paid_at_the_bank_while_it_was_cancelled_the_money_goes_back(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()  # else what the first attempt's webhook has us ask Stripe may find it paid before the cancel
    await driver.stripe.hold_webhooks()
    await driver.answer_bank(purchase["action_url"])

    cancelled = await driver.cancel(shop, purchase["id"])
    await driver.end_mishaps()
    await driver.settle()

    assert cancelled.json()["status"] == "cancelled"
    record = await driver.record(purchase["id"])
    assert (record["status"], [one["kind"] for one in record["refunds"]]) == ("cancelled", ["return"])
    assert "Payment returned" in await mails(driver, TEAM, purchase)


@pytest.mark.unrecorded("the refund of the Dashboard and the refusal of ours are heard of in either order")
async def test_a_refund_that_stripe_will_not_make_is_mailed_to_the_team(driver: Driver) -> None:
    """Somebody refunded it in the Dashboard a moment before, and we have not heard of it yet."""
    shop, purchase = await given_a_paid_purchase(driver)
    await driver.stripe.hold_webhooks()
    await driver.refund(purchase, amount=40_000)

    asked = await driver.move(purchase["id"], "refund", amount_cents=20_000, reason="a discount")
    await driver.end_mishaps()
    await driver.settle()

    record = await driver.record(purchase["id"])
    refunds = {one["id"]: one for one in record["refunds"]}
    assert (refunds[asked["id"]]["status"], len(refunds)) == ("failed", 2)
    assert (record["status"], record["refunded_cents"], record["refundable_cents"]) == ("paid", 40_000, 9_900)
    assert "Refund failed" in await mails(driver, TEAM, purchase)
    assert set(await mails(driver, shop.owner_email, purchase)) == {"Your refund of €400.00"}


async def test_what_support_re_opens_can_be_bought_once_more(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    await driver.deliver(purchase["id"])

    await driver.move(purchase["id"], "reopen", reason="a second round")

    line = (await driver.record(purchase["id"]))["history"][-1]
    assert (line["to_status"], line["actor"], line["reason"]) == ("cancelled", "staff:staff-1", "a second round")
    assert await buys_again(driver, shop, purchase) == "paid"
