"""What the page says of money that went back, is on its way, or did not go: never more than is so."""

import pytest

from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases import scenarios
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.moves import ask_for_a_refund, cancel_it, deliver_it, refunds_of, reopen_it
from tests.integration.purchases_pages.conftest import Site

NAME = "Professional AI Setup"
TEAM_DECIDES = "our team is told, decides about {}, and writes to the owner of your workspace."


async def said_of(harness: Harness, site: Site, purchase: Purchase) -> str:
    """The page with news of it."""
    here = f"/app/{purchase.workspace_id}/billing/addons"
    return (await site.owner(purchase.workspace_id).open(f"{here}?about={purchase.id}")).text


async def test_what_was_refunded_before_and_what_becomes_of_the_rest_are_told_apart(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    await ask_for_a_refund(harness, purchase, 10_000)
    owner, here = site.owner(purchase.workspace_id), f"/app/{purchase.workspace_id}/billing/addons"

    asked_for = await said_of(harness, site, purchase)
    await harness.settle_everything()
    paid = await said_of(harness, site, purchase)
    question = await owner.open(f"{here}/{purchase.id}/cancel")
    done = await owner.submit(question.form("Cancel it"))

    assert f"You have bought {NAME} €499.00 was charged." in paid
    assert "€100.00 is on its way back to the card that paid." in asked_for
    assert "€100.00 on its way back" in asked_for.rpartition("Your purchases")[2]
    for text in (paid, question.text, done.text):
        assert "€100.00 was sent back to the card that paid." in text
    assert "returns nothing more by itself: our team decides about the rest" in question.text
    assert f"{NAME} is cancelled €499.00 was paid. €100.00 was sent back" in done.text
    assert f"Cancelling returns nothing more by itself: {TEAM_DECIDES.format('the rest')}" in done.text


async def test_a_cancellation_with_all_its_money_asks_nobody_to_decide(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    await ask_for_a_refund(harness, purchase, 10_000)
    await harness.settle_everything()

    await cancel_it(harness, purchase, refund=True)
    asked_for = await said_of(harness, site, purchase)
    await harness.settle_everything()
    sent = await said_of(harness, site, purchase)

    assert "€100.00 was sent back to the card that paid. €399.00 is on its way back" in asked_for
    assert f"{NAME} is cancelled €499.00 was sent back to the card that paid." in sent
    assert "decides" not in asked_for + sent


async def test_a_refund_that_the_bank_has_not_confirmed_is_on_its_way(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_pendingRefund")
    await ask_for_a_refund(harness, purchase)
    asked_for = await said_of(harness, site, purchase)
    await harness.settle_everything()
    pending = await said_of(harness, site, purchase)
    (refund,) = await refunds_of(harness, purchase)
    await harness.control.settle_refund(str(refund.stripe_refund_id), status="succeeded")
    await harness.deliver(*await harness.facts())
    sent = await said_of(harness, site, purchase)

    assert f"You have bought {NAME} €499.00 was charged. €499.00 is on its way back" in asked_for
    assert f"{NAME} was refunded €499.00 is on its way back to the card that paid." in pending
    assert f"{NAME} was refunded €499.00 was sent back to the card that paid." in sent


async def test_a_refund_that_failed_gave_nothing_back(harness: Harness, site: Site) -> None:
    (purchase,) = (await scenarios.refund_failed(harness)).purchases
    await harness.deliver(*await harness.facts())

    paid = await said_of(harness, site, purchase)
    await cancel_it(harness, purchase)
    cancelled = await said_of(harness, site, purchase)

    for text in (paid, cancelled):
        assert "A refund did not go through: our team is told." in text
        assert "sent back" not in text
        assert "on its way" not in text
    assert f"Cancelling returns nothing by itself: {TEAM_DECIDES.format('it')}" in cancelled


async def test_one_that_stays_refunded_though_its_refund_failed_says_so(harness: Harness, site: Site) -> None:
    (purchase,) = (await scenarios.refund_failed(harness)).purchases
    await harness.deliver(*await harness.facts())
    await harness.execute("update workspace_addon_purchases set status = 'refunded' where id = :id", id=purchase.id)

    text = await said_of(harness, site, purchase)

    assert f"The refund of {NAME} did not go through €499.00 was paid for it." in text
    assert "€0.00" not in text


async def test_money_that_came_after_a_cancellation_is_not_kept_quiet_about(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    before = await said_of(harness, site, purchase)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    # Events of before basil say which charge paid; since then Stripe is asked before a return is announced.
    await harness.deliver(*await harness.facts(version=scenarios.LEGACY))
    coming = await said_of(harness, site, purchase)
    await harness.settle_everything()
    back = await said_of(harness, site, purchase)

    assert "Nothing is charged for it; what your bank may have taken already goes back by itself." in before
    assert f"{NAME} is cancelled €499.00 was paid for it all the same, and goes back by itself." in coming
    assert f"{NAME} is cancelled €499.00 was paid for it all the same, and was sent back." in back
    # In the list of purchases too, for whoever asks about none of them.
    assert "came when it was over" not in before
    assert "€499.00 came when it was over, and goes back by itself." in coming.rpartition("Your purchases")[2]
    assert "€499.00 came when it was over, and was sent back." in back.rpartition("Your purchases")[2]
    staff = await site.visitor({"sub": "mira", "platform_role": "super_admin"}).open(f"/admin/purchases/{purchase.id}")
    assert "Late money sent back €499.00" in staff.text


@pytest.mark.parametrize("refund", [None, 20_000])
async def test_what_was_delivered_and_can_be_bought_again_promises_no_money(
    harness: Harness, site: Site, refund: int | None
) -> None:
    purchase = await harness.given_a_purchase()
    await deliver_it(harness, purchase)
    if refund:
        await ask_for_a_refund(harness, purchase, refund)
        await harness.settle_everything()
    delivered = await said_of(harness, site, purchase)
    await reopen_it(harness, purchase)
    reopened = await said_of(harness, site, purchase)

    assert f"{NAME} is delivered It was paid, and the work is done." in delivered
    assert "so that your workspace can buy it once more. That returns nothing by itself." in reopened
    assert "decides" not in reopened
    assert [("€200.00 was sent back" in text) for text in (delivered, reopened)] == [refund is not None] * 2
