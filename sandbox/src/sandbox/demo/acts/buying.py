"""One add-on is bought with the saved card, and what may become of that."""

from sandbox.demo.harness import Harness, said


async def paid_and_delivered(harness: Harness) -> None:
    """Mail the team, who does the work, and marks it as delivered."""
    shop = await harness.driver.given_a_workspace(name="Acme")
    purchase_id = harness.bought(shop, await harness.driver.buy(shop, harness.addon), ends="delivered")
    await harness.until(shop, purchase_id, "paid")
    await harness.driver.deliver(purchase_id)


async def through_the_bank(harness: Harness) -> None:
    """Buy where the bank wants 3-D Secure: only the signed webhook makes this one paid."""
    shop = await harness.driver.given_a_workspace(card="pm_card_authenticationRequired", name="Bricks & Co")
    answer = await harness.driver.buy(shop, harness.addon)
    purchase_id = harness.bought(shop, answer, ends="paid")
    await harness.driver.press(answer.json()["action_url"], "authorise")
    await harness.until(shop, purchase_id, "paid")


async def declined(harness: Harness) -> None:
    """Nothing is charged, and the invoice can never be paid later."""
    shop = await harness.driver.given_a_workspace(card="pm_card_chargeCustomerFail", name="Crumbs")
    harness.bought(shop, await harness.driver.buy(shop, harness.addon), ends="failed")


async def without_a_card(harness: Harness) -> None:
    """There is nothing to charge: the buyer saves a card on Stripe's page, comes back, and buys."""
    shop = await harness.driver.given_a_workspace(card=None, name="Dunes")
    refused = await harness.driver.buy(shop, harness.addon)
    await harness.driver.press(refused.json()["setup_url"], "save", card="visa")
    await harness.driver.settle()
    harness.bought(shop, await harness.driver.buy(shop, harness.addon), ends="paid", before=said(refused))


async def nobody_answered(harness: Harness) -> None:
    """Stripe takes the money and the answer is lost: never failed, never charged twice, settled by what Stripe says."""
    shop = await harness.driver.given_a_workspace(name="Elsewhere")
    # The client asks again by itself, so the repeats must be lost as well.
    await harness.driver.stripe.fault("close_after", operation="invoices.pay", times=1)
    await harness.driver.stripe.fault("close_before", operation="invoices.pay", times=2)
    answer = await harness.driver.buy(shop, harness.addon)
    await harness.driver.stripe.reset_faults()
    await harness.until(shop, harness.bought(shop, answer, ends="paid"), "paid")
