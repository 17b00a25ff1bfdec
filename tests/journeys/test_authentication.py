"""3-D Secure: the buyer goes to the bank's page and back, and only the webhook tells us how it ended."""

import pytest

from sandbox.driver import TEAM, Scene
from tests.givens import NEEDS_THE_BANK, given_a_pending_purchase
from tests.seen import captured, invoice_status


async def test_the_buyer_is_sent_to_the_bank_and_comes_back_and_the_webhook_completes_it(scene: Scene) -> None:
    home = "http://localhost:3000/after?tab=services"
    shop, purchase = await given_a_pending_purchase(scene, return_url=home)
    await scene.settle()
    assert await captured(scene, shop) == (0, 0)

    came_back_to = await scene.answer_bank(purchase["action_url"])
    await scene.settle()

    assert came_back_to.startswith(home + "&")
    assert "redirect_status=succeeded" in came_back_to
    paid = await scene.purchase(shop, purchase["id"])
    assert (paid["status"], paid["action_url"], paid["paid_cents"]) == ("paid", None, 49_900)
    assert len(await scene.mails_about(shop, to=TEAM)) == 1


async def test_only_the_signed_webhook_completes_it(scene: Scene) -> None:
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    await scene.stripe.drop_webhooks()
    await scene.answer_bank(purchase["action_url"])
    assert (await scene.purchase(shop, purchase["id"]))["status"] == "pending"
    assert await scene.mails_about(shop, to=TEAM) == []

    (event,) = await scene.events_about(shop, "invoice.payment_succeeded")
    await scene.stripe.resend(event["id"])
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert record["status"] == "paid"
    assert record["history"][-1]["stripe_event_id"] == event["id"]


@pytest.mark.parametrize("waits_as", ["requires_action", "requires_payment_method"])
async def test_a_payment_that_only_needs_the_customer_never_becomes_failed(scene: Scene, waits_as: str) -> None:
    """Stripe sends `invoice.payment_failed` for it, and has been seen with both statuses of the intent."""
    before = await scene.stripe.settings()
    await scene.stripe.settings(invoice_authentication=waits_as)
    try:
        shop, purchase = await given_a_pending_purchase(scene)
        await scene.settle()
        assert await scene.events_about(shop, "invoice.payment_failed")

        await scene.replay(shop, copies=3)

        record = await scene.record(purchase["id"])
        assert record["status"] == "pending"
        assert [line["to_status"] for line in record["history"]] == ["pending"]
        await scene.answer_bank(record["action_url"])
        await scene.settle()
        assert (await scene.record(purchase["id"]))["status"] == "paid"
    finally:
        await scene.stripe.settings(invoice_authentication=before["invoice_authentication"])


async def test_a_buyer_who_says_no_at_the_bank_is_charged_nothing_and_may_try_again(scene: Scene) -> None:
    """A failed authentication is no missing one: SPEC's table calls everything else a decline."""
    shop, addon = await scene.given_a_workspace(card=NEEDS_THE_BANK), await scene.given_an_addon()
    purchase = (await scene.buy(shop, addon)).json()

    came_back_to = await scene.answer_bank(purchase["action_url"], "fail")
    await scene.settle()

    assert "redirect_status=failed" in came_back_to
    record = await scene.record(purchase["id"])
    assert (record["status"], record["payable"]) == ("failed", False)
    assert await invoice_status(scene, record) == "void"
    again = (await scene.buy(shop, addon)).json()
    await scene.answer_bank(again["action_url"])
    await scene.settle()
    assert (await scene.purchase(shop, again["id"]))["status"] == "paid"
    assert await captured(scene, shop) == (49_900, 1)


async def test_a_card_that_is_declined_behind_the_banks_page_fails(scene: Scene) -> None:
    shop, purchase = await given_a_pending_purchase(scene, card="pm_card_threeDSecureRequiredChargeDeclined")

    await scene.answer_bank(purchase["action_url"])
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert (record["status"], record["failure_code"]) == ("failed", "generic_decline")
    assert await captured(scene, shop) == (0, 0)
