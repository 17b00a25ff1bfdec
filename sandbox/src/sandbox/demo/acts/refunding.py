"""Money goes back: sent by somebody in Stripe's Dashboard, or by staff here."""

from sandbox.demo.harness import Harness


async def in_the_dashboard(harness: Harness) -> None:
    """Refund in the Dashboard: the ledger follows, and the owner is mailed."""
    shop = await harness.driver.given_a_workspace(name="Fjord")
    purchase_id = harness.bought(shop, await harness.driver.buy(shop, harness.addon), ends="refunded")
    record = await harness.driver.record(purchase_id)
    await harness.driver.stripe.refund_as_dashboard(invoice=record["stripe_invoice_id"])
    await harness.until(shop, purchase_id, "refunded")


async def cancelled_with_the_rest(harness: Harness) -> None:
    """Refund a part, which leaves the purchase as it is; then cancel it, and what remains goes back too."""
    shop = await harness.driver.given_a_workspace(name="Grove")
    purchase_id = harness.bought(shop, await harness.driver.buy(shop, harness.addon), ends="cancelled")
    await harness.driver.move(purchase_id, "refund", amount_cents=10_000, reason="the kick-off call was late")
    await harness.refunded(purchase_id, cents=10_000)
    await harness.driver.move(purchase_id, "cancel", refund=True, reason="they chose another date")
    await harness.refunded(purchase_id, cents=harness.addon["price_cents"])
