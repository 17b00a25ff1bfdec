"""One add-on is bought with the saved card, and what may become of that."""

from sandbox.demo.harness import Stage, said


async def paid_and_delivered(stage: Stage) -> None:
    """The team is mailed, does the work, and marks it as delivered."""
    shop = await stage.scene.given_a_workspace(name="Acme")
    purchase_id = stage.bought(shop, await stage.scene.buy(shop, stage.addon), ends="delivered")
    await stage.until(shop, purchase_id, "paid")
    await stage.scene.deliver(purchase_id)


async def through_the_bank(stage: Stage) -> None:
    """The bank wants 3-D Secure: only the signed webhook makes this one paid."""
    shop = await stage.scene.given_a_workspace(card="pm_card_authenticationRequired", name="Bricks & Co")
    answer = await stage.scene.buy(shop, stage.addon)
    purchase_id = stage.bought(shop, answer, ends="paid")
    await stage.scene.press(answer.json()["action_url"], "authorise")
    await stage.until(shop, purchase_id, "paid")


async def declined(stage: Stage) -> None:
    """Nothing is charged, and the invoice can never be paid later."""
    shop = await stage.scene.given_a_workspace(card="pm_card_chargeCustomerFail", name="Crumbs")
    stage.bought(shop, await stage.scene.buy(shop, stage.addon), ends="failed")


async def without_a_card(stage: Stage) -> None:
    """There is nothing to charge: the buyer saves a card on Stripe's page, comes back, and buys."""
    shop = await stage.scene.given_a_workspace(card=None, name="Dunes")
    refused = await stage.scene.buy(shop, stage.addon)
    await stage.scene.press(refused.json()["setup_url"], "save", card="visa")
    await stage.scene.settle()
    stage.bought(shop, await stage.scene.buy(shop, stage.addon), ends="paid", before=said(refused))


async def nobody_answered(stage: Stage) -> None:
    """Stripe takes the money and the answer is lost: never failed, never charged twice, settled by what Stripe says."""
    shop = await stage.scene.given_a_workspace(name="Elsewhere")
    # The client asks again by itself, so the repeats must be lost as well.
    await stage.scene.stripe.fault("close_after", operation="invoices.pay", times=1)
    await stage.scene.stripe.fault("close_before", operation="invoices.pay", times=2)
    answer = await stage.scene.buy(shop, stage.addon)
    await stage.scene.stripe.reset_faults()
    await stage.until(shop, stage.bought(shop, answer, ends="paid"), "paid")
