"""Money that goes back, as staff does it in Stripe's Dashboard: in full, in part, and refunds that fail at the bank."""

from typing import Any

import pytest

from sandbox.driver import TEAM, Scene
from tests.givens import given_a_paid_purchase

Json = dict[str, Any]


async def subjects(scene: Scene, address: str, purchase: Json) -> list[str]:
    """Of the mails to `address` about this purchase, oldest first."""
    mails = [mail for mail in await scene.mails_naming(purchase["id"]) if mail["To"][0]["Address"] == address]
    return [mail["Subject"] for mail in sorted(mails, key=lambda mail: str(mail["Created"]))]


async def test_a_full_refund_sets_refunded_at_and_mails_the_owner_once(scene: Scene) -> None:
    shop, purchase = await given_a_paid_purchase(scene)

    await scene.refund(purchase)
    await scene.settle()

    refunded = await scene.purchase(shop, purchase["id"])
    assert (refunded["status"], refunded["refunded_cents"]) == ("refunded", 49_900)
    assert refunded["refunded_at"] is not None
    assert await subjects(scene, shop.owner_email, purchase) == [
        f"Your refund of €499.00 for {purchase['addon']['name']}"
    ]


async def test_a_partial_refund_leaves_the_status_and_mails_the_owner_its_amount(scene: Scene) -> None:
    shop, purchase = await given_a_paid_purchase(scene)

    await scene.refund(purchase, amount=10_050)
    await scene.settle()

    paid = await scene.purchase(shop, purchase["id"])
    assert (paid["status"], paid["refunded_cents"], paid["refunded_at"]) == ("paid", 10_050, None)
    (subject,) = await subjects(scene, shop.owner_email, purchase)
    assert subject.startswith("Your refund of €100.50")


async def test_two_partial_refunds_that_reach_what_was_paid_refund_it(scene: Scene) -> None:
    shop, purchase = await given_a_paid_purchase(scene)
    await scene.refund(purchase, amount=20_000)
    await scene.settle()

    await scene.refund(purchase, amount=29_900)
    await scene.settle()

    refunded = await scene.purchase(shop, purchase["id"])
    assert (refunded["status"], refunded["refunded_cents"]) == ("refunded", 49_900)
    assert [subject.split(" for ")[0] for subject in await subjects(scene, shop.owner_email, purchase)] == [
        "Your refund of €200.00",
        "Your refund of €299.00",
    ]


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_refund_that_fails_at_the_bank_puts_the_purchase_back_as_it_was(scene: Scene, delivered: bool) -> None:
    before = await scene.stripe.settings()
    await scene.stripe.settings(refund_delay=None)
    try:
        shop, purchase = await given_a_paid_purchase(scene, card="pm_card_refundFail")
        if delivered:
            await scene.deliver(purchase["id"])
        refund = await scene.refund(purchase)
        await scene.settle()
        assert (await scene.purchase(shop, purchase["id"]))["status"] == "refunded"

        await scene.stripe.settle_refund(refund["id"], status="failed")
        await scene.settle()
    finally:
        await scene.stripe.settings(refund_delay=before["refund_delay"])

    restored = await scene.record(purchase["id"])
    assert restored["status"] == ("delivered" if delivered else "paid")
    assert (restored["refunded_at"], restored["refunded_cents"]) == (None, 0)
    assert [one["status"] for one in restored["refunds"]] == ["failed"]
    assert [subject.split(":")[0] for subject in await subjects(scene, TEAM, purchase)] == [
        "New purchase",
        "Refund failed",
    ]
    assert [subject.split(" of ")[0] for subject in await subjects(scene, shop.owner_email, purchase)] == [
        "Your refund",
        "The refund",
    ]


async def test_a_failed_refund_of_an_addon_that_was_bought_again_stays_refunded(scene: Scene) -> None:
    """Its slot is taken: putting it back would be a second purchase."""
    shop, addon = await scene.given_a_workspace(), await scene.given_an_addon()
    first = (await scene.buy(shop, addon)).json()
    refund = await scene.refund(first)
    await scene.settle()
    assert (await scene.buy(shop, addon)).status_code == 201

    await scene.stripe.settle_refund(refund["id"], status="failed")
    await scene.settle()

    assert (await scene.purchase(shop, first["id"]))["status"] == "refunded"


async def test_a_refund_that_is_pending_counts_already_and_is_mailed_once(scene: Scene) -> None:
    shop, purchase = await given_a_paid_purchase(scene, card="pm_card_pendingRefund")

    refund = await scene.refund(purchase)
    assert refund["status"] == "pending"
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert (record["status"], [one["status"] for one in record["refunds"]]) == ("refunded", ["succeeded"])
    assert len(await subjects(scene, shop.owner_email, purchase)) == 1


@pytest.mark.parametrize("amount", [None, 10_000])
async def test_a_replay_of_refunds_changes_nothing(scene: Scene, amount: int | None) -> None:
    shop, purchase = await given_a_paid_purchase(scene)
    await scene.refund(purchase, amount=amount)
    await scene.settle()
    before = await scene.record(purchase["id"])

    await scene.replay(shop, copies=3)

    assert await scene.record(purchase["id"]) == before


async def test_a_replay_of_a_failed_refund_changes_nothing(scene: Scene) -> None:
    shop, purchase = await given_a_paid_purchase(scene, card="pm_card_refundFail")
    await scene.refund(purchase)
    await scene.settle()
    before = await scene.record(purchase["id"])
    assert before["status"] == "paid"

    await scene.replay(shop, copies=3)

    assert await scene.record(purchase["id"]) == before


async def test_refund_events_last_first_end_as_in_order(scene: Scene) -> None:
    """The failure comes before the refund that failed."""
    shop, purchase = await given_a_paid_purchase(scene, card="pm_card_refundFail")
    await scene.stripe.hold_webhooks()
    refund = await scene.refund(purchase)
    await scene.stripe.quiet()
    failed = (await scene.stripe.objects(kind="refund"))["refund"][-1]
    assert (failed["id"], failed["status"]) == (refund["id"], "failed")
    await scene.stripe.reset_webhook_rules()
    for event in reversed(await scene.events_about(shop)):
        if "refund" in event["type"]:
            await scene.stripe.resend(event["id"])
            await scene.settle()

    record = await scene.record(purchase["id"])
    assert (record["status"], record["refunded_cents"]) == ("paid", 0)
    assert [one["status"] for one in record["refunds"]] == ["failed"]
