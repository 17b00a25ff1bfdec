"""3-D Secure: the buyer goes to the bank's page and back, and only the webhook tells us how it ended."""

import pytest

from sandbox.driver import TEAM, Driver
from tests.givens import NEEDS_THE_BANK, given_a_pending_purchase
from tests.seen import captured, invoice_status


async def test_the_buyer_is_sent_to_the_bank_and_comes_back_and_the_webhook_completes_it(driver: Driver) -> None:
    home = "http://localhost:3000/after?tab=services"
    shop, purchase = await given_a_pending_purchase(driver, return_url=home)
    await driver.settle()
    assert await captured(driver, shop) == (0, 0)

    came_back_to = await driver.answer_bank(purchase["action_url"])
    await driver.settle()

    assert came_back_to.startswith(home + "&")
    assert "redirect_status=succeeded" in came_back_to
    paid = await driver.purchase(shop, purchase["id"])
    assert (paid["status"], paid["action_url"], paid["paid_cents"]) == ("paid", None, 49_900)
    assert len(await driver.mails_about(shop, to=TEAM)) == 1


async def test_only_the_signed_webhook_completes_it(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    await driver.stripe.drop_webhooks()
    await driver.answer_bank(purchase["action_url"])
    assert (await driver.purchase(shop, purchase["id"]))["status"] == "pending"
    assert await driver.mails_about(shop, to=TEAM) == []

    (event,) = await driver.events_about(shop, "invoice.payment_succeeded")
    await driver.stripe.resend(event["id"])
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert record["status"] == "paid"
    assert record["history"][-1]["stripe_event_id"] == event["id"]


@pytest.mark.parametrize("waits_as", ["requires_action", "requires_payment_method"])
async def test_a_payment_that_only_needs_the_customer_never_becomes_failed(driver: Driver, waits_as: str) -> None:
    """Stripe sends `invoice.payment_failed` for it, and has been seen with both statuses of the intent."""
    before = await driver.stripe.settings()
    await driver.stripe.settings(invoice_authentication=waits_as)
    try:
        shop, purchase = await given_a_pending_purchase(driver)
        await driver.settle()
        assert await driver.events_about(shop, "invoice.payment_failed")

        await driver.replay(shop, copies=3)

        record = await driver.record(purchase["id"])
        assert record["status"] == "pending"
        assert [line["to_status"] for line in record["history"]] == ["pending"]
        await driver.answer_bank(record["action_url"])
        await driver.settle()
        assert (await driver.record(purchase["id"]))["status"] == "paid"
    finally:
        await driver.stripe.settings(invoice_authentication=before["invoice_authentication"])


async def test_a_buyer_who_says_no_at_the_bank_is_charged_nothing_and_may_try_again(driver: Driver) -> None:
    """A failed authentication is no missing one: SPEC's table calls everything else a decline."""
    shop, addon = await driver.given_a_workspace(card=NEEDS_THE_BANK), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()

    came_back_to = await driver.answer_bank(purchase["action_url"], "fail")
    await driver.settle()

    assert "redirect_status=failed" in came_back_to
    record = await driver.record(purchase["id"])
    assert (record["status"], record["payable"]) == ("failed", False)
    assert await invoice_status(driver, record) == "void"
    again = (await driver.buy(shop, addon)).json()
    await driver.answer_bank(again["action_url"])
    await driver.settle()
    assert (await driver.purchase(shop, again["id"]))["status"] == "paid"
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_card_that_is_declined_behind_the_banks_page_fails(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver, card="pm_card_threeDSecureRequiredChargeDeclined")

    await driver.answer_bank(purchase["action_url"])
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], record["failure_code"]) == ("failed", "generic_decline")
    assert await captured(driver, shop) == (0, 0)
