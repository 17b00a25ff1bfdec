"""Money that goes back, as staff does it in Stripe's Dashboard: in full, in part, and refunds that fail at the bank."""

from typing import Any

import pytest

from sandbox.driver import TEAM, Driver
from tests.givens import given_a_paid_purchase

Json = dict[str, Any]


async def subjects(driver: Driver, address: str, purchase: Json) -> list[str]:
    """Of the mails to `address` about this purchase, oldest first."""
    mails = [mail for mail in await driver.mails_naming(purchase["id"]) if mail["To"][0]["Address"] == address]
    return [mail["Subject"] for mail in sorted(mails, key=lambda mail: str(mail["Created"]))]


async def test_a_full_refund_sets_refunded_at_and_mails_the_owner_once(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)

    await driver.refund(purchase)
    await driver.settle()

    refunded = await driver.purchase(shop, purchase["id"])
    assert (refunded["status"], refunded["refunded_cents"]) == ("refunded", 49_900)
    assert refunded["refunded_at"] is not None
    assert await subjects(driver, shop.owner_email, purchase) == [
        f"Your refund of €499.00 for {purchase['addon']['name']}"
    ]


async def test_a_partial_refund_leaves_the_status_and_mails_the_owner_its_amount(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)

    await driver.refund(purchase, amount=10_050)
    await driver.settle()

    paid = await driver.purchase(shop, purchase["id"])
    assert (paid["status"], paid["refunded_cents"], paid["refunded_at"]) == ("paid", 10_050, None)
    (subject,) = await subjects(driver, shop.owner_email, purchase)
    assert subject.startswith("Your refund of €100.50")


async def test_two_partial_refunds_that_reach_what_was_paid_refund_it(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    await driver.refund(purchase, amount=20_000)
    await driver.settle()

    await driver.refund(purchase, amount=29_900)
    await driver.settle()

    refunded = await driver.purchase(shop, purchase["id"])
    assert (refunded["status"], refunded["refunded_cents"]) == ("refunded", 49_900)
    assert [subject.split(" for ")[0] for subject in await subjects(driver, shop.owner_email, purchase)] == [
        "Your refund of €200.00",
        "Your refund of €299.00",
    ]


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_refund_that_fails_at_the_bank_puts_the_purchase_back_as_it_was(
    driver: Driver, delivered: bool
) -> None:
    before = await driver.stripe.settings()
    await driver.stripe.settings(refund_delay=None)
    try:
        shop, purchase = await given_a_paid_purchase(driver, card="pm_card_refundFail")
        if delivered:
            await driver.deliver(purchase["id"])
        refund = await driver.refund(purchase)
        await driver.settle()
        assert (await driver.purchase(shop, purchase["id"]))["status"] == "refunded"

        await driver.stripe.settle_refund(refund["id"], status="failed")
        await driver.settle()
    finally:
        await driver.stripe.settings(refund_delay=before["refund_delay"])

    restored = await driver.record(purchase["id"])
    assert restored["status"] == ("delivered" if delivered else "paid")
    assert (restored["refunded_at"], restored["refunded_cents"]) == (None, 0)
    assert [one["status"] for one in restored["refunds"]] == ["failed"]
    assert [subject.split(":")[0] for subject in await subjects(driver, TEAM, purchase)] == [
        "New purchase",
        "Refund failed",
    ]
    assert [subject.split(" of ")[0] for subject in await subjects(driver, shop.owner_email, purchase)] == [
        "Your refund",
        "The refund",
    ]


async def test_a_failed_refund_of_an_addon_that_was_bought_again_stays_refunded(driver: Driver) -> None:
    """Its slot is taken: putting it back would be a second purchase."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    first = (await driver.buy(shop, addon)).json()
    refund = await driver.refund(first)
    await driver.settle()
    assert (await driver.buy(shop, addon)).status_code == 201

    await driver.stripe.settle_refund(refund["id"], status="failed")
    await driver.settle()

    assert (await driver.purchase(shop, first["id"]))["status"] == "refunded"


async def test_a_refund_that_is_pending_counts_already_and_is_mailed_once(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver, card="pm_card_pendingRefund")

    refund = await driver.refund(purchase)
    assert refund["status"] == "pending"
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], [one["status"] for one in record["refunds"]]) == ("refunded", ["succeeded"])
    assert len(await subjects(driver, shop.owner_email, purchase)) == 1


@pytest.mark.parametrize("amount", [None, 10_000])
async def test_a_replay_of_refunds_changes_nothing(driver: Driver, amount: int | None) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    await driver.refund(purchase, amount=amount)
    await driver.settle()
    before = await driver.record(purchase["id"])

    await driver.replay(shop, copies=3)

    assert await driver.record(purchase["id"]) == before


async def test_a_replay_of_a_failed_refund_changes_nothing(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver, card="pm_card_refundFail")
    await driver.refund(purchase)
    await driver.settle()
    before = await driver.record(purchase["id"])
    assert before["status"] == "paid"

    await driver.replay(shop, copies=3)

    assert await driver.record(purchase["id"]) == before


async def test_refund_events_last_first_end_as_in_order(driver: Driver) -> None:
    """The failure comes before the refund that failed."""
    shop, purchase = await given_a_paid_purchase(driver, card="pm_card_refundFail")
    await driver.stripe.hold_webhooks()
    refund = await driver.refund(purchase)
    await driver.stripe.quiet()
    failed = (await driver.stripe.objects(kind="refund"))["refund"][-1]
    assert (failed["id"], failed["status"]) == (refund["id"], "failed")
    await driver.stripe.reset_webhook_rules()
    for event in reversed(await driver.events_about(shop)):
        if "refund" in event["type"]:
            await driver.stripe.resend(event["id"])
            await driver.settle()

    record = await driver.record(purchase["id"])
    assert (record["status"], record["refunded_cents"]) == ("paid", 0)
    assert [one["status"] for one in record["refunds"]] == ["failed"]
